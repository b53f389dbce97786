"""A worker's kubelet goes past dockershim, live: what it says, what runs on, and each way out of it.

The lab is `removed`: its last worker has kubelet 1.23.17 on the dockershim that is built into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.command import Done, inside
from tests.support.facts import fact
from tests.support.lab import ON_CONTAINERD, ON_DOCKERSHIM
from tests.support.workload import kubectl, ready, started_in_docker

from shimlab import evidence
from shimlab.kubelet_flags import KUBEADM_FLAGS
from shimlab.migrate import kubelets, migrate
from shimlab.node import exec as node_exec
from shimlab.snippets.state import marks
from shimlab.waiting import wait

WORKER = ON_DOCKERSHIM
LAST, FIRST = "v1.23.17", "v1.24.17"


@pytest.fixture
def as_made(core: Any) -> Iterator[dict[str, Any]]:
    """The worker as the lab made it, and the same again after the test, however that went."""
    before = _state(core)
    assert before["kubelet"] == LAST
    try:
        yield before
    finally:
        if kubelets.in_use(WORKER).name != LAST:
            kubelets.put(WORKER, kubelets.Kubelet(LAST))
            _write_flags(before["flags"])
            node_exec.run(WORKER, ["systemctl", "restart", "kubelet"])
        migrate.migrate(WORKER, "dockershim")
        assert _state(core) == before


def _state(core: Any) -> dict[str, Any]:
    found = core.read_node(WORKER)
    return {
        **marks(found),
        "kubelet": found.status.node_info.kubelet_version,
        "runtime": found.status.node_info.container_runtime_version,
        "flags": node_exec.run(WORKER, ["cat", KUBEADM_FLAGS]),
    }


def _shimlab(*arguments: str) -> Done:
    return inside("node", *arguments)


def _status(core: Any) -> tuple[str, str, str]:
    found = core.read_node(WORKER).status
    ready_ = next(each.status for each in found.conditions if each.type == "Ready")
    info = found.node_info
    return ready_, info.kubelet_version, info.container_runtime_version.partition("://")[0]


def _pods_ready(core: Any, namespace: str) -> set[tuple[str, bool]]:
    """Tell of the namespace's pods on the worker whether each counts as ready, and whether its container does."""
    pods = core.list_namespaced_pod(namespace, field_selector=f"spec.nodeName={WORKER}").items
    return {
        (
            next(each.status for each in pod.status.conditions if each.type == "Ready"),
            pod.status.container_statuses[0].ready,
        )
        for pod in pods
    }


def _write_flags(text: str) -> None:
    node_exec.run(WORKER, ["sh", "-c", f"cat >{KUBEADM_FLAGS}"], input=text)


def _last_words_with(flags: str) -> str:
    """Start the kubelet with other flags, and return what it says when it ends."""
    _write_flags(flags)
    began = float(node_exec.run(WORKER, ["date", "+%s.%N"]))
    node_exec.run(WORKER, ["systemctl", "restart", "kubelet"])
    said = ""

    def ended() -> bool:
        nonlocal said
        said = kubelets.last_words(WORKER, began)
        return bool(said)

    wait(ended, "the kubelet's last words", 60)
    return said


def _upgraded(started: dict[str, str]) -> None:
    """Upgrade the kubelet and see what everybody saw: it does not start, and all containers run on."""
    done = _shimlab("upgrade", WORKER)
    assert done.returncode == 1, done.stderr
    first, second, *ways = done.stdout.splitlines()
    assert first == f"{WORKER} is NotReady: kubelet {FIRST} does not start: {fact('msg-unknown-flag')}"
    of = second.split()
    assert of[0] == of[2] != "0"
    assert "containers run on, with no kubelet" in second
    assert [way.split()[3] for way in ways] == ["downgrade", "dockershim-out-of-tree", "containerd"]
    assert started_in_docker(WORKER) == started


@pytest.mark.timeout(600)
def test_what_the_new_kubelet_says_and_that_all_containers_run_on(
    core: Any, apps: Any, namespace: str, as_made: dict[str, Any]
) -> None:
    assert (f"v{fact('k8s-lab-last')}", f"v{fact('k8s-lab-removed')}") == (LAST, FIRST)
    started = started_in_docker(WORKER)
    # Two pods of the namespace at the least, kube-proxy, and a sandbox for each.
    assert len(started) >= 6
    _upgraded(started)
    # Unknown at first, since nobody reports any more; the old kubelet's version is the last that was told.
    assert _status(core) == ("Unknown", LAST, "docker")
    assert node_exec.run(WORKER, ["cat", KUBEADM_FLAGS]) == as_made["flags"]
    # The control plane takes its pods out of service: their containers were ready when last heard of, they are not.
    wait(lambda: _pods_ready(core, namespace) == {("False", True)}, "the pods to be out of service")
    refused = _shimlab("dockershim", WORKER)
    assert refused.returncode == 1
    assert f"its kubelet {FIRST} has none" in refused.stderr

    without = as_made["flags"].replace("--network-plugin=cni ", "")
    assert without != as_made["flags"]
    assert _last_words_with(without) == fact("msg-missing-address")
    assert _last_words_with(without.replace('="', '="--container-runtime=docker ')) == fact(
        "msg-unsupported-runtime"
    )
    assert started_in_docker(WORKER) == started

    # The dockershim out of the tree needs nothing to be started again, whatever the flags are by now.
    done = _shimlab("dockershim-out-of-tree", WORKER, "--keep-pods")
    assert done.returncode == 0, done.stderr
    assert _status(core) == ("True", FIRST, "docker")
    assert started_in_docker(WORKER) == started
    wait(lambda: ready(apps, namespace), "the test's pods")
    pods = [each for each in core.list_namespaced_pod(namespace).items if each.spec.node_name == WORKER]
    assert {
        each.container_id.removeprefix("docker://") for pod in pods for each in pod.status.container_statuses
    } <= set(started)
    assert {each.restart_count for pod in pods for each in pod.status.container_statuses} == {0}
    run = ["--namespace", namespace, "exec", pods[0].metadata.name, "--", "echo", "from inside"]
    assert kubectl(*run) == "from inside\n"
    initialized = [
        each.message
        for each in evidence.kubelet_log(WORKER, since="start")
        if "Container runtime initialized" in each.message
    ]
    assert initialized
    assert 'containerRuntime="docker"' in initialized[0]

    # Back the way it came, and still nothing was started again.
    done = _shimlab("downgrade", WORKER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{WORKER} is Ready: kubelet {LAST}, docker://" in done.stdout
    done = _shimlab("dockershim", WORKER, "--keep-pods")
    assert done.returncode == 0, done.stderr
    assert started_in_docker(WORKER) == started
    assert _state(core) == as_made


@pytest.mark.timeout(600)
def test_out_through_containerd(core: Any, apps: Any, namespace: str, as_made: dict[str, Any]) -> None:
    started = started_in_docker(WORKER)
    _upgraded(started)
    done = _shimlab("containerd", WORKER)
    assert done.returncode == 0, done.stderr
    assert _status(core) == ("True", FIRST, "containerd")
    assert {each.runtime for each in evidence.runtime_of(WORKER)} == {"containerd"}
    assert (
        core.read_node(WORKER).metadata.annotations[fact("annotation-cri-socket")]
        == "unix:///run/containerd/containerd.sock"
    )
    # Nothing runs twice.
    assert started_in_docker(WORKER) == {}
    wait(lambda: ready(apps, namespace), "the test's pods")

    done = _shimlab("downgrade", WORKER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _status(core) == ("True", LAST, "containerd")
    done = _shimlab("dockershim", WORKER)
    assert done.returncode == 0, done.stderr
    assert _state(core) == as_made


@pytest.mark.timeout(600)
def test_back_to_the_release_before(core: Any, namespace: str, as_made: dict[str, Any]) -> None:
    started = started_in_docker(WORKER)
    _upgraded(started)
    done = _shimlab("downgrade", WORKER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{WORKER} is Ready: kubelet {LAST}, docker://" in done.stdout
    assert started_in_docker(WORKER) == started
    assert _state(core) == as_made


def test_there_is_nothing_newer_than_the_newest() -> None:
    done = _shimlab("upgrade", ON_CONTAINERD)
    assert done.returncode == 1
    assert f"no newer kubelet than {FIRST}" in done.stderr
