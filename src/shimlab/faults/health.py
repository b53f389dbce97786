"""When a node is well: what has to be true before a fault is made, and again after it was repaired."""

from __future__ import annotations

from typing import Any

from shimlab import evidence
from shimlab.cluster import status
from shimlab.faults.pod import FaultPod
from shimlab.faults.target import Target
from shimlab.migrate import cleanup
from shimlab.migrate import pods as of_node
from shimlab.progress import Step
from shimlab.runtimes import LABEL, RUNTIMES
from shimlab.waiting import until

# As the node image has them, on every node: a node can be migrated to the other runtime at any time.
UNITS = ("containerd.service", "docker.socket", "docker.service", "kubelet.service")
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
POD_SECONDS = 90


def missing(target: Target) -> list[str]:
    """Name what keeps a node from being well; the first that is found is enough.

    Raises:
        LabError: the node or the API server does not answer.
    """
    found = target.api.read()
    return (
        _conditions(found)
        or _units(target)
        or _runtime(target, found)
        or [f"pod {name} is not ready" for name in not_ready(target) if name not in target.record.excused]
    )


def revive(target: Target) -> None:
    """Start the units that systemd gave up on while the node was broken, as it does after a few starts in a row.

    Without runc, for one, a dockerd that starts ends at once: a node that was restarted then has none for good.

    Raises:
        LabError: the node cannot be asked, or a unit does not start.
    """
    states = target.units(UNITS, "ActiveState")
    if failed := [unit for unit, state in states.items() if state["ActiveState"] == "failed"]:
        target.start(*failed)


def not_ready(target: Target) -> list[str]:
    """Name the node's pods that do not run, ready, in the node's runtime.

    Raises:
        LabError: the API server does not answer.
    """
    ours = FaultPod(target.name).name
    pods = [
        pod
        for pod in target.api.pods()
        if pod.metadata.name != ours and pod.status.phase not in {"Succeeded", "Failed"}
    ]
    return of_node.not_yet_on(pods, target.runtime)


def prove(target: Target, current: Step) -> None:
    """Start a pod on the node and take it away again.

    Raises:
        LabError: it does not run, or does not go, in time.
    """
    pod = FaultPod(target.name)
    # The one that could not start while the node was broken has been told so; a new one starts at once.
    gone(pod, current)
    running(pod, current)
    gone(pod, current)


def running(pod: FaultPod, current: Step) -> None:
    """Start the fault's pod and wait until it runs.

    Raises:
        LabError: it does not in time.
    """
    pod.start()
    until(current, POD_SECONDS, lambda: [] if pod.running() else [f"pod {pod.name} does not run yet"])


def gone(pod: FaultPod, current: Step) -> None:
    """Remove the fault's pod and wait until it is gone.

    Raises:
        LabError: it is still there after a while.
    """

    def missing() -> list[str]:
        # Asked for until it is true: an API server that has just come back may not answer at once.
        pod.remove()
        return [f"pod {pod.name} is still there"] if pod.read() else []

    until(current, POD_SECONDS, missing)


def _conditions(found: Any) -> list[str]:  # noqa: ANN401 - the client has no types
    left = []
    for each in found.status.conditions:
        if (each.type == "Ready" and each.status != "True") or (
            each.type in PRESSURES and each.status != "False"
        ):
            left.append(f"its {each.type} is {each.status}: {each.message}")
    return left + status.kept_off(found)


def _units(target: Target) -> list[str]:
    left = []
    for unit, state in target.units(UNITS, "ActiveState", "UnitFileState").items():
        if state != {"ActiveState": "active", "UnitFileState": "enabled"}:
            left.append(f"{unit} is {state['ActiveState']} and {state['UnitFileState']}")
    return left


def _runtime(target: Target, found: Any) -> list[str]:  # noqa: ANN401 - the client has no types
    label = found.metadata.labels.get(LABEL)
    if label != target.runtime.name:
        return [f"its label says {label}"]
    wanted = target.runtime.scheme
    if astray := [each for each in evidence.runtime_of(target.name) if each.runtime != wanted]:
        return [f"{each.way} says {each.runtime} ({each.seen})" for each in astray]
    others = {each.holder: each for each in RUNTIMES.values() if each.scheme != wanted}
    return [
        f"{holder} holds {count} containers of Kubernetes"
        for holder, runtime in others.items()
        if (count := len(cleanup.containers(target.name, runtime)))
    ]
