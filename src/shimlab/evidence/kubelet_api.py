"""What a kubelet says through the API server: its configuration in force, cAdvisor's metrics, and its probes.

Sources: Kubernetes v1.20.15, pkg/kubelet/server/server.go (/configz, /metrics/cadvisor and /metrics/probes, which the
API server passes on under /api/v1/nodes/NAME/proxy); pkg/kubelet/apis/config (KubeletConfiguration). The metrics come
in Prometheus' text format, whose own library reads it: its escapes, its numbers and its old and new form are that
library's to know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shimlab.clients import kube
from shimlab.node.procfs import pod_and_container

TIMEOUT = 20


@dataclass(frozen=True)
class KubeletConfig:
    """A kubelet's configuration in force: its file, its flags and its defaults together.

    ``settings`` is all of it as the API has it. Before 1.27 the runtime's endpoint is no part of it, but a flag
    (shimlab.evidence.kubelet).
    """

    cgroup_driver: str
    cgroup_root: str
    cgroups_per_qos: bool
    static_pod_path: str
    endpoint: str
    settings: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Sample:
    """One sample of a metric: its name, its labels, its value and, where told, its time in seconds since 1970."""

    columns: ClassVar = ("name", "pod", "container", "cgroup", "value")

    name: str
    labels: Mapping[str, str] = field(hash=False)
    value: float
    time: float | None = None

    @property
    def cgroup(self) -> str:
        """Return the cgroup that cAdvisor measured."""
        return self.labels.get("id", "")

    @property
    def pod_uid(self) -> str | None:
        """Return the UID of the pod that the cgroup belongs to."""
        return pod_and_container(self.cgroup)[0]

    @property
    def container_id(self) -> str | None:
        """Return the id of the container that the cgroup belongs to."""
        return pod_and_container(self.cgroup)[1]

    @property
    def pod(self) -> str:
        """Return namespace/name of the pod, as the kubelet labels it; empty where it does not."""
        pod = self.labels.get("pod", "")
        return f"{self.labels.get('namespace', '')}/{pod}" if pod else ""

    @property
    def container(self) -> str:
        """Return the container's name in its pod, as the kubelet labels it; empty for a pod or a sandbox."""
        return self.labels.get("container", "")


def kubelet_config(node: str) -> KubeletConfig:
    """Ask a node's kubelet for its configuration, through the API server.

    Raises:
        LabError: the API server or the kubelet does not answer.
    """
    return parse_config(json.loads(_get(node, "configz")))


def cadvisor(node: str, name: str | None = None) -> list[Sample]:
    """Return cAdvisor's samples of a node, through the API server; only those of one metric if it is named.

    Raises:
        LabError: the API server or the kubelet does not answer.
    """
    return parse_metrics(_get(node, "metrics/cadvisor"), name)


def probes(node: str) -> list[Sample]:
    """Return how often a node's kubelet probed each container since it was started; labels: probe_type, result.

    Raises:
        LabError: the API server or the kubelet does not answer.
    """
    return parse_metrics(_get(node, "metrics/probes"), "prober_probe_total")


def parse_config(answer: Mapping[str, Any]) -> KubeletConfig:
    """Read the answer of /configz."""
    settings = answer["kubeletconfig"]
    return KubeletConfig(
        cgroup_driver=settings.get("cgroupDriver", ""),
        cgroup_root=settings.get("cgroupRoot", ""),
        cgroups_per_qos=bool(settings.get("cgroupsPerQOS")),
        static_pod_path=settings.get("staticPodPath", ""),
        endpoint=settings.get("containerRuntimeEndpoint", ""),
        settings=settings,
    )


def parse_metrics(answer: str, name: str | None = None) -> list[Sample]:
    """Read Prometheus' text format."""
    from prometheus_client.parser import text_string_to_metric_families

    return [
        Sample(sample.name, sample.labels, sample.value, _seconds(sample.timestamp))
        for family in text_string_to_metric_families(answer)
        for sample in family.samples
        if name is None or sample.name == name
    ]


def _seconds(stamp: Any) -> float | None:  # noqa: ANN401 - the library's own type, or a number
    return None if stamp is None else float(stamp)


def _get(node: str, path: str) -> str:
    with kube.answering(remedy=f"see how the kubelet is: journalctl -u kubelet, in {node}"):
        # Raw: the client would take JSON for an object and give it back in Python's own notation.
        answer = kube.core().connect_get_node_proxy_with_path(
            node, path, _preload_content=False, _request_timeout=TIMEOUT
        )
        return str(answer.data.decode())
