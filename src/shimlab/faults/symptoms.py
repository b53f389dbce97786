"""Single signs of a fault, each read from the live lab; None as long as it is not there."""

from __future__ import annotations

from shimlab.faults.fault import Sign
from shimlab.faults.pod import FaultPod
from shimlab.faults.target import Target

CONTAINERS = "containers"


def kubelet_says(target: Target, *parts: str) -> Sign | None:
    """Find a line that the kubelet logged since the break."""
    said = target.kubelet_said(*parts)
    return Sign("kubelet log", said) if said else None


def unit_says(target: Target, unit: str, *parts: str) -> Sign | None:
    """Find a line in the log of a unit since the break; what systemd says of the unit is part of it."""
    said = target.unit_said(unit, *parts)
    return Sign(f"{unit} log", said) if said else None


def node_is(target: Target, condition: str, *statuses: str) -> Sign | None:
    """See whether a condition of the node has one of these statuses."""
    found = target.condition(condition)
    if found.status not in statuses:
        return None
    return Sign("node", f"{condition} is {found.status}: {found.reason}, {found.message}")


def unit_is(target: Target, unit: str, state: str) -> Sign | None:
    """See whether a unit is in this state."""
    active = target.unit(unit, "ActiveState")["ActiveState"]
    return Sign("systemd", f"{unit} is {active}") if active == state else None


def pod_event(target: Target, *parts: str) -> Sign | None:
    """Find an event of the fault's pod."""
    reason, message = FaultPod(target.name).event(*parts)
    return Sign(f"pod event {reason}", " ".join(message.split())) if reason else None


def count_containers(target: Target) -> None:
    """Note which containers of pods run now."""
    target.remember(**{CONTAINERS: "\n".join(sorted(target.containers()))})


def same_containers(target: Target) -> Sign | None:
    """See how many of the containers that were noted run on, with the process that they had.

    One of a pod that has done its work may have ended; all of them do where a fault ends containers.
    """
    noted = _noted(target)
    lived = len(noted & target.containers())
    return (
        Sign("processes", f"{lived} of {len(noted)} containers run on, sandboxes counted") if lived else None
    )


def other_containers(target: Target) -> Sign | None:
    """See whether none of the containers that were noted runs any more, and others do."""
    noted = _noted(target)
    now = target.containers()
    if not noted or not now or noted & now:
        return None
    return Sign("processes", f"none of the {len(noted)} containers lives on, {len(now)} were started since")


def no_containers(target: Target) -> Sign | None:
    """See whether no container of a pod runs."""
    noted = _noted(target)
    if not noted or target.containers():
        return None
    return Sign("processes", f"none of the {len(noted)} containers runs")


def _noted(target: Target) -> set[str]:
    return set(target.record.notes.get(CONTAINERS, "").splitlines())
