"""What the API server is asked for when a node changes its runtime: cordon, evict, wait for the node's own pods.

Sources: Kubernetes documentation, "Safely Drain a Node" and "API-initiated Eviction" (429: a budget forbids it now).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.lab import cluster
from shimlab.lab.api import REMEDY, answering, core
from shimlab.lab.runtimes import ANNOTATION, LABEL, Runtime
from shimlab.progress import Step
from shimlab.waiting import bound

# Set while a switch is under way, so that a cordon of ours is told from somebody else's.
SWITCHING = "shimlab/switching-to"
KEEP_CORDON = "shimlab/cordoned-before"
MIRROR = "kubernetes.io/config.mirror"
REQUEST_SECONDS = 15
POLL_SECONDS = 0.5


def until(current: Step, seconds: float, missing: Callable[[], list[str]]) -> None:
    """Wait until nothing is missing; what cannot be asked yet is missing too.

    Raises:
        LabError: something still is after ``seconds``.
    """
    seconds = bound(seconds)
    deadline = time.monotonic() + seconds
    while True:
        try:
            left = missing()
        except LabError as error:
            left = [error.what]
        if not left:
            return
        if time.monotonic() > deadline:
            raise LabError(f"not within {seconds:.0f} s: {'; '.join(left)}", REMEDY)
        current.note("waiting: " + "; ".join(left))
        time.sleep(POLL_SECONDS)


def kept_off(found: Any) -> list[str]:  # noqa: ANN401 - the client has no types
    """Name the taints by which the control plane keeps pods off a node; being cordoned is none of them.

    A node that is Ready again keeps them until its controller looks the next time, up to 5 s later
    (kube-controller-manager, --node-monitor-period).
    """
    return [
        f"it is tainted {taint.key}"
        for taint in found.spec.taints or []
        if taint.key.startswith("node.kubernetes.io/") and taint.key != "node.kubernetes.io/unschedulable"
    ]


class NodeApi:
    """One node as the API server knows it."""

    def __init__(self, name: str) -> None:
        """Connect with the lab's kubeconfig.

        Raises:
            LabError: the lab is not up, or has no node of this name.
        """
        known = cluster.nodes()
        if name not in known:
            raise LabError(f"the lab has no node {name}", f"choose one of: {', '.join(known)}")
        self.name = name
        with answering():
            self._core = core()

    def read(self) -> Any:  # noqa: ANN401 - the client has no types
        """Return the node.

        Raises:
            LabError: the API server does not answer.
        """
        with answering():
            return self._core.read_node(self.name, _request_timeout=REQUEST_SECONDS)

    def pods(self) -> list[Any]:
        """Return the node's pods.

        Raises:
            LabError: the API server does not answer.
        """
        with answering():
            return list(
                self._core.list_pod_for_all_namespaces(
                    field_selector=f"spec.nodeName={self.name}", _request_timeout=REQUEST_SECONDS
                ).items
            )

    def not_again(self, was: Collection[str]) -> list[str]:
        """Name the pods that were ready (uids) before the node's kubelet was started anew, and are not ready again.

        Raises:
            LabError: the API server or the kubelet does not answer.
        """
        probed = {
            (each.pod, each.container)
            for each in evidence.probes(self.name)
            if (each.labels["probe_type"], each.labels["result"]) == ("Readiness", "successful")
        }
        return not_again(self.pods(), was, probed)

    def cordon(self, runtime: Runtime) -> None:
        """Let no new pod in, and note what for; a cordon that was there before is remembered.

        Raises:
            LabError: the API server does not answer.
        """
        node = self.read()
        annotations: dict[str, str | None] = {SWITCHING: runtime.name}
        if node.spec.unschedulable and SWITCHING not in (node.metadata.annotations or {}):
            annotations[KEEP_CORDON] = "true"
        self._patch({"metadata": {"annotations": annotations}, "spec": {"unschedulable": True}})

    def release(self, runtime: Runtime) -> bool:
        """Label the node, tell kubeadm, and lift our cordon, in one step; tell whether pods may come now.

        Raises:
            LabError: the API server does not answer.
        """
        kept = KEEP_CORDON in (self.read().metadata.annotations or {})
        annotations = {ANNOTATION: runtime.annotation(self._release()), SWITCHING: None, KEEP_CORDON: None}
        metadata = {"labels": {LABEL: runtime.name}, "annotations": annotations}
        self._patch({"metadata": metadata, "spec": {"unschedulable": kept or None}})
        return not kept

    def evict(self, current: Step, seconds: float, *, alive: bool) -> None:
        """Evict the pods that can go elsewhere and wait until they are gone.

        Where no kubelet is ``alive`` to stop them they are taken out of the API at once: their containers are removed
        with all others of the node.

        Raises:
            LabError: one is still there after ``seconds``.
        """
        with answering():
            from kubernetes import client

            versions = client.PolicyApi(self._core.api_client).get_api_group(_request_timeout=REQUEST_SECONDS)
        # The Eviction of policy/v1 came with 1.22, the version itself with 1.21, which is no release of the lab.
        newest = "policy/v1" if "v1" in [each.version for each in versions.versions] else "policy/v1beta1"

        def left() -> list[str]:
            pods, _ = sorted_out(self.pods())
            return [f"{_called(pod)} {self._send_away(pod, newest, alive=alive)}" for pod in pods]

        until(current, seconds, left)

    def _send_away(self, pod: Any, version: str, *, alive: bool) -> str:  # noqa: ANN401
        from kubernetes import client

        name, namespace = pod.metadata.name, pod.metadata.namespace
        if pod.metadata.deletion_timestamp and alive:
            return "ends"
        try:
            with answering(passing=(404, 409, 429)):
                if alive:
                    self._core.create_namespaced_pod_eviction(
                        name,
                        namespace,
                        {
                            "apiVersion": version,
                            "kind": "Eviction",
                            "metadata": {"name": name, "namespace": namespace},
                            "deleteOptions": {"preconditions": {"uid": pod.metadata.uid}},
                        },
                        _request_timeout=REQUEST_SECONDS,
                    )
                else:
                    self._core.delete_namespaced_pod(
                        name,
                        namespace,
                        body={"gracePeriodSeconds": 0, "preconditions": {"uid": pod.metadata.uid}},
                        _request_timeout=REQUEST_SECONDS,
                    )
        except client.ApiException as error:
            return "may not go: its disruption budget forbids it" if error.status == 429 else "is gone"
        return "ends"

    def _release(self) -> tuple[int, ...]:
        """Return the API server's release, which is that of the kubeadm which made the cluster."""
        from kubernetes import client

        with answering():
            told = client.VersionApi(self._core.api_client).get_code(_request_timeout=REQUEST_SECONDS)
        # Some vendors write a plus sign after the number.
        return int(told.major), int(told.minor.rstrip("+"))

    def _patch(self, body: dict[str, Any]) -> None:
        with answering():
            self._core.patch_node(self.name, body, _request_timeout=REQUEST_SECONDS)


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
            missing.append(_called(pod))
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
            if all(
                (_called(pod), each.name) in probed for each in pod.spec.containers if each.readiness_probe
            )
        ]
    )
    return [f"{_called(pod)} is not ready again" for pod in staying if pod.metadata.uid not in back]


def names(pods: list[Any]) -> str:
    """Name pods for a message."""
    return ", ".join(sorted(_called(pod) for pod in pods))


def _called(pod: Any) -> str:  # noqa: ANN401 - the client has no types
    return f"{pod.metadata.namespace}/{pod.metadata.name}"
