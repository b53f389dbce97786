"""When a cluster that was made is ready: what `up` waits for, by what the API server answers."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Answer, Lab, listed, node, pod

from shimlab.cluster import create
from shimlab.errors import LabError

CONTROL_PLANE, WORKER, WORKER2 = "shimlab-control-plane", "shimlab-worker", "shimlab-worker2"
PODS = "/api/v1/namespaces/kube-system/pods"
POD = pod("kube-proxy", "kube-system")


def shows(lab: Lab, last: Answer) -> None:
    lab.shows(node(CONTROL_PLANE, "containerd"), node(WORKER, "containerd"), last)


@pytest.mark.parametrize(
    ("last", "pods", "missing"),
    [
        (node(WORKER2), [POD], []),
        (node(WORKER2, ready="Unknown"), [POD], [WORKER2]),
        # Ready, and its controller has not looked since: no pod would come there.
        (node(WORKER2, taints=("node.kubernetes.io/not-ready",)), [POD], [WORKER2]),
        (node(WORKER2), [pod("kube-proxy", "kube-system", ready=False)], ["kube-proxy"]),
        (node(WORKER2), [], ["kube-system"]),
    ],
    ids=["ready", "silent", "tainted", "a pod that does not run", "no pods yet"],
)
def test_what_is_waited_for(lab: Lab, last: Answer, pods: list[Answer], missing: list[str]) -> None:
    shows(lab, last)
    lab.api.says(PODS, listed(*pods))
    assert create._missing() == missing


def test_a_node_on_another_runtime_than_asked_is_not_waited_for(lab: Lab) -> None:
    shows(lab, node(WORKER2, runs="containerd://1.0"))
    with pytest.raises(LabError, match="was to run dockershim and runs containerd"):
        create._missing()
