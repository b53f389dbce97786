"""Kubernetes' own tests on every worker of the running lab, and what they leave: nothing."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest
from kubernetes import client, config
from tests.support import command

from shimlab.clients import kube
from shimlab.conformance import run, specs
from shimlab.migrate import cleanup
from shimlab.waiting import bound

SUBJECTS = run.subjects()
# Building the tests for the first time is part of it.
SECONDS = 2400


def _state(subject: run.Subject) -> dict[str, Any]:
    core = client.CoreV1Api(config.new_client_from_config(config_file=str(kube.kubeconfig())))
    nodes = core.list_node().items
    return {
        "images": cleanup.images(subject.node, subject.runtime),
        "cordoned": {each.metadata.name: bool(each.spec.unschedulable) for each in nodes},
        "annotations": {each.metadata.name: sorted(each.metadata.annotations) for each in nodes},
        "namespaces": [each.metadata.name for each in core.list_namespace().items],
    }


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda each: f"{each.minor}-{each.runtime.name}")
def test_a_worker_passes_and_is_left_as_it_was(subject: run.Subject, record_property: Any) -> None:
    before = _state(subject)
    done = command.shimlab("conformance", "--node", subject.node, "--json", seconds=SECONDS)
    # What it says of its work is read where it fails.
    print(done.stderr)
    (record,) = json.loads(done.stdout)
    wrong = [each for each in record["specs"] if each["outcome"] not in ("passed", "failed, as explained")]
    assert wrong == []
    assert done.returncode == 0
    assert [each["name"] for each in record["specs"]] == [each.name for each in specs.load(subject.minor)]
    assert (record["node"], record["runtime"]) == (subject.node, subject.runtime.name)
    assert _state(subject) == before
    outcomes = [each["outcome"] for each in record["specs"]]
    passed = outcomes.count("passed")
    # The page of results tells these numbers.
    told = {"specs": len(outcomes), "passed": passed, "explained": len(outcomes) - passed}
    record_property("told", told)


@pytest.mark.timeout(600)
def test_a_run_that_is_interrupted_leaves_nothing() -> None:
    subject = SUBJECTS[0]
    before = _state(subject)
    told = []
    argv = [*command.ARGV, "conformance", "--node", subject.node]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            told.append(line)
            if line.startswith("  ✓ 1/"):
                child.send_signal(signal.SIGINT)
        assert child.wait(bound(300)) == 130, told
    assert not [line for line in told if line.startswith("  ✓ 9/")]
    assert _state(subject) == before


def test_a_node_that_is_no_worker_is_refused() -> None:
    done = command.shimlab("conformance", "--node", SUBJECTS[0].control_plane)
    assert done.returncode == 1
    assert "no worker" in done.stderr
    assert len(done.stderr.splitlines()) == 2
