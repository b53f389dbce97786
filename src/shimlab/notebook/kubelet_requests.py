"""What a kubelet sends to make a pod's sandbox and container, for whoever takes its place.

The pods are known to the API server, and their kubelets wait for a volume that never comes: so they leave them to us,
and do not remove what they would take for strangers. Sources: Kubernetes v1.20.15, pkg/kubelet/kuberuntime
(generatePodSandboxConfig, generateContainerConfig, labels.go) and pkg/kubelet/cm/pod_container_manager_linux.go (the
pod's cgroup).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shimlab import evidence
from shimlab.cluster.namespace import CONTAINER, IMAGE, SLEEP, Namespace
from shimlab.node import exec as nodes
from shimlab.waiting import wait

_NEVER = "never"
# NamespaceMode in api.proto: shared within the pod, or the container's own.
_POD, _OWN = 0, 1


def waiting(stage: Namespace, pods: Mapping[str, str]) -> dict[str, Any]:
    """Start pods, name → node, that wait for a volume, and return them once their kubelets have taken them on.

    Raises:
        LabError: the API server refuses, or a kubelet does not take one on in time.
    """
    volume = {"name": _NEVER, "configMap": {"name": _NEVER}}
    mounted = {"volumeMounts": [{"name": _NEVER, "mountPath": f"/{_NEVER}"}]}
    made = stage.start(pods, container=mounted, volumes=[volume])
    for name, node in pods.items():
        uid = made[name].metadata.uid
        wait(lambda node=node, uid=uid: taken_on(node, uid), f"the kubelet of {node} to take {name} on")  # type: ignore[misc]
    return made


def taken_on(node: str, uid: str) -> bool:
    """Tell whether a node's kubelet has a folder for the pod of this UID.

    Raises:
        LabError: the node cannot be asked.
    """
    script = 'test -d "/var/lib/kubelet/pods/$1" && echo there || true'
    return "there" in nodes.run(node, ["sh", "-c", script, "sh", uid])


def sandbox_config(pod: Any, node: str, hostname: str = "") -> dict[str, Any]:  # noqa: ANN401 - the client has no types
    """Return the PodSandboxConfig for a pod, as a dictionary: who it is, where its logs go, under which cgroup it is.

    Raises:
        LabError: the kubelet does not tell its cgroup root.
    """
    meta = pod.metadata
    labels = {"pod.name": meta.name, "pod.namespace": meta.namespace, "pod.uid": meta.uid}
    root = evidence.kubelet_config(node).cgroup_root.rstrip("/")
    return {
        "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid, "attempt": 0},
        "hostname": hostname or meta.name,
        "log_directory": f"/var/log/pods/{meta.namespace}_{meta.name}_{meta.uid}",
        "labels": {f"io.kubernetes.{key}": value for key, value in labels.items()},
        "linux": {"cgroup_parent": f"{root}/kubepods/besteffort/pod{meta.uid}"},
    }


def container_config(sandbox: Mapping[str, Any], command: Sequence[str] = SLEEP) -> dict[str, Any]:
    """Return the ContainerConfig for a container in a sandbox.

    That it shares the sandbox's network and IPC, containerd takes for granted; dockershim has to be told.
    """
    options = {"network": _POD, "ipc": _POD, "pid": _OWN}
    return {
        "metadata": {"name": CONTAINER, "attempt": 0},
        "image": {"image": IMAGE},
        "command": list(command),
        "log_path": f"{CONTAINER}/0.log",
        "labels": {**sandbox["labels"], "io.kubernetes.container.name": CONTAINER},
        "linux": {"security_context": {"namespace_options": options}},
    }


def log_folder(node: str, sandbox: Mapping[str, Any]) -> None:
    """Make the folder that a container's log goes to, as a kubelet does before it asks for the container.

    Raises:
        LabError: the node cannot be written.
    """
    nodes.run(node, ["mkdir", "-p", f"{sandbox['log_directory']}/{CONTAINER}"])
