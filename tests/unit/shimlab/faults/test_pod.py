"""The pod that a fault is shown with: asked for once, whatever is there already, and found by its node."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Lab, listed, pod

from shimlab.errors import LabError
from shimlab.faults.pod import FaultPod

PODS = "/api/v1/namespaces/default/pods"
NAME = "fault-shimlab-worker"


def test_it_goes_to_its_node_whatever_keeps_others_off_it(lab: Lab) -> None:
    lab.api.says(PODS, pod(NAME, ready=None), method="POST")
    FaultPod("shimlab-worker").start()
    (body,) = lab.api.bodies("POST")
    assert body["metadata"] == {"name": NAME, "labels": {"app": "shimlab-fault"}}
    (container,) = body["spec"].pop("containers")
    assert body["spec"] == {
        "nodeName": "shimlab-worker",
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
    }
    assert container == {
        "name": "wait",
        "image": "shimlab.local/busybox:1.35",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "1000000"],
    }


@pytest.mark.parametrize(("ready", "runs"), [(True, True), (False, False), (None, False)])
def test_it_runs_when_its_container_is_ready(lab: Lab, ready: bool | None, runs: bool) -> None:
    lab.api.says(f"{PODS}/{NAME}", pod(NAME, ready=ready))
    assert FaultPod("shimlab-worker").running() is runs


def test_it_is_not_there_and_says_so(lab: Lab) -> None:
    found = FaultPod("shimlab-worker")
    found.remove()
    assert (found.read(), found.running()) == (None, False)
    with pytest.raises(LabError, match=f"the pod default/{NAME} is not there"):
        found.event("x")


def test_its_events_are_looked_for_by_its_uid(lab: Lab) -> None:
    lab.api.says(f"{PODS}/{NAME}", pod(NAME))
    about = {"metadata": {"name": "e"}, "involvedObject": {}}
    events = [{**about, "reason": "Failed", "message": f"no {what}"} for what in ("image", "runc")]
    lab.api.says("/api/v1/namespaces/default/events", listed(*events))
    found = FaultPod("shimlab-worker")
    assert found.event("Failed", "runc") == ("Failed", "no runc")
    assert found.event("Killing") == ("", "")
    assert f"involvedObject.uid%3Duid-of-{NAME}" in lab.api.asked[1][1]
