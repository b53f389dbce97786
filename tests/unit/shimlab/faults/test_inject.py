"""What keeps a node from being broken, before anything is done to it."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Lab, node

from shimlab.errors import LabError
from shimlab.faults import inject
from shimlab.node.broken import Record

CONTROL_PLANE, WORKER, WORKER2 = "shimlab-control-plane", "shimlab-worker", "shimlab-worker2"


@pytest.fixture(autouse=True)
def _no_pods(lab: Lab) -> None:
    lab.has(WORKER)


def refusal(fault: str, chosen: str = "") -> str:
    with pytest.raises(LabError) as caught:
        inject.break_node(fault, chosen)
    return caught.value.what


def test_a_node_that_the_lab_has_not_or_that_the_fault_does_not_fit() -> None:
    assert refusal("runc-missing", "shimlab-worker9") == "the lab has no node shimlab-worker9"
    assert refusal("api-server-gone", WORKER) == f"api-server-gone does not fit {WORKER}"


def test_what_is_broken_is_not_broken_again(lab: Lab) -> None:
    Record("runc-missing", "containerd", 1).write(WORKER)
    assert refusal("kubelet-stopped", WORKER) == f"{WORKER} is broken already: runc-missing"
    Record("etcd-gone", "containerd", 1).write(CONTROL_PLANE)
    assert refusal("kubelet-stopped", WORKER2) == f"{CONTROL_PLANE} is broken: etcd-gone"


def test_a_node_that_is_not_well_is_not_broken(lab: Lab) -> None:
    lab.shows(node(CONTROL_PLANE, "containerd"), node(WORKER, "containerd", ready="False"), node(WORKER2))
    assert refusal("kubelet-stopped", WORKER) == f"{WORKER} is not well: its Ready is False: why Ready"
    assert inject.broken() == []


def test_only_a_fault_of_that_name_is_repaired(lab: Lab) -> None:
    assert inject.repair() == []
    Record("runc-missing", "containerd", 1).write(WORKER)
    assert inject.repair("kubelet-stopped") == []
    assert [name for name, _ in inject.broken()] == [WORKER]
