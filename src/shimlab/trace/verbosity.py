"""Make a node's kubelet and dockerd write down every call, without starting either of them again; and back.

Source: Kubernetes v1.20.15, pkg/kubelet/server/server.go (PUT /debug/flags/v sets klog's level).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shimlab import evidence
from shimlab.clients import docker, dockerd, kube
from shimlab.errors import LabError

# From this level on the kubelet writes a line before each CRI call and after it.
EVERY_CALL = 10
TIMEOUT = 20


@contextmanager
def kubelet_writes_every_call(name: str) -> Iterator[None]:
    """Raise the level of a node's kubelet while the block runs.

    Raises:
        LabError: the kubelet does not answer.
    """
    before = int(evidence.kubelet(name).flags.get("v", 0))
    _set_level(name, EVERY_CALL)
    try:
        yield
    finally:
        _set_level(name, before)


@contextmanager
def dockerd_writes_every_call(name: str) -> Iterator[None]:
    """Let a node's dockerd debug while the block runs; where none runs nothing is done.

    Raises:
        LabError: the node cannot be written, or dockerd does not take its configuration.
    """
    if not docker.runs(name):
        yield
        return
    with dockerd.switched_on(name, "debug"):
        yield


def _set_level(name: str, level: int) -> None:
    with kube.answering(remedy=f"see how the kubelet is: journalctl -u kubelet, in {name}"):
        client = kube.core().api_client
        url = f"{client.configuration.host}/api/v1/nodes/{name}/proxy/debug/flags/v"
        answer = client.call_api(
            "PUT", url, {"Content-Type": "text/plain"}, str(level), _request_timeout=TIMEOUT
        )
        answer.read()
    if answer.status != 200:
        raise LabError(
            f"{name}: the kubelet does not set its level ({answer.status} {answer.reason})",
            "its configuration has to allow it: enableDebuggingHandlers",
        )
