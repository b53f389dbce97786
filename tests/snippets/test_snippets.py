"""Every command that a page shows runs, prints what the page says, and leaves the cluster as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.snippets import snippets, state

ALL = snippets.in_page_order()
RUN = [path for path in ALL if path.name not in snippets.NOT_RUN]


def named(path: Path) -> str:
    return path.name


def test_there_are_snippets():
    assert RUN


@pytest.mark.parametrize("path", ALL, ids=named)
def test_the_shell_understands_it(path: Path):
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", ALL, ids=named)
def test_shellcheck_has_no_complaint(path: Path):
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "--shell=bash", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_output_and_every_reason_belongs_to_a_snippet():
    names = {path.name for path in ALL}
    assert {path.with_suffix(".sh").name for path in snippets.FOLDER.glob("*.out")} <= names
    assert set(snippets.NOT_RUN) <= names
    assert all(snippets.NOT_RUN.values())


@pytest.mark.live
@pytest.mark.parametrize("path", RUN, ids=named)
def test_it_prints_what_the_page_says(path: Path, tmp_path: Path, lab: dict[str, str], request):
    before = state.snapshot()
    ran = snippets.run(path, tmp_path, lab)
    left = state.differences(before, state.snapshot())
    assert ran.status == 0, ran.stderr
    assert snippets.complaints(ran.stderr) == ""
    assert left == []
    assert list(tmp_path.iterdir()) == []
    found = snippets.normal(ran.stdout)
    if request.config.getoption("--update"):
        snippets.expected(path).write_text(found, encoding="utf-8")
    assert found == snippets.expected(path).read_text(encoding="utf-8")


# After the runs, so that --update records first.
@pytest.mark.parametrize("path", ALL, ids=named)
def test_its_output_is_recorded(path: Path):
    assert snippets.expected(path).is_file() == (path.name not in snippets.NOT_RUN)


def test_an_unchanged_output_stays_normal():
    for path in RUN:
        text = snippets.expected(path).read_text(encoding="utf-8")
        assert snippets.normal(text) == text
