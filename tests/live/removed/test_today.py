"""A kubelet of today, run by hand on a machine of yesterday: what it says to its flags, sockets and cgroups.

The machine is one container of release 1.37's node image, and no node of any cluster. On it run Docker, containerd
and the dockershim out of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support import by_hand
from tests.support.facts import fact, pattern

from shimlab.migrate import kubelets
from shimlab.node import exec as node_exec
from shimlab.notebook import standalone
from shimlab.waiting import wait

CONTAINERD = "unix:///run/containerd/containerd.sock"
DOCKER = "unix:///var/run/docker.sock"
OUT_OF_TREE = "unix:///run/dockershim-out-of-tree.sock"


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    with standalone.machine() as name:
        yield name


@pytest.mark.timeout(1800)
def test_it_is_the_kubelet_of_today(machine: str) -> None:
    assert node_exec.run(machine, ["kubelet", "--version"]).strip() == f"Kubernetes v{fact('k8s-lab-today')}"


def test_flags(machine: str) -> None:
    said, found = by_hand.states_of_flags(machine, f"v{fact('k8s-lab-today')}")
    assert found == said


@pytest.mark.parametrize(
    ("message", "flag"),
    [
        ("msg-unknown-runtime-flag", "flag-container-runtime-remote"),
        ("msg-unknown-flag", "flag-network-plugin"),
    ],
)
def test_yesterdays_flags_are_unknown(machine: str, message: str, flag: str) -> None:
    given = fact(flag) if "=" in fact(flag) else f"{fact(flag)}=cni"
    assert fact(message) in standalone.says(machine, f"--container-runtime-endpoint={CONTAINERD}", given)


def test_dockers_own_socket_speaks_another_language(machine: str) -> None:
    def says(words: str) -> bool:
        said = standalone.says(machine, f"--container-runtime-endpoint={DOCKER}")
        refused = f'validate CRI v1 runtime API for endpoint "{DOCKER}": rpc error: code = Unavailable'
        assert refused in said
        return words in said

    # Docker answers in HTTP/1.1 and hangs up. Where it does so before the kubelet has written all, only the broken pipe
    # is told: two times of twelve.
    wait(
        lambda: says(fact("msg-not-http2")),
        "its words",
        60,
    )


def test_the_dockershim_out_of_the_tree_speaks_an_older_one(machine: str) -> None:
    said = standalone.says(machine, f"--container-runtime-endpoint={OUT_OF_TREE}")
    assert fact("msg-unknown-service") in said


def test_it_does_not_run_on_cgroup_v1_unless_it_is_told_to(machine: str) -> None:
    if (
        node_exec.run(machine, ["stat", "--file-system", "--format=%T", "/sys/fs/cgroup"]).strip()
        == "cgroup2fs"
    ):
        pytest.skip("this host has cgroup v2")
    said = standalone.says(machine, f"--container-runtime-endpoint={CONTAINERD}", cgroup_v1=False)
    assert fact("msg-cgroup-v1") in said


def test_it_runs_on_the_containerd_of_yesterday(machine: str) -> None:
    command = standalone.command(machine, f"--container-runtime-endpoint={CONTAINERD}")
    node_exec.run(machine, ["systemd-run", "--quiet", "--unit=kubelet-by-hand", *command])
    try:
        wait(lambda: kubelets.healthy(machine), "the kubelet's health", 60)
        log = node_exec.run(machine, ["journalctl", "--unit=kubelet-by-hand", "--output=cat"])
        assert '"Container runtime initialized" containerRuntime="containerd" version="1.6' in log
        assert pattern("msg-cgroup-driver-fallback").search(log)
    finally:
        node_exec.run(machine, ["systemctl", "stop", "kubelet-by-hand"])
