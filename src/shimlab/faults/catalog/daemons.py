"""Faults of the daemons: stopped, killed, or without the program that they start containers with.

Sources: systemd.service(5) on Restart=; Docker documentation, "Live restore" (without it a daemon that comes back
ends the containers that it finds); Kubernetes documentation, "Nodes", on conditions that nobody reports any more.
"""

from __future__ import annotations

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.evidence import Chain
from shimlab.faults import symptoms
from shimlab.faults.fault import Fault, Sign, Signs, together
from shimlab.faults.pod import PROGRAM, FaultPod
from shimlab.faults.target import Target

BOTH = ("dockershim", "containerd")
RUNC = "/usr/sbin/runc"
RUNC_GONE = f"{RUNC}.taken-away"
KILLED = "code=killed, status=9/KILL"


def _stop_kubelet(target: Target) -> None:
    symptoms.count_containers(target)
    target.systemctl("stop", "kubelet")


def _kubelet_stopped(target: Target) -> Signs:
    return together(
        symptoms.unit_is(target, "kubelet.service", "inactive"),
        symptoms.node_is(target, "Ready", "Unknown"),
        symptoms.same_containers(target),
    )


def _kill(target: Target, unit: str) -> None:
    symptoms.count_containers(target)
    target.systemctl("kill", "--kill-who=main", "--signal=KILL", unit)


def _killed(target: Target, unit: str, after: Sign | None) -> Signs:
    return together(
        symptoms.unit_says(target, unit, "Main process exited", KILLED),
        symptoms.unit_is(target, unit, "active"),
        after,
    )


def _stop_docker(target: Target) -> None:
    symptoms.count_containers(target)
    # The socket too: the kubelet's next question would start the daemon again.
    target.systemctl("stop", "docker.socket", "docker.service")


def _docker_stopped(target: Target) -> Signs:
    return together(
        symptoms.unit_is(target, "docker.service", "inactive"),
        symptoms.no_containers(target),
        symptoms.kubelet_says(target, "Cannot connect to the Docker daemon"),
    )


def _docker_again(target: Target) -> None:
    target.start("docker.socket", "docker.service")
    # A kubelet that starts does not know how long it meant to wait before it tries a container again.
    target.restart("kubelet")


def _stop_containerd(target: Target) -> None:
    symptoms.count_containers(target)
    target.systemctl("stop", "containerd")


def _containerd_stopped(target: Target) -> Signs:
    return together(
        symptoms.unit_is(target, "containerd.service", "inactive"),
        symptoms.same_containers(target),
        symptoms.kubelet_says(target, "Container runtime sanity check failed"),
    )


def _container(target: Target) -> Chain | None:
    """Return the container of the fault's pod as a process under its shim, or None where none runs."""
    pod = FaultPod(target.name).read()
    tree = evidence.container_tree(target.name, pod.metadata.uid) if pod else None
    found = [each for each in tree.chains if each.shim and each.process.comm == PROGRAM] if tree else []
    return found[0] if found else None


def _kill_shim(target: Target) -> None:
    found = _container(target)
    if found is None or found.shim is None:
        raise LabError("the pod that was started for it has no container", "`shimlab repair`")
    target.remember(container=found.container_id, shim=str(found.shim.pid))
    target.run(["kill", "-KILL", str(found.shim.pid)])


def _shim_killed(target: Target) -> Signs:
    found, notes = _container(target), target.record.notes
    if found is None or found.shim is None:
        return ()
    again = found.container_id != notes.get("container") and str(found.shim.pid) != notes.get("shim")
    return together(
        symptoms.unit_says(target, "containerd", "shim disconnected"),
        Sign("processes", "the pod's container runs again, as another one under another shim")
        if again
        else None,
    )


def _take_runc(target: Target) -> None:
    target.sh('[ -e "$2" ] || mv "$1" "$2"', RUNC, RUNC_GONE)


def _runc_missing(target: Target) -> Signs:
    gone = target.run(["find", "/usr/sbin", "-name", "runc"]) == ""
    return together(
        Sign("files", f"there is no {RUNC}") if gone else None,
        symptoms.pod_event(target, "FailedCreatePodSandBox", "runc"),
    )


def _bring_runc(target: Target) -> None:
    target.sh('[ ! -e "$2" ] || mv "$2" "$1"', RUNC, RUNC_GONE)


FAULTS = (
    Fault(
        "kubelet-stopped",
        runtimes=BOTH,
        act=_stop_kubelet,
        symptom=_kubelet_stopped,
        undo=lambda target: target.start("kubelet"),
        seconds=120,
    ),
    Fault(
        "kubelet-killed",
        runtimes=BOTH,
        act=lambda target: _kill(target, "kubelet.service"),
        symptom=lambda target: _killed(target, "kubelet.service", symptoms.same_containers(target)),
    ),
    Fault(
        "dockerd-stopped",
        runtimes=("dockershim",),
        act=_stop_docker,
        symptom=_docker_stopped,
        undo=_docker_again,
    ),
    Fault(
        "dockerd-killed",
        runtimes=("dockershim",),
        act=lambda target: _kill(target, "docker.service"),
        symptom=lambda target: _killed(target, "docker.service", symptoms.other_containers(target)),
        undo=_docker_again,
    ),
    Fault(
        "containerd-stopped",
        runtimes=("containerd",),
        act=_stop_containerd,
        symptom=_containerd_stopped,
        undo=lambda target: target.start("containerd"),
    ),
    Fault(
        "containerd-killed",
        runtimes=("containerd",),
        act=lambda target: _kill(target, "containerd.service"),
        symptom=lambda target: _killed(target, "containerd.service", symptoms.same_containers(target)),
    ),
    Fault(
        "shim-killed",
        runtimes=BOTH,
        act=_kill_shim,
        symptom=_shim_killed,
        victim=True,
    ),
    Fault(
        "runc-missing",
        runtimes=BOTH,
        act=_take_runc,
        symptom=_runc_missing,
        undo=_bring_runc,
        pod=True,
    ),
)
