"""What the cluster is: compared before and after a snippet, which must leave it as it was."""

from __future__ import annotations

import re
import time
from typing import Any

from kubernetes import client, config

from shimlab import evidence
from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.kubelet_flags import KUBEADM_FLAGS
from shimlab.node import exec as node_exec
from shimlab.waiting import POLL_SECONDS_OF_NODES, bound

#: What controllers take back a moment after the command that asked for it: a taint, a socket of a kubelet; seconds.
SETTLES = 60
#: Each shim has a socket of its own; pods of kube-system may restart whatever a snippet does.
SHIM_SOCKETS = ("/run/containerd/s/", "/run/docker/containerd/s/")
#: A kubelet binds its sockets under a number of each start, then renames them; the kernel keeps the first name.
NUMBERED = re.compile(r"/\d+$")


def snapshot() -> dict[str, Any]:
    """Collect namespaces, pods of ``default``, and of each node its marks, flags, and who listens on which socket."""
    connect: Any = config.new_client_from_config
    core: Any = client.CoreV1Api(connect(str(kube.kubeconfig())))
    state: dict[str, Any] = {
        "namespaces": sorted(item.metadata.name for item in core.list_namespace().items),
        "pods in default": sorted(item.metadata.name for item in core.list_namespaced_pod("default").items),
    }
    for item in core.list_node().items:
        for what, value in marks(item).items():
            state[f"{what} of {item.metadata.name}"] = value
        state[f"ready {item.metadata.name}"] = [c.status for c in item.status.conditions if c.type == "Ready"]
    for name in status.nodes():
        state[f"kubelet flags of {name}"] = node_exec.read(name, KUBEADM_FLAGS).decode()
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


def marks(node: Any) -> dict[str, Any]:  # noqa: ANN401 - the client has no types
    """Return what a node is marked with in the API server: labels, annotations, taints, and whether it is cordoned."""
    return {
        "labels": node.metadata.labels,
        "annotations": node.metadata.annotations,
        "taints": sorted(f"{taint.key}={taint.value}:{taint.effect}" for taint in node.spec.taints or []),
        "cordoned": bool(node.spec.unschedulable),
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say what is not as it was."""
    return [
        f"{key}: was {before.get(key)}, is {after.get(key)}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def left(before: dict[str, Any]) -> list[str]:
    """Say what is not as it was, once controllers had their time to take it back."""
    deadline = time.monotonic() + bound(SETTLES)
    while (found := differences(before, snapshot())) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS_OF_NODES)
    return found
