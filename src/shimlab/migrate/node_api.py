"""One node as the API server knows it: its pods, its cordon, its annotations and labels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from shimlab import evidence
from shimlab.clients.kube import answering, core
from shimlab.cluster import status
from shimlab.migrate import pods
from shimlab.runtimes import ANNOTATION, KEEP_CORDON, LABEL, MIGRATING, Runtime

REQUEST_SECONDS = 15


class NodeApi:
    """One node as the API server knows it."""

    def __init__(self, name: str) -> None:
        """Connect with the lab's kubeconfig.

        Raises:
            LabError: the lab is not up, or has no node of this name that runs.
        """
        status.refuse_halted(name)
        self.name = name
        with answering():
            self.core = core()

    def read(self) -> Any:  # noqa: ANN401 - the client has no types
        """Return the node.

        Raises:
            LabError: the API server does not answer.
        """
        with answering():
            return self.core.read_node(self.name, _request_timeout=REQUEST_SECONDS)

    def pods(self) -> list[Any]:
        """Return the node's pods.

        Raises:
            LabError: the API server does not answer.
        """
        with answering():
            return list(
                self.core.list_pod_for_all_namespaces(
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
        return pods.not_again(self.pods(), was, probed)

    def cordon(self, aim: str) -> None:
        """Let no new pod in, and note what for (runtimes.MIGRATING); a cordon that was there before is remembered.

        Raises:
            LabError: the API server does not answer.
        """
        node = self.read()
        annotations: dict[str, str | None] = {MIGRATING: aim}
        if node.spec.unschedulable and MIGRATING not in (node.metadata.annotations or {}):
            annotations[KEEP_CORDON] = "true"
        self._patch({"metadata": {"annotations": annotations}, "spec": {"unschedulable": True}})

    def release(self, runtime: Runtime) -> bool:
        """Label the node, tell kubeadm, and lift our cordon, in one step; tell whether pods may come now.

        Raises:
            LabError: the API server does not answer.
        """
        kept = KEEP_CORDON in (self.read().metadata.annotations or {})
        annotations = {
            ANNOTATION: runtime.annotation(self._release_of_cluster()),
            MIGRATING: None,
            KEEP_CORDON: None,
        }
        metadata = {"labels": {LABEL: runtime.name}, "annotations": annotations}
        self._patch({"metadata": metadata, "spec": {"unschedulable": kept or None}})
        return not kept

    def _release_of_cluster(self) -> tuple[int, ...]:
        """Return the API server's release, which is that of the kubeadm which made the cluster."""
        from kubernetes import client

        with answering():
            told = client.VersionApi(self.core.api_client).get_code(_request_timeout=REQUEST_SECONDS)
        # Some vendors write a plus sign after the number.
        return int(told.major), int(told.minor.rstrip("+"))

    def _patch(self, body: dict[str, Any]) -> None:
        with answering():
            self.core.patch_node(self.name, body, _request_timeout=REQUEST_SECONDS)
