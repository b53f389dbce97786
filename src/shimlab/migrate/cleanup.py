"""What a node's two stores hold of Kubernetes, and its removal while no kubelet looks after it.

Both are asked themselves, past the kubelet. Sources: Kubernetes v1.20.15, pkg/kubelet/dockershim (docker_service.go:
the label; docker_checkpoint.go: the folder) and cmd/kubelet/app/options/container_runtime.go (the cache's folder);
CNI specification 1.0.0, DEL, and containernetworking/cni, libcni/api.go (the cache's files).
"""

from __future__ import annotations

import base64
import json
from typing import Any

from shimlab.clients.cri import CriClient
from shimlab.errors import LabError
from shimlab.migrate import shims
from shimlab.node import exec as nodes
from shimlab.runtimes import CONTAINERD_SOCKET, DOCKERSHIM, Runtime

OF_DOCKERSHIM = "io.kubernetes.docker.type"
DOCKERSHIM_STATE = "/var/lib/dockershim/sandbox"
DOCKERSHIM_NETWORKS = "/var/lib/cni/cache/results"
CNI_PROGRAMS = "/opt/cni/bin"
LOGS = ("/var/log/pods", "/var/log/containers")
# Each container is killed, not asked: its pod is gone or starts anew at once.
SECONDS = 120


def containers(node: str, runtime: Runtime) -> list[str]:
    """Return the ids of all containers that a runtime holds for Kubernetes, sandboxes and dead ones among them.

    Raises:
        LabError: the runtime does not answer.
    """
    if runtime.shares_with(DOCKERSHIM):
        command = ["docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={OF_DOCKERSHIM}"]
    else:
        command = ["ctr", "--namespace", "k8s.io", "containers", "ls", "--quiet"]
    return nodes.run(node, command).split()


def images(node: str, runtime: Runtime) -> set[str]:
    """Return the names of the images in a runtime's store.

    Raises:
        LabError: the runtime does not answer.
    """
    if runtime.shares_with(DOCKERSHIM):
        command = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]
    else:
        command = ["ctr", "--namespace", "k8s.io", "images", "ls", "--quiet"]
    return set(nodes.run(node, command).split())


def not_of_kubernetes(node: str) -> list[str]:
    """Return the names of running Docker containers that somebody started past Kubernetes.

    Raises:
        LabError: Docker does not answer.
    """
    row = '{{.Names}}\t{{.Label "' + OF_DOCKERSHIM + '"}}'
    found = nodes.run(node, ["docker", "ps", "--format", row]).splitlines()
    return [name for name, _, kind in (line.partition("\t") for line in found) if not kind]


def clear(node: str, runtime: Runtime) -> int:
    """Remove everything that a runtime holds for Kubernetes, and return how many containers that were.

    No kubelet may run: it would make them again.

    Raises:
        LabError: something cannot be removed, or is still there afterwards.
    """
    found = containers(node, runtime)
    if runtime.shares_with(DOCKERSHIM):
        if found:
            nodes.run(node, ["docker", "rm", "--force", "--volumes", *found], timeout=SECONDS)
        _forget_dockershim(node)
    elif found:
        with CriClient(node, CONTAINERD_SOCKET) as cri:
            for pod in cri.pods():
                cri.call("StopPodSandbox", pod_sandbox_id=pod.id)
                cri.call("RemovePodSandbox", pod_sandbox_id=pod.id)
    left = containers(node, runtime)
    if left:
        raise LabError(f"{len(left)} containers are still there", "look at them in the node")
    shims.end_lost(node, runtime, _all_known(node, runtime))
    return len(found)


def _all_known(node: str, runtime: Runtime) -> list[str]:
    """Return the ids of all containers that a runtime knows, somebody else's among them."""
    if runtime.shares_with(DOCKERSHIM):
        return nodes.run(node, ["docker", "ps", "--all", "--quiet", "--no-trunc"]).split()
    return containers(node, runtime)


def _forget_dockershim(node: str) -> None:
    """Do what dockershim would have done on removal: give addresses back, drop its notes and its links to logs."""
    # A note that was cut off tells nothing, and jq ends at it: the next migration does not meet it again.
    script = (
        'find "$1" -type f -exec jq --compact-output "{path: input_filename} + ." {} + 2>/dev/null || true'
    )
    for line in nodes.run(node, ["sh", "-c", script, "sh", DOCKERSHIM_NETWORKS]).splitlines():
        cached: dict[str, Any] = json.loads(line)
        for argv, stdin in network_removals(cached):
            nodes.run(node, argv, input=stdin)
    nodes.run(node, ["sh", "-c", f"rm -f {DOCKERSHIM_STATE}/* {DOCKERSHIM_NETWORKS}/*"])
    # Docker's log has gone with its container. The next runtime cannot write its own through a link to nowhere.
    nodes.run(node, ["sh", "-c", f"mkdir -p {' '.join(LOGS)} && find -L {' '.join(LOGS)} -type l -delete"])


def network_removals(cached: dict[str, Any]) -> list[tuple[list[str], str]]:
    """Return the calls, argument vector and stdin, that undo the ADD which libcni noted in its cache.

    The plugins of a list are called in reverse, each with what it was given on ADD.
    """
    configuration: dict[str, Any] = json.loads(base64.b64decode(cached["config"]))
    given = cached.get("capabilityArgs") or {}
    calls = []
    for plugin in reversed(configuration.get("plugins") or [configuration]):
        stdin = {**plugin, "name": configuration["name"], "cniVersion": configuration["cniVersion"]}
        able = [name for name, on in (plugin.get("capabilities") or {}).items() if on]
        if runtime_config := {name: given[name] for name in able if name in given}:
            stdin["runtimeConfig"] = runtime_config
        if cached.get("result"):
            stdin["prevResult"] = cached["result"]
        environment = {
            "CNI_COMMAND": "DEL",
            "CNI_CONTAINERID": cached["containerId"],
            # The network namespace has gone with the container; an empty one says so.
            "CNI_NETNS": "",
            "CNI_IFNAME": cached["ifName"],
            "CNI_PATH": CNI_PROGRAMS,
            "CNI_ARGS": ";".join(f"{key}={value}" for key, value in cached.get("cniArgs") or []),
        }
        argv = ["env", *(f"{name}={value}" for name, value in environment.items())]
        calls.append(([*argv, f"{CNI_PROGRAMS}/{plugin['type']}"], json.dumps(stdin)))
    return calls
