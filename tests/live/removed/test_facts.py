"""What facts/ says of the kubelets around the removal, read there and seen here.

They run by hand on machines of their releases' node images, which are no nodes of any cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support import by_hand
from tests.support.facts import fact, pattern

from shimlab.notebook import standalone

LAST, FIRST = "v1.23.17", "v1.24.17"


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    with standalone.machine("1.23") as name:
        yield name


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kubelet", [LAST, FIRST])
def test_flags(machine: str, kubelet: str) -> None:
    said, found = by_hand.states_of_flags(machine, kubelet)
    assert found == said


def test_last_start_with_dockershim(machine: str) -> None:
    by_hand.use(machine, LAST)
    log = by_hand.log_of_a_start(machine, "--network-plugin=cni", "--v=2")
    for message in ("msg-deprecated", "msg-flag-deprecated", "msg-start-grpc"):
        assert pattern(message).search(log), message


def test_first_start_without_dockershim(machine: str) -> None:
    by_hand.use(machine, FIRST)
    path = fact("socket-containerd")
    log = by_hand.log_of_a_start(machine, "--v=2", f"--container-runtime-endpoint={path}")
    for message in ("msg-cri-v1-chosen", "msg-endpoint-deprecated-remote"):
        assert pattern(message).search(log), message


@pytest.mark.parametrize(
    ("message", "flags"),
    [
        ("msg-unknown-flag", ["--network-plugin=cni"]),
        ("msg-unsupported-runtime", ["--container-runtime=docker"]),
        ("msg-missing-address", []),
    ],
)
def test_refused_starts_without_dockershim(machine: str, message: str, flags: list[str]) -> None:
    by_hand.use(machine, FIRST)
    assert pattern(message).search(standalone.says(machine, *flags, cgroup_v1=False))


def test_kubeadm_and_several_sockets(machine: str) -> None:
    with by_hand.also_at(machine, fact("socket-containerd"), fact("socket-crio")):
        said = by_hand.kubeadm(machine, "v1beta3", f"v{fact('k8s-lab-removed')}")
    assert pattern("msg-kubeadm-multiple").search(said)
