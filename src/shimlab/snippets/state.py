"""What the cluster is: compared before and after a snippet, which must leave it as it was."""

from __future__ import annotations

import re
from typing import Any

from kubernetes import client, config

from shimlab import evidence
from shimlab.clients import kube
from shimlab.cluster import status

#: Each shim has a socket of its own; pods of kube-system may restart whatever a snippet does.
SHIM_SOCKETS = ("/run/containerd/s/", "/run/docker/containerd/s/")
#: A kubelet binds its sockets under a number of each start, then renames them; the kernel keeps the first name.
NUMBERED = re.compile(r"/\d+$")


def snapshot() -> dict[str, Any]:
    """Collect namespaces, pods of ``default``, what nodes are marked with, and who listens on which socket."""
    connect: Any = config.new_client_from_config
    core: Any = client.CoreV1Api(connect(str(kube.kubeconfig())))
    state: dict[str, Any] = {
        "namespaces": sorted(item.metadata.name for item in core.list_namespace().items),
        "pods in default": sorted(item.metadata.name for item in core.list_namespaced_pod("default").items),
    }
    for item in core.list_node().items:
        taints = sorted(f"{taint.key}={taint.value}:{taint.effect}" for taint in item.spec.taints or [])
        state[f"labels of {item.metadata.name}"] = item.metadata.labels
        state[f"annotations of {item.metadata.name}"] = item.metadata.annotations
        state[f"taints of {item.metadata.name}"] = taints
        state[f"cordoned {item.metadata.name}"] = bool(item.spec.unschedulable)
    for name in status.nodes():
        state[f"sockets of {name}"] = sorted(
            {
                (NUMBERED.sub("/<number>", socket.path), owner.comm)
                for socket in evidence.unix_sockets(name)
                if socket.listening
                and socket.path.startswith("/")
                and not socket.path.startswith(SHIM_SOCKETS)
                for owner in socket.owners
            }
        )
    return state


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say what is not as it was."""
    return [
        f"{key}: was {before.get(key)}, is {after.get(key)}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]
