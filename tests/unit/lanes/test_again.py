"""The line that repeats what failed, pasted into a shell, runs just that: by what nox and pytest make of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.support.lanes import told
from tests.support.lanes.lane import Lane

from shimlab.cluster.export import kept
from shimlab.paths import repository
from shimlab.waiting import bound

# Ids with what a shell and pytest's own language take for something of theirs.
ODD = (
    "tests/unit/lanes/test_again.py::test_odd[a (b) and 'c' or \"d\"]",
    "tests/unit/lanes/test_again.py::test_odd[not $HOME; x=1 & [*] | `y`]",
)


@pytest.mark.parametrize("odd", ["a (b) and 'c' or \"d\"", "not $HOME; x=1 & [*] | `y`", "a", "b", "a (b)"])
def test_odd(odd: str) -> None:
    """Only there to be picked."""
    assert odd


def test_each_line_picks_what_failed_and_nothing_else(tmp_path: Path) -> None:
    """Through `./run` and nox, as it is printed; pytest is only asked what it would run."""
    lane = Lane("unit", "unit", ("-k", "something else"), environment={"SHIMLAB_NAME": "another"})
    (line,) = told.again(lane, ODD)
    assert line.startswith("SHIMLAB_NAME=another ./run unit -- ")
    done = subprocess.run(
        ["sh", "-c", f"{line} --collect-only -q"],
        cwd=repository(),
        capture_output=True,
        text=True,
        check=False,
        timeout=bound(60),
        # A session by itself would empty the folder of this one's evidence.
        env={**os.environ, "PYTEST_ADDOPTS": "", kept.FOLDER: str(tmp_path / "failed")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if "::" in line] == list(ODD)


def words(line: str, folder: Path) -> list[str]:
    """Let a shell run a line, and return what `./run` got from it, the lab's name in front."""
    (folder / "run").write_text('#!/bin/sh\nprintf "%s\\0" "${SHIMLAB_NAME-}" "$@"\n')
    (folder / "run").chmod(0o755)
    done = subprocess.run(["sh", "-euc", line], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize(
    ("session", "failed", "expected"),
    [
        ("live", ["tests/live/nodes/test_migrate.py::test_round[from dockershim]"], None),
        ("snippets", ["tests/live/snippets/test_snippets.py::test_it[kubelet-flags.sh]"], None),
        ("notebooks", ["notebooks/02-call-chain.ipynb"], [["-k", "02-call-chain"]]),
        (
            "removed",
            ["tests/live/removed/test_upgrade.py::test_x", "notebooks/07-removal.ipynb"],
            [["tests/live/removed/test_upgrade.py::test_x"], ["notebooks/07-removal.ipynb"]],
        ),
        # Not known, or so many that it is all of it.
        ("live", [], [["-k", "not (a or b)"]]),
        ("live", [f"tests/a.py::test_{number}" for number in range(50)], [["-k", "not (a or b)"]]),
    ],
)
def test_what_failed_is_named_as_its_session_takes_it(
    session: str, failed: list[str], expected: list[list[str]] | None, tmp_path: Path
) -> None:
    lane = Lane("l", session, ("-k", "not (a or b)"), environment={"SHIMLAB_NAME": "shimlab-faults"})
    found = [words(line, tmp_path) for line in told.again(lane, failed)]
    assert found == [["shimlab-faults", session, "--", *each] for each in expected or [failed]]
