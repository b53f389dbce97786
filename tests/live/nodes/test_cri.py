"""The CRI client and the evidence on the running lab: they agree with the API server and with each other."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from tests.support.lab import CONTROL_PLANE, ON_CONTAINERD, ON_DOCKERSHIM, role

from shimlab import cli, evidence
from shimlab.clients.cri import CriClient
from shimlab.errors import LabError
from shimlab.node import exec as node_exec
from shimlab.waiting import wait

RUNTIMES = {
    CONTROL_PLANE: ("containerd", ["v1", "v1alpha2"]),
    ON_CONTAINERD: ("containerd", ["v1", "v1alpha2"]),
    ON_DOCKERSHIM: ("docker", ["v1alpha2"]),
}
SERVED = [(name, version) for name, (_, versions) in RUNTIMES.items() for version in versions]


@pytest.mark.parametrize(("name", "version"), SERVED, ids=role)
def test_each_runtime_says_who_it_is(name: str, version: str):
    with CriClient(name, version=version) as runtime:
        said = runtime.version()
    assert (said.api, said.runtime_name) == (version, RUNTIMES[name][0])


def test_the_newest_version_is_chosen():
    for name, (_, versions) in RUNTIMES.items():
        with CriClient(name) as runtime:
            assert runtime.api.version == versions[0]


def test_dockershim_does_not_speak_v1():
    with pytest.raises(LabError, match="no CRI service in v1"), CriClient(ON_DOCKERSHIM, version="v1"):
        pass


@pytest.mark.parametrize("name", RUNTIMES, ids=role)
def test_every_version_can_be_asked_for_also_one_that_is_gone(name: str):
    runtime, served = RUNTIMES[name]
    with CriClient(name) as client_of_it:
        answers = {each: client_of_it.answers(each) for each in ("v1", "v1alpha2", "v1alpha1", "v2")}
    assert answers == {each: runtime if each in served else "" for each in answers}


@pytest.mark.parametrize("name", RUNTIMES, ids=role)
def test_the_runtime_runs_what_the_api_server_says(name: str, core: Any):
    seen: tuple[set[tuple[str, ...]], set[tuple[str, ...]]] = set(), set()

    def agree() -> bool:
        nonlocal seen
        seen = _by_runtime(name), _by_api(name, core)
        return seen[0] == seen[1]

    # Of a pod that comes or goes, as those of the test before, one of the two knows a moment before the other.
    with contextlib.suppress(LabError):
        wait(agree, "the runtime and the API server agree", 60)
    assert seen[0] == seen[1]


def _by_runtime(name: str) -> set[tuple[str, ...]]:
    with CriClient(name) as runtime:
        pods = {(pod.namespace, pod.name) for pod in runtime.pods() if pod.state == "Ready"}
        running = [each for each in runtime.containers() if each.state == "Running"]
    return pods | {(each.namespace, each.pod, each.name) for each in running}


def _by_api(name: str, core: Any) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for pod in core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={name}").items:
        here = (pod.metadata.namespace, pod.metadata.name)
        found.add(here)
        found |= {(*here, each.name) for each in pod.status.container_statuses or [] if each.state.running}
    return found


@pytest.mark.parametrize("name", RUNTIMES, ids=role)
@pytest.mark.parametrize("what", ["version", "pods", "containers", "images", "info"])
def test_the_command_answers_in_a_table_and_in_json(name: str, what: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["cri", name, what]) == 0
    assert capsys.readouterr().out.splitlines()[0].isupper()
    assert cli.main(["cri", name, what, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    if what == "images":
        assert "shimlab.local/busybox:1.35" in [tag for image in answer for tag in image["tags"]]
    if what == "info":
        assert {condition["type"]: condition["status"] for condition in answer["conditions"]} == {
            "NetworkReady": True,
            "RuntimeReady": True,
        }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shimlab-nowhere", "version"], "no node shimlab-nowhere"),
        ([ON_CONTAINERD, "pods", "--socket", "/run/none.sock"], "there is no such socket"),
        ([ON_CONTAINERD, "pods", "--socket", "/run/docker.sock"], "HTTP/1"),
    ],
)
def test_bad_input_is_answered_in_two_lines(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["cri", *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert told in lines[0]


def test_nothing_of_the_client_stays_on_a_node():
    for name in RUNTIMES:
        with CriClient(name) as runtime:
            runtime.version()
        left = [process for process in evidence.processes(name) if process.comm == "socat"]
        assert left == []


@pytest.mark.parametrize("name", RUNTIMES, ids=role)
def test_four_witnesses_agree(name: str):
    assert {witness.runtime for witness in evidence.runtime_of(name)} == {RUNTIMES[name][0]}


def test_the_warning_is_found_by_the_journal_itself():
    """The parsed log against what grep finds in the plain one, and only a kubelet that runs dockershim now has it."""
    words = "Using dockershim is deprecated"
    for name, (runtime, _) in RUNTIMES.items():
        plain = node_exec.run(name, ["journalctl", "-u", "kubelet", "-b", "-o", "cat", "--no-pager"])
        parsed = [line for line in evidence.kubelet_log(name) if words in line.message]
        assert len(parsed) == plain.count(words)
        now = [line for line in evidence.kubelet_log(name, since="start") if words in line.message]
        assert bool(now) == (runtime == "docker")
