"""Every fault is declared whole, and what needs no lab: the list, the record's form, what a symptom takes."""

from __future__ import annotations

import dataclasses
import re

import pytest
from tests.support import command

from shimlab.commands.faults import listing
from shimlab.errors import LabError
from shimlab.faults.catalog import registry
from shimlab.faults.fault import CONTROL_PLANE, WORKER, Fault, Sign, nothing, said, together
from shimlab.node.broken import Record
from shimlab.runtimes import RUNTIMES


def by_name(fault: Fault) -> str:
    return fault.name


@pytest.mark.parametrize("fault", registry.FAULTS, ids=by_name)
def test_a_fault_is_declared_whole(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", fault.name)
    assert fault.title == said()[fault.name].title
    assert not fault.title.endswith(".")
    for sentence in (said()[fault.name].does, said()[fault.name].shows, said()[fault.name].undone):
        assert sentence.endswith(".")
        assert not {"`", "{", "\n"} & set(sentence)
    assert fault.runtimes
    assert set(fault.runtimes) <= set(RUNTIMES)
    assert fault.place in {WORKER, CONTROL_PLANE}
    assert 0 < fault.seconds <= 120


@pytest.mark.parametrize("fault", registry.FAULTS, ids=by_name)
def test_only_what_mends_itself_has_nothing_to_undo(fault: Fault) -> None:
    assert (fault.undo is nothing) == (said()[fault.name].undone == "Nothing is left to undo.")


def test_what_is_said_is_said_of_the_faults_that_there_are() -> None:
    assert list(said()) == [fault.name for fault in registry.FAULTS]


def test_values_of_facts_are_filled_in() -> None:
    assert "unknown flag: --network-plugin." in said()["kubelet-upgraded"].shows


def test_a_fault_of_which_nothing_is_said_is_told() -> None:
    silent = dataclasses.replace(registry.FAULTS[0], name="silent-fault")
    with pytest.raises(LabError, match="nothing is said of the fault silent-fault"):
        _ = silent.title


def test_a_name_means_one_fault() -> None:
    names = [fault.name for fault in registry.FAULTS]
    assert len(set(names)) == len(names)
    assert all(registry.named(name).name == name for name in names)
    with pytest.raises(LabError, match="no fault nonsense"):
        registry.named("nonsense")


def test_every_fault_is_listed_with_its_nodes() -> None:
    rows = dict(line.split(maxsplit=1) for line in listing().splitlines()[1:])
    assert list(rows) == [fault.name for fault in registry.FAULTS]
    assert rows["kubelet-stopped"].startswith("dockershim, containerd")
    assert rows["api-server-gone"].startswith("control plane")


def test_half_a_symptom_is_none() -> None:
    here, there = Sign("node", "NotReady"), Sign("log", "a line")
    assert together(here, there) == (here, there)
    assert together(here, None) == ()


def test_notes_are_added_to_a_record() -> None:
    record = Record("runc-missing", "containerd", 1, ("default/web",), {"one": "1"})
    after = record.noting(two="2", one="3")
    assert after.notes == {"one": "3", "two": "2"}
    assert (after.fault, after.runtime, after.since, after.excused) == (
        "runc-missing",
        "containerd",
        1,
        ("default/web",),
    )
    assert record.notes == {"one": "1"}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["break"], "no fault is named"),
        (["break", "nonsense"], "no fault nonsense"),
        (["repair", "x"], "no fault x"),
    ],
)
def test_what_is_no_fault_is_refused_in_two_lines(words: list[str], what: str) -> None:
    done = command.shimlab(*words)
    assert done.returncode == 1
    assert what in done.stderr
    assert "`shimlab break --list` lists them" in done.stderr
    assert len(done.stderr.splitlines()) == 2
