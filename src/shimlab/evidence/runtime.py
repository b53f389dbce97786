"""Four independent witnesses of which runtime a node runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

from shimlab.clients import kube
from shimlab.errors import LabError
from shimlab.evidence.containers import CLIENT_OF_NAMESPACE
from shimlab.node import kubelet, sockets
from shimlab.node import procfs as proc
from shimlab.node.probe import Run, on, sections
from shimlab.node.procfs import is_shim

# What the kubelet's endpoint is called tells what somebody meant to run there, no more.
RUNTIME_OF_SOCKET_NAME = {
    "containerd.sock": "containerd",
    "crio.sock": "cri-o",
    "cri-dockerd.sock": "docker",
    "dockershim-out-of-tree.sock": "docker",
}
# Whoever listens on the kubelet's endpoint is the runtime; a kubelet that does so itself is dockershim.
RUNTIME_OF_LISTENER = {
    "kubelet": "docker",
    "containerd": "containerd",
    "crio": "cri-o",
    "cri-dockerd": "docker",
    # A process's name is cut off at 15 bytes: lab/dockershim.
    "dockershim-out-": "docker",
}


@dataclass(frozen=True)
class Witness:
    """What one way of asking says the runtime is, and what it saw."""

    way: str
    runtime: str
    seen: str


def runtime_of(node: str, *, run: Run | None = None) -> list[Witness]:
    """Ask in four ways which runtime a node runs: docker or containerd, or what else is found.

    Raises:
        LabError: the node or the API server cannot be asked.
    """
    run = run or on(node)
    found = sections(run, kubelet.SCRIPT)
    setup = kubelet.parse(node, found)
    return [
        by_api(node),
        by_flags(setup),
        by_socket(node, setup.socket, run=run),
        by_processes(proc.parse(found)),
    ]


def by_api(node: str) -> Witness:
    """Read what the kubelet reports in the node's status.

    Raises:
        LabError: the API server does not answer, or does not know the node.
    """
    from kubernetes import client, config
    from urllib3.exceptions import HTTPError

    try:
        field: str = kube.core().read_node(node).status.node_info.container_runtime_version
    except (client.ApiException, config.ConfigException, HTTPError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise LabError(
            f"the API server does not tell about {node}: {reason}", "`shimlab status` lists the nodes"
        ) from error
    return Witness("api", field.partition("://")[0], field)


def by_flags(setup: kubelet.KubeletSetup) -> Witness:
    """Read what the kubelet was told, by the defaults of its release."""
    if setup.in_tree:
        return Witness("flags", "docker", f"dockershim inside the kubelet, at {setup.socket}")
    meant = RUNTIME_OF_SOCKET_NAME.get(PurePosixPath(setup.socket).name, "unknown")
    return Witness("flags", meant, f"remote runtime at {setup.socket}")


def by_socket(node: str, path: str, *, run: Run | None = None) -> Witness:
    """See which program listens on a socket: the one that the kubelet uses.

    Raises:
        LabError: the node cannot be asked.
    """
    (there,) = sockets.at(node, [path], run=run)
    programs = sorted({owner.comm for owner in there.listeners})
    known = {RUNTIME_OF_LISTENER.get(program, "unknown") for program in programs}
    return Witness("socket", _only(known), f"{' and '.join(programs) or 'nobody'} listens on {path}")


def by_processes(everyone: list[proc.Process]) -> Witness:
    """See for which client of containerd the running shims were started."""
    shims = [each for each in everyone if is_shim(each)]
    namespaces = Counter(shim.option("-namespace") or "none" for shim in shims)
    seen = ", ".join(f"shims in namespace {name}" for name in sorted(namespaces)) or "no shims"
    return Witness(
        "processes", _only({CLIENT_OF_NAMESPACE.get(name, "unknown") for name in namespaces}), seen
    )


def _only(found: set[str]) -> str:
    return found.pop() if len(found) == 1 else "+".join(sorted(found)) or "none"
