"""When a node with another kubelet counts as Ready again."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from shimlab.cluster import status
from shimlab.migrate import upgrade
from shimlab.migrate.kubelets import Kubelet
from shimlab.progress import step


def node(*taints: str, ready: str = "True", kubelet: str = "v1.20.15") -> Any:
    condition = SimpleNamespace(type="Ready", status=ready, last_heartbeat_time=datetime.now(UTC))
    return SimpleNamespace(
        spec=SimpleNamespace(taints=[SimpleNamespace(key=key) for key in taints] or None),
        status=SimpleNamespace(conditions=[condition], node_info=SimpleNamespace(kubelet_version=kubelet)),
    )


def test_a_cordoned_node_is_not_kept_off_by_the_control_plane() -> None:
    assert status.kept_off(node()) == []
    assert status.kept_off(node("node.kubernetes.io/unschedulable", "shimlab/mine")) == []
    assert status.kept_off(node("node.kubernetes.io/unreachable")) == [
        "it is tainted node.kubernetes.io/unreachable"
    ]


def test_it_is_waited_for_until_pods_may_come() -> None:
    states = [
        node("node.kubernetes.io/unreachable", ready="Unknown"),
        node("node.kubernetes.io/unreachable"),
        node(),
    ]
    asked: list[Any] = []

    def read() -> Any:
        asked.append(states[len(asked)])
        return asked[-1]

    with step("waiting") as current:
        upgrade._noticed(
            SimpleNamespace(read=read),  # type: ignore[arg-type]
            Kubelet("v1.20.15"),
            0,
            ready=True,
            current=current,
        )
    assert asked == states
