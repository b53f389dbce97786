"""The pod that a fault is shown with: many a broken node looks well until one is started there."""

from __future__ import annotations

from typing import Any

from shimlab.clients.kube import answering, core
from shimlab.cluster.namespace import is_ready, pod_spec
from shimlab.errors import LabError

PROGRAM = "sleep"
NAMESPACE = "default"
SECONDS = 15


class FaultPod:
    """A pod of ours, bound to one node."""

    def __init__(self, node: str) -> None:
        """Name it after its node; nothing is asked yet."""
        self.node = node
        self.name = f"fault-{node}"

    def start(self) -> None:
        """Ask for it, unless it is there.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        from kubernetes import client

        container = {"name": "wait", "imagePullPolicy": "IfNotPresent"}
        body = {
            "metadata": {"name": self.name, "labels": {"app": "shimlab-fault"}},
            "spec": pod_spec(self.node, [PROGRAM, "1000000"], container),
        }
        try:
            with answering(passing=(409,)):
                core().create_namespaced_pod(NAMESPACE, body, _request_timeout=SECONDS)
        except client.ApiException:
            return

    def remove(self) -> None:
        """Ask for its end, if it is there.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        from kubernetes import client

        try:
            with answering(passing=(404,)):
                core().delete_namespaced_pod(self.name, NAMESPACE, _request_timeout=SECONDS)
        except client.ApiException:
            return

    def read(self) -> Any:  # noqa: ANN401 - the client has no types
        """Return it, or None where it is not there.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        from kubernetes import client

        try:
            with answering(passing=(404,)):
                return core().read_namespaced_pod(self.name, NAMESPACE, _request_timeout=SECONDS)
        except client.ApiException:
            return None

    def again(self) -> None:
        """Start it where it is not there; where it runs, take it away, so that the next call starts another.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        if self.read() is None:
            self.start()
        elif self.running():
            self.remove()

    def running(self) -> bool:
        """Tell whether its container runs.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        found = self.read()
        return found is not None and is_ready(found)

    def event(self, *parts: str) -> tuple[str, str]:
        """Return reason and message of the first of its events with all of the ``parts``; two empty ones if none.

        Raises:
            LabError: it is not there, or the API server refuses or does not answer.
        """
        found = self.read()
        if found is None:
            raise LabError(f"the pod {NAMESPACE}/{self.name} is not there", "`shimlab repair`, then again")
        with answering():
            events = (
                core()
                .list_namespaced_event(
                    NAMESPACE,
                    field_selector=f"involvedObject.uid={found.metadata.uid}",
                    _request_timeout=SECONDS,
                )
                .items
            )
        for each in events:
            if all(part in f"{each.reason} {each.message}" for part in parts):
                return each.reason, each.message
        return "", ""
