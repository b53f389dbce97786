"""The drain of a node: the pods that can go elsewhere are evicted, and waited for.

Sources: Kubernetes documentation, "Safely Drain a Node" and "API-initiated Eviction" (429: a budget forbids it now).
"""

from __future__ import annotations

from typing import Any

from shimlab.clients.kube import answering
from shimlab.migrate.node_api import REQUEST_SECONDS, NodeApi
from shimlab.migrate.pods import called, sorted_out
from shimlab.progress import Step
from shimlab.waiting import until


def evict(api: NodeApi, current: Step, seconds: float, *, alive: bool) -> None:
    """Evict the pods of a node that can go elsewhere and wait until they are gone.

    Where no kubelet is ``alive`` to stop them they are taken out of the API at once: their containers are removed
    with all others of the node.

    Raises:
        LabError: one is still there after ``seconds``.
    """
    with answering():
        from kubernetes import client

        versions = client.PolicyApi(api.core.api_client).get_api_group(_request_timeout=REQUEST_SECONDS)
    # The Eviction of policy/v1 came with 1.22, the version itself with 1.21, which is no release of the lab.
    newest = "policy/v1" if "v1" in [each.version for each in versions.versions] else "policy/v1beta1"

    def left() -> list[str]:
        pods, _ = sorted_out(api.pods())
        return [f"{called(pod)} {_send_away(api, pod, newest, alive=alive)}" for pod in pods]

    until(current, seconds, left)


def _send_away(api: NodeApi, pod: Any, version: str, *, alive: bool) -> str:  # noqa: ANN401
    from kubernetes import client

    name, namespace = pod.metadata.name, pod.metadata.namespace
    if pod.metadata.deletion_timestamp and alive:
        return "ends"
    try:
        with answering(passing=(404, 409, 429)):
            if alive:
                api.core.create_namespaced_pod_eviction(
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
                api.core.delete_namespaced_pod(
                    name,
                    namespace,
                    body={"gracePeriodSeconds": 0, "preconditions": {"uid": pod.metadata.uid}},
                    _request_timeout=REQUEST_SECONDS,
                )
    except client.ApiException as error:
        return "may not go: its disruption budget forbids it" if error.status == 429 else "is gone"
    return "ends"
