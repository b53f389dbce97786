"""Every snippet is a script that a shell understands, and has its recorded output beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shimlab.snippets import run

ALL = run.in_page_order()
RUN = [path for path in ALL if path.name not in run.NOT_RUN]


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
