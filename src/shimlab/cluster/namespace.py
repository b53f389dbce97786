"""A namespace for a notebook or a measurement, with pods bound to nodes of its choice; all of it goes at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from shimlab.clients.kube import answering, core
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.waiting import wait

# In the stores of every node of the lab (lab/node).
IMAGE = "shimlab.local/busybox:1.35"
SLEEP = ("sleep", "86400")
CONTAINER = "app"
SECONDS = 15


class Namespace:
    """A namespace of its own: opened in a notebook's first cell and closed in its last, or for a ``with`` block."""

    def __init__(self, name: str) -> None:
        """Keep the namespace's name; nothing is asked yet."""
        self.name = name

    def __enter__(self) -> Self:
        """Open it."""
        self.open()
        return self

    def __exit__(self, *about: object) -> None:
        """Close it."""
        self.close()

    def open(self) -> None:
        """Make the namespace; one that an interrupted run left is removed first.

        Raises:
            LabError: the API server does not answer, or the namespace is not ready in time.
        """
        self.close()
        with answering():
            core().create_namespace({"metadata": {"name": self.name}}, _request_timeout=SECONDS)
        # Without it the API server refuses pods.
        wait(self._has_account, f"the service account of {self.name}", 30)

    def close(self) -> None:
        """Remove the namespace with everything in it, and wait until it is gone.

        Raises:
            LabError: the API server does not answer, or the namespace does not go in time.
        """
        from kubernetes import client

        try:
            with answering(passing=(404, 409)):
                core().delete_namespace(self.name, _request_timeout=SECONDS)
        except client.ApiException:
            pass  # not there, or on its way already
        wait(lambda: not self.exists(), f"the end of namespace {self.name}")

    def exists(self) -> bool:
        """Tell whether the namespace is there.

        Raises:
            LabError: the API server does not answer.
        """
        with answering():
            return any(
                each.metadata.name == self.name
                for each in core().list_namespace(_request_timeout=SECONDS).items
            )

    def start(
        self,
        pods: Mapping[str, str],
        *,
        command: Sequence[str] = SLEEP,
        container: Mapping[str, Any] | None = None,
        **spec: object,
    ) -> dict[str, Any]:
        """Ask for pods, name → node, each with one container, and return them as the API server made them.

        They go past the scheduler and the taints of their node. ``container`` adds to the container, ``spec`` to the
        pod's specification, in the API's own words.

        Raises:
            LabError: the API server refuses or does not answer.
        """
        return {
            name: self._create(name, pod_spec(node, command, container or {}, **spec))
            for name, node in pods.items()
        }

    def run(self, pods: Mapping[str, str], *, seconds: float = 90, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Start pods as ``start`` does, wait until all are ready, and return them.

        Raises:
            LabError: the API server refuses, or a pod is not ready in time.
        """
        self.start(pods, **more)
        return self.ready(*pods, seconds=seconds)

    def ready(self, *names: str, seconds: float = 90) -> dict[str, Any]:
        """Wait until pods are ready, and return them by name.

        Raises:
            LabError: one is not in time.
        """

        def met() -> dict[str, Any] | None:
            found = {name: self.read(name) for name in names}
            return found if all(is_ready(pod) for pod in found.values()) else None

        return wait(met, f"pods {', '.join(names)} in {self.name}", seconds) or {}

    def read(self, name: str) -> Any:  # noqa: ANN401 - the client has no types
        """Return a pod.

        Raises:
            LabError: it is not there, or the API server does not answer.
        """
        with answering():
            return core().read_namespaced_pod(name, self.name, _request_timeout=SECONDS)

    def remove(self, *names: str) -> None:
        """Remove pods, and wait until the API server knows them no more.

        Raises:
            LabError: the API server does not answer, or one does not go in time.
        """
        for name in names:
            with answering():
                core().delete_namespaced_pod(
                    name, self.name, grace_period_seconds=0, _request_timeout=SECONDS
                )
        wait(lambda: not self._known() & set(names), f"the end of pods {', '.join(names)}")

    def _known(self) -> set[str]:
        with answering():
            found = core().list_namespaced_pod(self.name, _request_timeout=SECONDS).items
        return {each.metadata.name for each in found}

    def _create(self, name: str, spec: dict[str, Any]) -> Any:  # noqa: ANN401
        body = {"metadata": {"name": name}, "spec": spec}
        with answering():
            return core().create_namespaced_pod(self.name, body, _request_timeout=SECONDS)

    def _has_account(self) -> bool:
        with answering():
            return bool(core().list_namespaced_service_account(self.name, _request_timeout=SECONDS).items)


def worker_on(runtime: str) -> str:
    """Return the first worker that was asked to run a runtime (`shimlab status`) and is Ready on it.

    Raises:
        LabError: there is none.
    """
    _, *workers = status.status()
    fit = [each.name for each in workers if each.asked == runtime and each.as_asked and each.ready]
    if not fit:
        raise LabError(
            f"no worker of the lab runs {runtime}",
            f"`shimlab status` tells how they are, and `shimlab node {runtime} NODE` migrates one",
        )
    return fit[0]


def container_id(pod: Any) -> str:  # noqa: ANN401 - the client has no types
    """Return the id of a pod's first container, without the name of its runtime.

    Raises:
        LabError: the pod has no container yet.
    """
    statuses = pod.status.container_statuses or []
    if not statuses or not statuses[0].container_id:
        raise LabError(f"pod {pod.metadata.name} has no container yet", "wait until it is ready")
    return str(statuses[0].container_id).rpartition("//")[2]


def pod_spec(
    node: str, command: Sequence[str], container: Mapping[str, Any], **spec: object
) -> dict[str, Any]:
    """Return what makes a pod with one container run on a node, past the scheduler and what keeps other pods off it."""
    return {
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        # Most programs of ours do not listen to SIGTERM as process 1, and nobody waits for them.
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": CONTAINER,
                "image": IMAGE,
                "imagePullPolicy": "Never",
                "command": list(command),
                **container,
            }
        ],
        **spec,
    }


def is_ready(pod: Any) -> bool:  # noqa: ANN401 - the client has no types
    """Tell whether a pod has containers, and all of them are ready."""
    statuses = pod.status.container_statuses or []
    return bool(statuses) and all(each.ready for each in statuses)
