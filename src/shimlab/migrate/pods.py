"""What the API server's word on a node's pods means: which a drain sends away, which run, which are ready again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from shimlab.runtimes import Runtime

MIRROR = "kubernetes.io/config.mirror"


def sorted_out(pods: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the pods that a drain sends away, and those among them that nobody would make again elsewhere.

    Static pods and those of a DaemonSet belong to their node and stay.
    """
    leave, lost = [], []
    for pod in pods:
        owner = next((each for each in pod.metadata.owner_references or [] if each.controller), None)
        if MIRROR in (pod.metadata.annotations or {}) or (owner and owner.kind == "DaemonSet"):
            continue
        leave.append(pod)
        over = pod.metadata.deletion_timestamp or pod.status.phase in {"Succeeded", "Failed"}
        if owner is None and not over:
            lost.append(pod)
    return leave, lost


def not_yet_on(pods: list[Any], runtime: Runtime) -> list[str]:
    """Name the pods whose containers do not run, ready, in this runtime: their ids say where they are."""
    missing = []
    for pod in pods:
        containers = pod.status.container_statuses or []
        if not containers or not all(
            each.ready and (each.container_id or "").startswith(f"{runtime.scheme}://") for each in containers
        ):
            missing.append(called(pod))
    return missing


def ready(pods: list[Any]) -> set[str]:
    """Return the uids of the pods whose containers are all ready."""
    return {
        pod.metadata.uid
        for pod in pods
        if pod.status.container_statuses and all(each.ready for each in pod.status.container_statuses)
    }


def not_again(pods: list[Any], was: Collection[str], probed: Collection[tuple[str, str]]) -> list[str]:
    """Name the pods that were ready (uids) before their kubelet was started anew, and are not ready again.

    A kubelet that starts calls each container with a readiness probe not ready until its own first probe succeeds,
    which may take the probe's period (seen; Kubernetes issue 100277, and KEP-4781, which is about to change it). Until
    it has ``probed`` a container (namespace/pod, name), what the API says of it may be from the kubelet before.
    """
    staying = [pod for pod in pods if pod.metadata.uid in was and not pod.metadata.deletion_timestamp]
    back = ready(
        [
            pod
            for pod in staying
            if all((called(pod), each.name) in probed for each in pod.spec.containers if each.readiness_probe)
        ]
    )
    return [f"{called(pod)} is not ready again" for pod in staying if pod.metadata.uid not in back]


def names(pods: list[Any]) -> str:
    """Name pods for a message."""
    return ", ".join(sorted(called(pod) for pod in pods))


def called(pod: Any) -> str:  # noqa: ANN401 - the client has no types
    """Name a pod with its namespace."""
    return f"{pod.metadata.namespace}/{pod.metadata.name}"
