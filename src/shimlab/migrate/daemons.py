"""The daemons behind a runtime on a node: started before the kubelet needs them, stopped when none does."""

from __future__ import annotations

from shimlab.node import exec as node_exec
from shimlab.runtimes import DOCKERSHIM, Runtime


def ensure(node: str, runtime: Runtime) -> None:
    """Make sure that the daemons behind a runtime run, and that its own unit is there; Docker needs containerd too.

    Raises:
        LabError: one does not start, or the node's image has no such unit.
    """
    node_exec.run(node, ["systemctl", "start", "containerd"])
    if runtime.shares_with(DOCKERSHIM):
        node_exec.run(node, ["systemctl", "start", "docker"])
        node_exec.run(node, ["docker", "version"])
    if runtime.unit:
        node_exec.run(node, ["systemctl", "cat", runtime.unit])


def enable(node: str, runtime: Runtime) -> None:
    """Start what only this runtime needs, now and when the node boots.

    Raises:
        LabError: it does not start.
    """
    if runtime.unit:
        node_exec.run(node, ["systemctl", "enable", "--now", "--quiet", runtime.unit])


def retire(node: str, runtime: Runtime) -> None:
    """Stop what only this runtime needs, for good; its containers run on.

    Raises:
        LabError: it does not stop.
    """
    if runtime.unit:
        # An image without it has nothing to stop.
        script = 'systemctl cat "$1" >/dev/null 2>&1 || exit 0; systemctl disable --now --quiet "$1"'
        node_exec.run(node, ["sh", "-c", script, "sh", runtime.unit])
