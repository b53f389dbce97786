"""The nodes of the lab that tests run on, whatever its name."""

from __future__ import annotations

from shimlab import paths

CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM = (
    f"{paths.name()}-{role}" for role in ("control-plane", "worker", "worker2")
)


def role(value: object) -> str | None:
    """Name a node in a test's id as every lab has it, without the lab's name; leave what is no node as it is."""
    told = str(value)
    return told.removeprefix(f"{paths.name()}-") if told.startswith(f"{paths.name()}-") else None
