"""Who started a pod's containers: its processes, and their parents up to process 1.

Source of the namespaces: containerd's shim is started with ``-namespace`` (containerd,
runtime/v2/shim/shim.go); dockerd uses ``moby`` (moby, daemon/config, DefaultContainersNamespace), the CRI
plugin ``k8s.io`` (containerd, pkg/cri/constants).
"""

from __future__ import annotations

from dataclasses import dataclass

from shimlab.node import procfs as proc
from shimlab.node.probe import Run
from shimlab.node.procfs import Process, is_shim

CLIENT_OF_NAMESPACE = {"moby": "docker", "k8s.io": "containerd"}


@dataclass(frozen=True)
class Chain:
    """The first process of one container of a pod, and its parents, nearest first."""

    container_id: str
    process: Process
    parents: tuple[Process, ...]

    @property
    def shim(self) -> Process | None:
        """Return the shim among the parents."""
        return next((each for each in self.parents if is_shim(each)), None)

    @property
    def namespace(self) -> str | None:
        """Return the containerd namespace that the shim was started for."""
        return self.shim.option("-namespace") if self.shim else None


@dataclass(frozen=True)
class ContainerTree:
    """All containers of one pod as processes, the pause container among them."""

    pod_uid: str
    chains: tuple[Chain, ...]

    @property
    def shims(self) -> tuple[Process, ...]:
        """Return the pod's shims, each once."""
        found = {chain.shim.pid: chain.shim for chain in self.chains if chain.shim}
        return tuple(found[pid] for pid in sorted(found))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Return the containerd namespaces of the pod's shims, each once."""
        return tuple(sorted({chain.namespace or "none" for chain in self.chains}))


def container_tree(node: str, pod_uid: str, *, run: Run | None = None) -> ContainerTree:
    """Find a pod's processes by its cgroup and follow their parents.

    The pod is known by the UID that the API gives it, so nothing is asked of the runtime.

    Raises:
        LabError: the node cannot be asked.
    """
    return tree_of(pod_uid, proc.processes(node, run=run))


def tree_of(pod_uid: str, everyone: list[Process]) -> ContainerTree:
    """Pick a pod's containers out of all processes of a node."""
    inside = {each.pid: each for each in everyone if each.pod_uid == pod_uid and each.container_id}
    first = [each for each in inside.values() if each.ppid not in inside]
    chains = [
        Chain(each.container_id or "", each, tuple(proc.ancestors(each, everyone)))
        for each in first
        if not is_shim(each)
    ]
    return ContainerTree(pod_uid, tuple(sorted(chains, key=lambda chain: chain.process.pid)))
