"""The containers of pods that run on a node, seen in its processes: which of them lived through a change.

Neither the kubelet nor a runtime is asked, so it can be told while none of them answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shimlab import evidence
from shimlab.node.procfs import is_shim

SANDBOX = "pause"


@dataclass(frozen=True)
class Survival:
    """What became of the containers of a node, sandboxes not counted; each number is one of containers."""

    before: int
    #: The same containers with the same first process.
    lived: int
    after: int

    def __str__(self) -> str:
        """Say it in one sentence."""
        if self.before == self.lived == self.after:
            return f"{self.lived} of {self.before} containers run on"
        return f"{self.lived} of {self.before} containers run on, {self.after - self.lived} are new"


def running(node: str) -> dict[str, evidence.Process]:
    """Return the first process of each container of a pod, by the container's id, sandboxes among them.

    Raises:
        LabError: the node cannot be asked.
    """
    return first_of(evidence.processes(node))


def first_of(everyone: Iterable[evidence.Process]) -> dict[str, evidence.Process]:
    """Pick the oldest process of each container out of all processes of a node."""
    found: dict[str, evidence.Process] = {}
    for each in sorted(everyone, key=lambda process: (process.started, process.pid), reverse=True):
        if each.pod_uid and each.container_id and not is_shim(each):
            found[each.container_id] = each
    return found


def compare(before: dict[str, evidence.Process], after: dict[str, evidence.Process]) -> Survival:
    """Tell which containers are the same; one that was started again has another id or another first process."""
    was, now = (
        {name: each.pid for name, each in one.items() if each.comm != SANDBOX} for one in (before, after)
    )
    return Survival(len(was), sum(now.get(name) == pid for name, pid in was.items()), len(now))
