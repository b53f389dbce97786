"""Recordings on the running lab: they hear every call of a pod's start, and leave both daemons as they were."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shimlab import evidence, trace
from shimlab.clients import docker, dockerd
from shimlab.cluster.namespace import Namespace, container_id, worker_on
from shimlab.node import exec as node_exec

CALLS = ["RunPodSandbox", "CreateContainer", "StartContainer"]
NAMESPACE = {"dockershim": "moby", "containerd": "k8s.io"}


@pytest.fixture(scope="module")
def stage() -> Iterator[Namespace]:
    with Namespace(f"recording-{uuid.uuid4().hex[:6]}") as opened:
        yield opened


def _pid(name: str, unit: str) -> str:
    return node_exec.run(name, ["systemctl", "show", "--property=MainPID", "--value", unit]).strip()


def _left(name: str) -> tuple[str, ...]:
    """What a recording could leave behind: the daemons' processes, dockerd's files, whether it debugs."""
    files = node_exec.run(name, ["sh", "-c", "ls /etc/docker; cat /etc/docker/daemon.json"])
    units = tuple(_pid(name, unit) for unit in ("kubelet", "docker", "containerd"))
    return (*units, files, str(dockerd.is_on(name, "debug")))


@pytest.mark.parametrize("runtime", NAMESPACE)
def test_a_pods_start_is_heard_in_order_and_nothing_stays_switched_on(runtime: str, stage: Namespace) -> None:
    name = worker_on(runtime)
    before = _left(name)
    with trace.of(name) as tape:
        tape.mark("now")
        (pod,) = stage.run({f"heard-{runtime}": name}).values()
        tape.note()
    heard = tape.of_pod(pod.metadata.uid)
    assert [each.call for each in heard if each.by == "kubelet"] == CALLS
    assert heard[0].call == "now"
    assert [each.time for each in heard] == sorted(each.time for each in heard)
    # Those who hold the container say so themselves: containerd by its events, under whichever client's namespace.
    started = [each for each in heard if each.call == "/tasks/start" and container_id(pod) in each.about]
    assert [each.namespace for each in started] == [NAMESPACE[runtime]]
    asked = [each.call for each in heard if each.by == "dockerd" and each.call.startswith("POST")]
    assert bool(asked) == (runtime == "dockershim")
    assert _left(name) == before
    since = datetime.fromtimestamp(float(node_exec.run(name, ["date", "+%s.%N"])), UTC)
    stage.remove(pod.metadata.name)
    assert not [each for each in evidence.kubelet_log(name, since=since) if "RuntimeService]" in each.message]


def test_what_happens_in_the_block_goes_on_and_both_are_set_back(stage: Namespace) -> None:
    name = worker_on("dockershim")
    before = _left(name)
    with pytest.raises(ZeroDivisionError):
        _fails_while_recorded(name)
    assert _left(name) == before


def _fails_while_recorded(name: str) -> None:
    with trace.of(name):
        assert dockerd.is_on(name, "debug")
        _ = 1 // 0


def test_dockerd_takes_a_setting_and_gives_it_back_without_losing_anything() -> None:
    name = worker_on("dockershim")
    before, (info,) = _left(name), docker.get(name, "/info")
    with dockerd.switched_on(name, "live-restore"):
        assert dockerd.is_on(name, "live-restore")
        (during,) = docker.get(name, "/info")
    (after,) = docker.get(name, "/info")
    assert not dockerd.is_on(name, "live-restore")
    assert _left(name) == before
    for key in ("Runtimes", "DefaultRuntime", "ContainersRunning", "CgroupDriver"):
        assert info[key] == during[key] == after[key]


def test_a_file_that_an_interrupted_run_left_is_put_right() -> None:
    name = worker_on("dockershim")
    before = _left(name)
    file, aside = dockerd.FILE, f"{dockerd.FILE}.before-debug"
    # As after a kill within the block: the file says debug, and the one before it lies aside.
    script = 'cp -p "$1" "$2" && jq ".debug = true" "$2" >"$1"'
    node_exec.run(name, ["sh", "-euc", script, "sh", file, aside])
    with dockerd.switched_on(name, "debug"):
        assert dockerd.is_on(name, "debug")
    assert _left(name) == before
