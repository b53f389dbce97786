"""What SHIMLAB_ variables may hold, seen before anything is begun; and that readers are told of them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import command, commands

from shimlab import cli, paths, settings
from shimlab.errors import LabError

WRONG = {
    "SHIMLAB_PATIENCE": ["", "0", "-1", "abc", "nan", "inf", "101", "1,5", "1" * 5000],
    "SHIMLAB_NAME": [
        "",
        "Shim",
        "a.b",
        "a_b",
        "-a",
        "a-",
        "a/../b",
        "a b",
        "a\nb",
        "节点",
        "x" * 33,
        "x" * 100_000,
    ],
    "SHIMLAB_KEEP_RECORDS": ["0", "yes"],
    # Mistyped: the command would work on another lab than was meant.
    "SHIMLAB_NAMES": ["second"],
    "SHIMLAB_": ["x"],
    "SHIMLAB_" + "X" * 5000: [""],
}


@pytest.fixture
def nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command of the real parser does anything but fail."""
    for name in settings.ALL:
        monkeypatch.delenv(name.name, raising=False)
    real = cli.parser

    def guarded() -> argparse.ArgumentParser:
        top = real()
        for each in commands.below((), top):
            each.parser.set_defaults(run=lambda arguments: pytest.fail("something was begun"))
        return top

    monkeypatch.setattr(cli, "parser", guarded)


@pytest.mark.parametrize("each", commands.commands(), ids=lambda each: " ".join(each.words))
@pytest.mark.usefixtures("nothing_begins")
def test_every_command_sees_what_is_wrong_before_it_begins(
    each: commands.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, values in WRONG.items():
        for value in values:
            with monkeypatch.context() as changed:
                changed.setenv(name, value)
                done = command.inside(*each.line())
            what, remedy = done.stderr.splitlines()
            assert (done.returncode, done.stdout) == (1, "")
            assert what.startswith(f"shimlab: {name[:20]}")
            assert len(what) < 200
            assert remedy.startswith("  → ")


def test_a_command_in_its_own_process_says_so_in_two_lines(tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = command.shimlab("status", **state, SHIMLAB_NAMES="second")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "shimlab: SHIMLAB_NAMES is no setting of the lab",
        "  → unset it; there are SHIMLAB_NAME, SHIMLAB_PATIENCE. Is SHIMLAB_NAME meant?",
    ]
    assert list(tmp_path.iterdir()) == []


def test_help_is_given_whatever_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIMLAB_PATIENCE", "0")
    assert command.inside("--help").returncode == 0
    assert command.inside("up", "--help").returncode == 0


def test_a_notebook_does_not_begin_with_a_wrong_one() -> None:
    done = command.program(sys.executable, "-c", "import shimlab.notebook", SHIMLAB_PATIENCE="0")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2] == (
        "shimlab.errors.LabError: SHIMLAB_PATIENCE=0 is no number from 1 to 100"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SHIMLAB_PATIENCE", ["1", "2.5", "100", " 3 ", "1e1"]),
        ("SHIMLAB_NAME", ["a", "shimlab-2", "0", "x" * 32]),
        ("SHIMLAB_KEEP_RECORDS", ["", "1"]),
        ("SHIMLAB", ["anything"]),
        ("SHIMSITE_SOURCES", ["anything"]),
    ],
)
def test_what_fits_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, values: list[str]) -> None:
    for value in values:
        monkeypatch.setenv(name, value)
        settings.check()


def test_readers_are_told_of_every_setting() -> None:
    for lang in ("en", "zh"):
        page = (paths.repository() / "docs" / lang / "lab" / "index.md").read_text("utf-8")
        for each in settings.ALL:
            assert (f"`{each.name}`" in page) == each.public, f"{lang}: {each.name}"


def test_nothing_else_is_read_from_such_a_name() -> None:
    """A variable that the code reads, and that is not among the settings, would be refused by them."""
    said = subprocess.run(
        [
            "grep",
            "-rhoE",
            r"\bSHIMLAB_[A-Z_]+",
            "src",
            "lab",
            "noxfile.py",
            "run",
            "bench",
            "notebooks",
            "snippets",
        ],
        cwd=paths.repository(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(said.stdout.split()) - {each.name for each in settings.ALL} <= {settings.PREFIX}


@pytest.mark.parametrize("home", ["here", ".", "/proc/nobody", "/dev/null", "/" + "x" * 5000])
def test_a_folder_that_cannot_be_the_labs_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", home)
    with pytest.raises(LabError) as caught:
        paths.state_dir()
    assert len(caught.value.what) < 300
    monkeypatch.setenv("XDG_STATE_HOME", home)
    with pytest.raises(LabError) as caught:
        paths.state_dir()
    assert "XDG_STATE_HOME" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
