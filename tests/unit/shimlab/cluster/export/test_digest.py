"""The digest answers why a node is not as it should be: told from what was seen, without a lab."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shimlab.cluster.export.digest import LINES, WIDTH, digest
from shimlab.cluster.export.inside import Node
from shimlab.node.procfs import Process

NODE = "shimlab-worker2"
LOST, KNOWN, POD = (letter * 64 for letter in "abc")
BEGAN = datetime(2026, 11, 29, 5, 30, tzinfo=UTC)
UNITS = """Id=kubelet.service
ActiveState=inactive
Result=success

Id=containerd.service
ActiveState=active
Result=success

Id=docker.service
ActiveState=failed
Result=timeout
"""


def process(pid: int, ppid: int, comm: str, *argv: str) -> Process:
    return Process(pid, ppid, comm, argv, BEGAN, (), state="S")


def shim(pid: int, namespace: str, id: str) -> Process:
    argv = ("/usr/bin/containerd-shim-runc-v2", "-namespace", namespace, "-id", id)
    return process(pid, 1, "containerd-shim", *argv)


def said(time: str, program: str, pid: int, message: str) -> str:
    return f"2026-11-29T{time}.000001+0000 {NODE} {program}[{pid}]: {message}\n"


def left_behind() -> Node:
    """A node that migrates to containerd: in namespace moby one shim is left that docker does not know any more."""
    return Node(
        NODE,
        processes=[
            process(1, 0, "systemd", "/sbin/init"),
            shim(70, "moby", LOST),
            shim(80, "moby", KNOWN),
            process(81, 80, "pause", "/pause"),
            shim(90, "k8s.io", POD),
            process(91, 90, "pause", "/pause"),
            shim(92, "k8s.io", "d" * 64),
            process(93, 92, "pause", "/pause"),
            shim(94, "k8s.io", "e" * 64),
            process(95, 94, "pause", "/pause"),
        ],
        told={
            "units": UNITS,
            "docker-ps": f"{KNOWN}\trunning\tk8s_POD_web\tUp 2 minutes\tpause:3.2\n",
            "ctr-moby-containers": f"CONTAINER    IMAGE    RUNTIME\n{LOST}  -  io.containerd.runc.v2\n{KNOWN}  -  x\n",
            "ctr-moby-tasks": f"TASK    PID    STATUS\n{LOST}    71    STOPPED\n{KNOWN}    81    RUNNING\n",
            "ctr-k8s.io-containers": "".join(f"{each}  -  x\n" for each in (POD, "d" * 64, "e" * 64)),
            "ctr-k8s.io-tasks": f"{POD} 91 RUNNING\n{'d' * 64} 93 RUNNING\n{'e' * 64} 95 RUNNING\n",
        },
        journal=said(
            "05:29:00", "dockerd", 30, 'time="2026-11-29T05:29:00Z" level=error msg="before the test"'
        )
        + said(
            "05:31:00",
            "containerd",
            20,
            f'time="2026-11-29T05:31:00Z" level=info msg="shim disconnected" id={LOST}',
        )
        + said(
            "05:31:01",
            "dockerd",
            30,
            f'time="2026-11-29T05:31:01Z" level=error msg="stream copy error: {LOST}"',
        )
        + said("05:31:02", "kubelet", 40, "I1129 05:31:02.000000      40 kubelet.go:1] all is well")
        + said(
            "05:31:03", "kubelet", 40, "E1129 05:31:03.000000      40 pod_workers.go:191] Error syncing pod 1"
        )
        + said(
            "05:31:04", "kubelet", 40, "E1129 05:31:04.000000      40 pod_workers.go:191] Error syncing pod 2"
        )
        + said("05:31:05", "systemd", 1, "kubelet.service: Succeeded."),
    )


def told(*nodes: Node, **objects: list[dict[str, Any]]) -> str:
    return "\n".join(digest(nodes, objects, BEGAN))


def test_it_says_which_shims_are_left_and_who_knows_them() -> None:
    lines = told(left_behind()).splitlines()
    assert lines[0] == (
        f"{NODE}: kubelet inactive; containerd active; docker failed (timeout); shims: 3 in k8s.io, 2 in moby"
    )
    # First the one that is odd, with what was said of it; then the other one of the store that is used less.
    assert lines[1] == (
        "  shim moby aaaaaaaaaaaa: pid 70 S since 05:30:00, below it no process; "
        "containerd: container, task STOPPED; docker: does not know it"
    )
    assert lines[2].startswith("    05:31:00 containerd I shim disconnected id=aaaaaaaaaaaa")
    assert lines[3].startswith("    05:31:01 docker E stream copy error")
    assert lines[4] == (
        "  shim moby bbbbbbbbbbbb: pid 80 S since 05:30:00, below it pause; "
        "containerd: container, task RUNNING; docker: running k8s_POD_web"
    )
    assert not [line for line in lines if "shim k8s.io" in line]


def test_it_has_the_errors_since_the_test_began_each_kind_once() -> None:
    found = told(left_behind())
    assert "05:31:04 kubelet E pod_workers.go:191] Error syncing pod 2 (×2)" in found
    assert "before the test" not in found
    assert "all is well" not in found


def test_a_node_that_is_well_takes_one_line() -> None:
    node = left_behind()
    mine = [each for each in node.processes if "moby" not in each.argv and each.pid not in (81,)]
    node = replace(
        node, processes=mine, journal="", told={**node.told, "docker-ps": "", "ctr-moby-tasks": ""}
    )
    assert told(node).count("\n") == 0


def test_where_there_is_one_store_only_the_shims_that_nobody_knows_are_told() -> None:
    node = left_behind()
    moby = replace(node, processes=[each for each in node.processes if "k8s.io" not in each.argv])
    found = told(moby)
    assert "shims: 2 in moby" in found
    assert "shim moby aaaaaaaaaaaa" in found
    assert "shim moby bbbbbbbbbbbb" not in found


@pytest.mark.parametrize("missing", ["ctr-moby-containers", "ctr-moby-tasks", "docker-ps"])
def test_a_shim_is_known_if_both_know_it(missing: str) -> None:
    node = left_behind()
    moby = replace(node, processes=[each for each in node.processes if "k8s.io" not in each.argv])
    assert "shim moby bbbbbbbbbbbb" in told(replace(moby, told={**node.told, missing: ""}))


def test_a_dockerd_that_does_not_answer_is_not_one_that_knows_nothing() -> None:
    node = left_behind()
    node = replace(node, told={**node.told, "docker-ps": "(no answer from docker: status 124)\n"})
    assert "docker: (no answer from docker: status 124)" in told(node)
    assert "does not know it" not in told(node)


@pytest.mark.parametrize(
    ("of", "text", "expected"),
    [
        (
            "ctr-k8s.io-tasks",
            f"{POD} 4711 RUNNING\n",
            "k8s.io cccccccccccc: containerd says RUNNING as pid 4711, and",
        ),
        (
            "docker-ps",
            f"{'f' * 64}\trunning\tweb\tUp\tx\n",
            "moby ffffffffffff: docker says running (web), and it has",
        ),
    ],
)
def test_a_container_that_is_said_to_run_and_does_not_is_named(of: str, text: str, expected: str) -> None:
    node = left_behind()
    assert expected not in told(node)
    assert expected in told(replace(node, told={**node.told, of: text}))


def test_it_says_how_the_api_sees_the_node_its_pods_and_what_it_warned_of() -> None:
    node = {
        "metadata": {"name": NODE},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    waiting = {"name": "app", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    pod = {
        "metadata": {"name": "web-1", "namespace": "test"},
        "spec": {"nodeName": NODE},
        "status": {"phase": "Pending", "containerStatuses": [waiting]},
    }
    event = {
        "type": "Warning",
        "reason": "FailedKillPod",
        "message": "error killing pod",
        "count": 3,
        "metadata": {},
        "involvedObject": {"kind": "Pod", "namespace": "test", "name": "web-1"},
    }
    events = [{**event, "lastTimestamp": f"2026-11-29T05:{minute}:00Z"} for minute in ("29", "31")]
    found = told(left_behind(), nodes=[node], pods=[pod], events=events)
    assert "; Ready=Unknown; cordoned; " in found.splitlines()[0]
    assert "  pod test/web-1: Pending, app waiting (ContainerCreating)" in found
    assert found.splitlines()[-1] == "event 05:31:00 pod test/web-1: FailedKillPod: error killing pod (×3)"
    assert found.count("event ") == 1


def test_it_stays_readable_however_much_there_is() -> None:
    many = [shim(1000 + number, "moby", f"{number:064x}") for number in range(200)]
    errors = "".join(
        said(
            "05:32:00", "dockerd", 30, f'time="2026-11-29T05:32:00Z" level=error msg="{chr(97 + n % 26) * n}"'
        )
        for n in range(1, 400)
    )
    nodes = [Node(f"n{number}", processes=many, journal=errors) for number in range(9)]
    found = digest(nodes, {}, BEGAN)
    assert len(found) == LINES
    assert max(map(len, found)) <= WIDTH
    assert found[-1].startswith("… ")


def test_a_node_of_which_nothing_is_known_is_named_all_the_same() -> None:
    assert told(Node(NODE, state="exited")) == f"{NODE}: its container is exited"
    assert told(Node(NODE)) == f"{NODE}: nothing of it could be read"
