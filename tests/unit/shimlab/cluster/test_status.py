"""How the lab is, by what its engine and its API server answer; and what `shimlab status` ends with."""

from __future__ import annotations

import pytest
from tests.support import command
from tests.support.stand_in import Lab, node

from shimlab.cluster import status
from shimlab.cluster.namespace import worker_on
from shimlab.cluster.status import NodeStatus
from shimlab.errors import LabError
from shimlab.faults import inject
from shimlab.node.broken import Record

CONTROL_PLANE, WORKER, WORKER2 = "shimlab-control-plane", "shimlab-worker", "shimlab-worker2"


@pytest.mark.parametrize(
    ("asked", "runs", "as_asked"),
    [
        ("dockershim", "docker://20.10.24", True),
        ("dockershim-out-of-tree", "docker://20.10.24", True),
        ("containerd", "containerd://1.6.20", True),
        ("dockershim", "containerd://1.6.20", False),
        ("containerd", "docker://20.10.24", False),
        ("", "containerd://1.6.20", False),
        ("crio", "cri-o://1.20", False),
    ],
)
def test_a_node_runs_as_asked_when_its_runtime_is_the_one_of_its_label(
    asked: str, runs: str, as_asked: bool
) -> None:
    assert NodeStatus("n", asked, runs, "v1.20.15", ready=True).as_asked is as_asked


def test_the_status_is_what_the_api_server_says(lab: Lab) -> None:
    lab.shows(node(WORKER2, ready="Unknown"), node(CONTROL_PLANE, "containerd"), node(WORKER, "containerd"))
    assert [(each.name, each.asked, each.runtime, each.ready) for each in status.status()] == [
        (CONTROL_PLANE, "containerd", "containerd://1.0", True),
        (WORKER, "containerd", "containerd://1.0", True),
        (WORKER2, "dockershim", "docker://1.0", False),
    ]


def test_a_lab_that_is_not_up_has_no_status(lab: Lab) -> None:
    lab.nodes = ()
    lab.write()
    done = command.inside("status")
    assert (done.returncode, done.stderr) == (1, "shimlab: the lab is not up\n  → run `shimlab up`\n")


def test_the_command_succeeds_where_all_is_well(lab: Lab) -> None:
    done = command.inside("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        [CONTROL_PLANE, "containerd", "containerd://1.0", "v1.20.15", "yes"],
        [WORKER, "containerd", "containerd://1.0", "v1.20.15", "yes"],
        [WORKER2, "dockershim", "docker://1.0", "v1.20.15", "yes"],
    ]


@pytest.mark.parametrize("astray", [node(WORKER, ready="False"), node(WORKER, runs="containerd://1.0")])
def test_the_command_fails_where_a_node_is_not_ready_or_not_as_asked(
    lab: Lab, astray: dict[str, object]
) -> None:
    lab.shows(node(CONTROL_PLANE, "containerd"), astray)
    done = command.inside("status")
    assert (done.returncode, done.stderr) == (1, "")
    assert WORKER in done.stdout


def test_the_command_fails_where_a_node_is_broken_on_purpose(lab: Lab) -> None:
    assert inject.broken() == []
    record = Record("runc-missing", "containerd", 1, ("default/web",), {"a": "b"})
    record.write(WORKER)
    assert inject.broken() == [(WORKER, record)]
    done = command.inside("status")
    assert done.returncode == 1
    assert f"{WORKER} is broken on purpose: runc-missing; `shimlab repair` undoes it" in done.stdout


def test_the_control_plane_is_the_first_of_the_broken(lab: Lab) -> None:
    """Without an API server nothing can be seen of the others: a repair begins there."""
    for name in reversed(lab.nodes):
        Record("kubelet-stopped", "containerd", 1).write(name)
    assert [name for name, _ in inject.broken()] == list(lab.nodes)


def test_a_worker_on_a_runtime_is_ready_and_as_asked(lab: Lab) -> None:
    assert (worker_on("dockershim"), worker_on("containerd")) == (WORKER2, WORKER)
    for worker in (
        node(WORKER2, ready="False"),
        node(WORKER2, runs="containerd://1.0"),
        node(WORKER2, "containerd"),
    ):
        lab.shows(node(CONTROL_PLANE, "dockershim"), node(WORKER, "containerd"), worker)
        with pytest.raises(LabError, match="no worker of the lab runs dockershim"):
            worker_on("dockershim")
