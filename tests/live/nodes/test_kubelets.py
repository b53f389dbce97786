"""The dockerless kubelet of 1.20, which is 2020's preview of 1.24, put in use on each worker and taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.command import Done, inside
from tests.support.facts import fact
from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM, role
from tests.support.workload import Probed, probed, started_in_docker

from shimlab import evidence
from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.migrate import kubelets
from shimlab.node import exec as node_exec

FULL, DOCKERLESS = "v1.20.15", "v1.20.15-dockerless"


def _shimlab(*arguments: str) -> Done:
    return inside("node", *arguments)


def _ready(name: str) -> bool:
    return next(each.ready for each in status.status() if each.name == name)


@pytest.mark.parametrize("name", [ON_DOCKERSHIM, ON_CONTAINERD], ids=role)
def test_both_kubelets_of_120_lie_on_a_node(name: str) -> None:
    assert _shimlab("kubelet", name).stdout.splitlines() == [f"{FULL} (in use)", DOCKERLESS]
    assert node_exec.run(name, ["kubelet", "--version"]).strip() == f"Kubernetes {FULL}"


def test_without_dockershim_on_docker() -> None:
    refusal = f"failed to run Kubelet: {fact('msg-dockerless')}"
    started, flags = started_in_docker(ON_DOCKERSHIM), evidence.kubelet(ON_DOCKERSHIM).argv
    assert started
    try:
        done = _shimlab("kubelet", ON_DOCKERSHIM, DOCKERLESS)
        assert done.returncode == 1
        assert f"{ON_DOCKERSHIM} is NotReady: kubelet {DOCKERLESS} does not start: {refusal}" in done.stdout
        assert f"shimlab node kubelet {ON_DOCKERSHIM} {FULL}" in done.stdout
        assert not _ready(ON_DOCKERSHIM)
        assert refusal in [each.message for each in evidence.kubelet_log(ON_DOCKERSHIM) if each.level == "F"]
        assert started_in_docker(ON_DOCKERSHIM) == started

        refused = _shimlab("dockershim", ON_DOCKERSHIM)
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 2
        assert DOCKERLESS in refused.stderr
    finally:
        done = _shimlab("kubelet", ON_DOCKERSHIM, FULL)
    assert done.returncode == 0, done.stderr
    assert f"{ON_DOCKERSHIM} is Ready: kubelet {FULL}, docker://" in done.stdout
    # Nor does the control plane keep pods off it any more, which it does for a while after a node is Ready again.
    assert not kube.core().read_node(ON_DOCKERSHIM).spec.taints
    assert _ready(ON_DOCKERSHIM)
    assert evidence.kubelet(ON_DOCKERSHIM).argv == flags
    assert started_in_docker(ON_DOCKERSHIM) == started


@pytest.fixture
def probed_pod(core: Any) -> Iterator[Probed]:
    with probed(core, "default", ON_CONTAINERD) as pod:
        yield pod


def test_without_dockershim_on_containerd(probed_pod: Probed) -> None:
    before, container = evidence.kubelet(ON_CONTAINERD), probed_pod.container()
    try:
        done = _shimlab("kubelet", ON_CONTAINERD, DOCKERLESS)
        assert done.returncode == 0, done.stdout + done.stderr
        # The same container, and it serves again: the kubelet that was started had not probed it yet.
        assert probed_pod.container() == container
        found = evidence.kubelet(ON_CONTAINERD)
        assert found.pid != before.pid
        assert found.argv == before.argv
        running = node_exec.run(ON_CONTAINERD, ["readlink", f"/proc/{found.pid}/exe"]).strip()
        assert running == f"{kubelets.FOLDER}/{DOCKERLESS}"
        assert {each.runtime for each in evidence.runtime_of(ON_CONTAINERD)} == {"containerd"}
    finally:
        done = _shimlab("kubelet", ON_CONTAINERD, FULL)
    assert done.returncode == 0, done.stderr
    assert probed_pod.container() == container
    assert evidence.kubelet(ON_CONTAINERD).argv == before.argv


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (("kubelet", ON_DOCKERSHIM, "v1.9.0"), "no kubelet v1.9.0", DOCKERLESS),
        (("kubelet", ON_DOCKERSHIM, "newest"), "no kubelet newest", FULL),
        (("kubelet", "nowhere"), "no node nowhere", ON_DOCKERSHIM),
        (("upgrade", ON_DOCKERSHIM), f"no newer kubelet than {FULL}", "--lab removed"),
        (("downgrade", ON_DOCKERSHIM), f"no older kubelet than {FULL}", "--lab removed"),
    ],
    ids=role,
)
def test_what_is_not_there_is_answered_in_two_lines(
    arguments: tuple[str, ...], what: str, remedy: str
) -> None:
    done = _shimlab(*arguments)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert what in first
    assert remedy in second
