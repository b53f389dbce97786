"""Faults of sockets and settings: the kubelet and its runtime do not find each other, or disagree.

Sources: Kubernetes v1.20.15, pkg/kubelet/kubelet.go (PreInitRuntimeService: dockershim listens on the endpoint, and
removes what is there) and cmd/kubelet/app/server.go (the drivers must be the same); containerd 1.6, docs/ops.md
(disabled_plugins).
"""

from __future__ import annotations

import re

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.faults import symptoms
from shimlab.faults.fault import Fault, Sign, Signs, together
from shimlab.faults.target import Target
from shimlab.kubelet_flags import KUBEADM_FLAGS
from shimlab.runtimes import CONTAINERD_SOCKET

DOCKER_SOCKET = "/run/docker.sock"
KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
CONTAINERD_CONFIG = "/etc/containerd/config.toml"
DOCKER_CONFIG = "/etc/docker/daemon.json"
# The whole of what Docker's own packages of containerd put there.
AS_DOCKER_SHIPS_IT = 'disabled_plugins = ["cri"]\n'
DOCKER_DRIVER = re.compile(r"native\.cgroupdriver=(\w+)")
DRIVER = re.compile(r"^cgroupDriver: *(\S+)$", re.M)


def _remove_socket(target: Target, path: str) -> None:
    # A connection that is open goes on without the file: only a kubelet that starts notices.
    target.sh('rm -f "$1"', path)
    target.systemctl("restart", "kubelet")


def _socket_removed(target: Target, path: str, program: str, *said: str) -> Signs:
    there = evidence.sockets_at(target.name, [path])[0].exists
    runs = [each.comm for each in evidence.processes(target.name) if each.comm == program]
    return together(
        Sign("socket", f"{program} runs, but there is no {path}") if runs and not there else None,
        symptoms.kubelet_says(target, *said),
    )


def _socket_gone(target: Target, path: str, program: str) -> list[str]:
    listeners = {each.comm for each in evidence.sockets_at(target.name, [path])[0].listeners}
    return [] if program in listeners else [f"{program} does not listen on {path}"]


def _docker_socket_again(target: Target) -> None:
    # systemd makes the socket, and refuses to while the daemon behind it runs.
    target.systemctl("stop", "docker.socket", "docker.service")
    target.start("docker.socket", "docker.service")
    target.restart("kubelet")


def _swap_socket(target: Target) -> None:
    flags = target.read(KUBEADM_FLAGS)
    added = f"--container-runtime-endpoint=unix://{CONTAINERD_SOCKET}"
    target.write(KUBEADM_FLAGS, re.sub(r'(=["\']?)(?=--)', rf"\g<1>{added} ", flags, count=1))
    target.systemctl("restart", "kubelet")


def _socket_swapped(target: Target) -> Signs:
    listeners = [each.comm for each in evidence.sockets_at(target.name, [CONTAINERD_SOCKET])[0].listeners]
    if listeners != ["kubelet"]:
        return ()
    try:
        target.run(["ctr", "version"])
    except LabError as error:
        return together(
            Sign("socket", f"kubelet listens on {CONTAINERD_SOCKET}"), Sign("ctr version", error.what)
        )
    return ()


def _swap_back(target: Target) -> None:
    target.systemctl("stop", "kubelet")
    target.put_back()
    if _socket_gone(target, CONTAINERD_SOCKET, "containerd"):
        target.restart("containerd")
    target.start("kubelet")


def _change_docker_driver(target: Target) -> None:
    text = target.read(DOCKER_CONFIG)
    found = DOCKER_DRIVER.search(text)
    if found is None:
        raise LabError(f"{DOCKER_CONFIG} names no cgroup driver", "`shimlab repair`")
    other = "cgroupfs" if found[1] == "systemd" else "systemd"
    target.write(DOCKER_CONFIG, text[: found.start(1)] + other + text[found.end(1) :])
    target.restart("docker.service")
    # dockershim asks Docker once, when the kubelet starts.
    target.systemctl("restart", "kubelet")


def _restore_docker(target: Target) -> None:
    target.put_back()
    target.restart("docker.service")
    target.restart("kubelet")


def _change_containerd_driver(target: Target) -> None:
    text = target.read(CONTAINERD_CONFIG)
    target.write(CONTAINERD_CONFIG, text.replace("SystemdCgroup = false", "SystemdCgroup = true"))
    target.systemctl("restart", "containerd")


def _no_cgroupfs(target: Target) -> str:
    """The other way round containerd makes a cgroup of a strange name and says nothing."""
    found = DRIVER.search(target.read(KUBELET_CONFIG))
    if found and found[1] == "cgroupfs" and "SystemdCgroup = false" in target.read(CONTAINERD_CONFIG):
        return ""
    return "its kubelet and containerd do not use the cgroupfs driver"


def _disable_cri(target: Target) -> None:
    target.write(CONTAINERD_CONFIG, AS_DOCKER_SHIPS_IT)
    target.systemctl("restart", "containerd")


def _restore_containerd(target: Target) -> None:
    target.put_back()
    target.restart("containerd")


def _revive_docker(target: Target) -> None:
    target.systemctl("disable", "docker.service")
    target.systemctl("stop", "docker.service")
    target.remember(stopped=target.unit("docker.service", "ActiveState")["ActiveState"])
    # Anything that asks does it: a tool of the host, a monitoring agent, somebody's `docker ps`.
    target.run(["docker", "version"])


def _docker_revived(target: Target) -> Signs:
    unit = target.unit("docker.service", "ActiveState", "UnitFileState", "TriggeredBy")
    if unit["ActiveState"] != "active" or unit["UnitFileState"] != "disabled":
        return ()
    since = target.record.since
    back = [
        each
        for each in evidence.processes(target.name)
        if each.comm == "dockerd" and each.started.timestamp() >= since
    ]
    return together(
        Sign("systemd", f"docker.service is disabled and active, triggered by {unit['TriggeredBy']}"),
        Sign("processes", "dockerd runs, started since") if back else None,
        symptoms.unit_says(target, "docker.service", "Stopped"),
    )


def _docker_as_before(target: Target) -> None:
    target.systemctl("enable", "docker.service")
    target.start("docker.socket", "docker.service")


FAULTS = (
    Fault(
        "cri-socket-removed",
        runtimes=("containerd",),
        act=lambda target: _remove_socket(target, CONTAINERD_SOCKET),
        symptom=lambda target: _socket_removed(
            target, CONTAINERD_SOCKET, "containerd", CONTAINERD_SOCKET, "no such file or directory"
        ),
        undo=lambda target: target.restart("containerd"),
        left=lambda target: _socket_gone(target, CONTAINERD_SOCKET, "containerd"),
    ),
    Fault(
        "docker-socket-removed",
        runtimes=("dockershim",),
        act=lambda target: _remove_socket(target, DOCKER_SOCKET),
        symptom=lambda target: _socket_removed(
            target, DOCKER_SOCKET, "dockerd", "Cannot connect to the Docker daemon"
        ),
        undo=_docker_socket_again,
        left=lambda target: _socket_gone(target, DOCKER_SOCKET, "dockerd"),
    ),
    Fault(
        "cri-socket-swapped",
        runtimes=("dockershim",),
        act=_swap_socket,
        symptom=_socket_swapped,
        undo=_swap_back,
        left=lambda target: _socket_gone(target, CONTAINERD_SOCKET, "containerd"),
    ),
    Fault(
        "cgroup-driver",
        runtimes=("dockershim",),
        act=_change_docker_driver,
        symptom=lambda target: together(
            symptoms.kubelet_says(target, "misconfiguration: kubelet cgroup driver", "docker cgroup driver")
        ),
        undo=_restore_docker,
    ),
    Fault(
        "cgroup-driver-containerd",
        runtimes=("containerd",),
        act=_change_containerd_driver,
        symptom=lambda target: together(
            symptoms.pod_event(target, "FailedCreatePodSandBox", "expected cgroupsPath to be of format")
        ),
        undo=_restore_containerd,
        unfit=_no_cgroupfs,
        pod=True,
    ),
    Fault(
        "cri-disabled",
        runtimes=("containerd",),
        act=_disable_cri,
        symptom=lambda target: together(
            symptoms.unit_is(target, "containerd.service", "active"),
            symptoms.kubelet_says(target, "unknown service runtime."),
        ),
        undo=_restore_containerd,
    ),
    Fault(
        "docker-revived",
        runtimes=("containerd",),
        act=_revive_docker,
        symptom=_docker_revived,
        undo=_docker_as_before,
    ),
)
