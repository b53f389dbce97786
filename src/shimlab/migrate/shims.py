"""Shims that a runtime has lost sight of, and their end.

A shim serves one container, or one pod of the CRI plugin, and ends when the last of them is removed. One that missed
that goes on for as long as the node does: the runtime does not list it any more, and nobody asks it to end.
Sources: containerd v1.6.20, runtime/v2/shim.go (a shim whose shutdown is not answered in time is logged and left) and
cmd/ctr/commands/tasks/delete.go (--force kills first).
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.evidence.containers import CLIENT_OF_NAMESPACE
from shimlab.node import exec as nodes
from shimlab.node.procfs import Process, is_shim
from shimlab.progress import say
from shimlab.runtimes import Runtime
from shimlab.waiting import soon

# How long a shim may take to end by itself after its container was removed, and after it was told to; seconds.
SECONDS = 15


def end_lost(node: str, runtime: Runtime, known: Collection[str]) -> None:
    """End the runtime's shims that serve none of the containers, by their ids, that it knows.

    Raises:
        LabError: one does not end.
    """
    namespace = next(name for name, client in CLIENT_OF_NAMESPACE.items() if client == runtime.scheme)

    def lost() -> list[Process]:
        return [each for each in _shims(node, namespace) if each.option("-id") not in known]

    def ask() -> None:
        for shim in lost():
            container = shim.option("-id") or ""
            # It may have its container still, of which only containerd knows.
            for words in (["tasks", "delete", "--force", container], ["containers", "delete", container]):
                with suppress(LabError):
                    nodes.run(node, ["ctr", "--namespace", namespace, *words], timeout=SECONDS)

    def kill() -> None:
        doomed = {shim.pid for shim in lost()}
        doomed |= {each.pid for each in evidence.processes(node) if each.ppid in doomed}
        with suppress(LabError):
            nodes.run(node, ["kill", "-KILL", *map(str, sorted(doomed))])

    if soon(lambda: not lost(), SECONDS):
        return
    ids = ", ".join((each.option("-id") or "?")[:12] for each in lost())
    for end in (ask, kill):
        end()
        if soon(lambda: not lost(), SECONDS):
            say(f"  ended shims that served no container of {runtime.holder} any more: {ids}")
            return
    still = " ".join(f"{each.pid} ({each.option('-id')})" for each in lost())
    raise LabError(
        f"shims of {runtime.holder} do not end: {still}", f"look at them: shimlab node exec {node} -- ps -ef"
    )


def _shims(node: str, namespace: str) -> list[Process]:
    return [
        each for each in evidence.processes(node) if is_shim(each) and each.option("-namespace") == namespace
    ]
