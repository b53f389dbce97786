"""Every snippet and every scenario is a script that a shell understands, and has its recorded output beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.support import command

from shimfacts import snippets
from shimlab import runtimes
from shimlab.snippets import run, scenarios

ALL = run.in_page_order()
RUN = [path for path in ALL if path.name not in run.NOT_RUN]
SCENARIOS = scenarios.all_scenarios()
SCRIPTS = [*ALL, *(scenario.path for scenario in SCENARIOS)]


def named(path: Path) -> str:
    return path.name


def test_there_are_snippets_and_scenarios():
    assert RUN
    assert SCENARIOS


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_the_shell_understands_it(path: Path):
    done = command.program("bash", "-n", path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_shellcheck_has_no_complaint(path: Path):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = command.program(shellcheck, "--shell=bash", path)
    assert done.returncode == 0, done.stdout


def test_every_output_and_every_reason_belongs_to_a_snippet():
    names = {path.name for path in ALL}
    assert {path.with_suffix(".sh").name for path in run.FOLDER.glob("*.out")} <= names
    assert set(run.NOT_RUN) <= names
    assert all(run.NOT_RUN.values())


@pytest.mark.parametrize("path", ALL, ids=named)
def test_its_output_is_recorded(path: Path):
    assert run.expected(path).is_file() == (path.name not in run.NOT_RUN)


def test_an_unchanged_output_stays_normal():
    for path in RUN:
        text = run.expected(path).read_text(encoding="utf-8")
        assert run.normal(text) == text


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.path.name)
def test_a_scenario_has_normal_outputs_and_asks_for_what_labs_have(scenario: snippets.Scenario):
    text = scenario.expected.read_text(encoding="utf-8")
    assert scenarios.expected(snippets.outputs(scenario.expected)) == text
    assert set(scenario.nodes.values()) <= set(runtimes.RUNTIMES)
    # `./run snippets` and `./run removed` run scenarios; a lab of another name would never.
    assert set(scenario.labs) <= {"deprecated", "removed"}
