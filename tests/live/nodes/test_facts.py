"""What facts/ says of the kubelet of the deprecation and of the sockets around it, read there and seen here.

The kubelet runs by hand on a machine of its release's node image, no node of any cluster; the sockets are the lab's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support import by_hand
from tests.support.facts import fact, pattern, whole

from shimlab import evidence
from shimlab.cluster import status
from shimlab.node import exec as node_exec
from shimlab.notebook import standalone

KUBELET, DOCKERLESS = "v1.20.15", "v1.20.15-dockerless"
ON_DOCKER = "--network-plugin=cni"


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    with standalone.machine("1.20") as name:
        yield name


@pytest.fixture(autouse=True)
def full_kubelet(machine: str) -> None:
    by_hand.use(machine, KUBELET)


@pytest.mark.timeout(900)
def test_flags(machine: str) -> None:
    said, found = by_hand.states_of_flags(machine, KUBELET)
    assert found == said


def test_start_on_dockershim(machine: str) -> None:
    path = fact("socket-dockershim")
    log = by_hand.log_of_a_start(machine, ON_DOCKER, "--v=2", f"--container-runtime-endpoint={path}")
    for message in (
        "msg-deprecated",
        "msg-start-connecting",
        "msg-start-hairpin-fallback",
        "msg-start-network",
        "msg-start-cgroup",
        "msg-start-grpc",
        "msg-endpoint-deprecated-old",
    ):
        assert pattern(message).search(log), message


@pytest.mark.parametrize(
    ("message", "kubelet", "flags"),
    [
        ("msg-cgroup-mismatch", KUBELET, ["--cgroup-driver=systemd", "--cgroup-root=/"]),
        ("msg-docker-version", KUBELET, ["--docker-endpoint=unix:///run/nobody.sock"]),
        ("msg-dockerless", DOCKERLESS, []),
        (
            "msg-infra-image-ignored",
            KUBELET,
            ["--container-runtime=remote", "--pod-infra-container-image=x", "--config=/run/nothing.yaml"],
        ),
    ],
)
def test_refused_starts(machine: str, message: str, kubelet: str, flags: list[str]) -> None:
    by_hand.use(machine, kubelet)
    assert pattern(message).search(standalone.says(machine, *flags, cgroup_v1=False))


def test_kubeadm_and_docker(machine: str) -> None:
    said = by_hand.kubeadm(machine, "v1beta2", f"v{fact('k8s-lab')}", fact("socket-dockershim"))
    assert pattern("msg-kubeadm-docker-version").search(said)


def test_kubeadm_and_several_sockets(machine: str) -> None:
    with by_hand.also_at(machine, fact("socket-containerd"), fact("socket-crio")):
        said = by_hand.kubeadm(machine, "v1beta2", f"v{fact('k8s-lab')}")
    assert pattern("msg-kubeadm-multiple-old").search(said)


@pytest.mark.parametrize(
    ("socket", "runtime", "program"),
    [
        ("socket-dockershim", "dockershim", "kubelet"),
        ("socket-docker", "dockershim", "dockerd"),
        ("socket-containerd", "containerd", "containerd"),
        ("socket-containerd-ttrpc", "containerd", "containerd"),
    ],
)
def test_sockets(socket: str, runtime: str, program: str) -> None:
    node = next(
        each.name for each in status.status() if each.asked == runtime and each.name != status.nodes()[0]
    )
    (found,) = evidence.sockets_at(node, [fact(socket)])
    assert program in {each.comm for each in found.listeners}
    component = whole(socket).component
    assert component
    assert program in component["en"]


def test_shim_sockets() -> None:
    name = re.compile(re.escape(fact("socket-shim")).replace("<sha256>", "[0-9a-f]{64}"))
    for node in status.nodes():
        shims = [each for each in evidence.processes(node) if each.comm.startswith("containerd-shim")]
        paths = {
            each.path
            for each in evidence.unix_sockets(node)
            if each.listening and any(owner.comm == "containerd-shim" for owner in each.owners)
        }
        assert shims
        assert all(name.fullmatch(path) for path in paths), paths
        assert len(paths) == len(shims)


def test_versions_of_the_lab() -> None:
    for each in status.status():
        assert each.kubelet == f"v{fact('k8s-lab')}"
        runtime, _, version = each.runtime.partition("://")
        assert version.partition("+")[0] == fact("lab-docker" if runtime == "docker" else "lab-containerd")
    assert (
        node_exec.run(status.nodes()[0], ["kubelet", "--version"]).strip() == f"Kubernetes v{fact('k8s-lab')}"
    )
