"""When a node is well: each thing that keeps it from being so is found by itself."""

from __future__ import annotations

import pytest
from tests.support.stand_in import Answer, Lab, node, pod

from shimlab import evidence
from shimlab.evidence import Witness
from shimlab.faults import health
from shimlab.faults.target import Target
from shimlab.node.broken import Record
from shimlab.runtimes import LABEL

NAME = "shimlab-worker2"


@pytest.fixture
def target(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Target:
    """A node that is well in all that is looked at."""
    for unit in health.UNITS:
        lab.unit(NAME, unit)
    lab.has(NAME, pod("web"))
    lab.says(NAME, "ctr", answer="")
    # What the four witnesses see is a whole machine's /proc: tests of them are with the evidence.
    witness = Witness("api", "docker", "docker://1.0")
    monkeypatch.setattr(evidence, "runtime_of", lambda name: [witness])
    return Target(NAME, Record("runc-missing", "dockershim", 1, excused=("default/sick",)))


def test_a_node_that_is_well(target: Target) -> None:
    assert health.missing(target) == []


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        (node(NAME, ready="False"), "its Ready is False: why Ready"),
        (node(NAME, ready="Unknown"), "its Ready is Unknown: why Ready"),
        (node(NAME, conditions={"DiskPressure": "True"}), "its DiskPressure is True: why DiskPressure"),
        (node(NAME, conditions={"PIDPressure": "Unknown"}), "its PIDPressure is Unknown: why PIDPressure"),
        (node(NAME, taints=("node.kubernetes.io/not-ready",)), "it is tainted node.kubernetes.io/not-ready"),
        (node(NAME, "containerd", runs="docker://1.0"), "its label says containerd"),
    ],
)
def test_what_the_api_server_says_of_it(lab: Lab, target: Target, shown: Answer, what: str) -> None:
    lab.shows(shown)
    assert health.missing(target) == [what]


def test_a_cordon_is_no_illness(lab: Lab, target: Target) -> None:
    lab.shows(node(NAME, cordoned=True, taints=("node.kubernetes.io/unschedulable", "example.org/mine")))
    assert health.missing(target) == []


@pytest.mark.parametrize("unit", health.UNITS)
def test_a_unit_that_does_not_run_or_would_not_after_a_restart(lab: Lab, target: Target, unit: str) -> None:
    lab.unit(NAME, unit, "failed")
    assert health.missing(target) == [f"{unit} is failed and enabled"]
    lab.unit(NAME, unit, enabled="disabled")
    assert health.missing(target) == [f"{unit} is active and disabled"]


def test_a_witness_against_it(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [Witness("api", "docker", "x"), Witness("socket", "none", "nobody listens on /x")]
    monkeypatch.setattr(evidence, "runtime_of", lambda name: seen)
    assert health.missing(target) == ["socket says none (nobody listens on /x)"]


def test_what_the_other_runtime_still_holds(lab: Lab, target: Target) -> None:
    lab.says(NAME, "ctr", answer="a\nb\n")
    assert health.missing(target) == ["containerd holds 2 containers of Kubernetes"]


def test_pods_that_are_not_ready_but_for_the_excused_and_the_faults_own(lab: Lab, target: Target) -> None:
    done = pod("job", ready=False)
    done["status"]["phase"] = "Succeeded"
    lab.has(NAME, pod("web"), pod("sick", ready=False), pod(f"fault-{NAME}", ready=False), done)
    assert health.missing(target) == []
    lab.has(NAME, pod("web", ready=False), pod("new", ready=None), pod("astray", scheme="containerd"))
    assert health.missing(target) == [f"pod default/{name} is not ready" for name in ("web", "new", "astray")]


def test_the_label_is_that_of_its_record(target: Target) -> None:
    """Whoever migrates a broken node would make the repair put back what does not fit: it is seen."""
    assert target.runtime.name == "dockershim"
    assert target.api.read().metadata.labels[LABEL] == "dockershim"
