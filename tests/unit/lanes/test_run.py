"""Lanes as processes: what is told, what is kept, and that Ctrl-C ends all of them and clears up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# In nox's place: what a session does is a line of shell in the file of its name.
NOX = """
import subprocess, sys
session = sys.argv[sys.argv.index("--session") + 1]
sys.exit(subprocess.run(["sh", "-eu", session]).returncode)
"""
PROGRAM = """
import sys
from pathlib import Path
from tests.support.lanes.lane import Lane, Share
from tests.support.lanes.run import Run
lanes = [
    Lane(
        "up", "up.sh", keeps=Share(0.1, 0.1), until="down", takes=Share(0.1, 0.1), environment={"SHIMLAB_NAME": "own"}
    ),
    Lane("use", "use.sh", needs=("up",), takes=Share(0.1, 0.1)),
    Lane("other", "other.sh", ("-k", "a b"), takes=Share(0.1, 0.1), environment={"SHIMLAB_NAME": "second"}),
    Lane(
        "down", "down.sh", needs=("up",), after=("use",), clears=True, takes=Share(0.1, 0.1), spares="keep" in sys.argv
    ),
]
sys.exit(Run(lanes, sys.executable, Path(sys.argv[1])).all())
"""
ROOT = Path(__file__).parents[3]


def start(folder: Path, *flags: str, **scripts: str) -> subprocess.Popen[str]:
    """Start the lanes; each script says that it ran."""
    (folder / "nox").mkdir(exist_ok=True)
    (folder / "nox" / "__main__.py").write_text(NOX)
    for name in ("up", "use", "other", "down"):
        (folder / f"{name}.sh").write_text(
            f"echo {name} says hello\n{scripts.get(name, '')}\necho {name} >>ran\n"
        )
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), *flags],
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}:{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_all_of_them_run_and_what_each_said_is_told_in_one_piece(tmp_path: Path) -> None:
    child = start(tmp_path, use="sleep 0.3; echo and again")
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert "use says hello\nand again\n" in said
    assert sorted((tmp_path / "ran").read_text().split()) == ["down", "other", "up", "use"]
    table = said[said.index("lane ") :]
    assert [line.split()[1] for line in table.splitlines() if line.startswith("✓")][-1] == "down"
    # What the next run tells at its start.
    minutes = json.loads((tmp_path / ".cache/lanes/minutes.json").read_text())
    assert set(minutes) == {"up", "use", "other", "down", "all lanes"}
    again, _ = start(tmp_path).communicate(timeout=60)
    assert "minutes here last time" in again


def test_a_lane_that_fails_stops_no_other_and_the_table_says_how_to_repeat_it(tmp_path: Path) -> None:
    child = start(tmp_path, other="exit 3")
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert sorted((tmp_path / "ran").read_text().split()) == ["down", "up", "use"]
    assert said.splitlines()[-1] == "other failed; again: SHIMLAB_NAME=second ./run other.sh -- -k 'a b'"
    assert (tmp_path / ".cache/lanes/other.log").read_text() == "other says hello\n"


# What a session leaves that fails.
LEAVES = 'mkdir -p "$EVIDENCE_FOLDER"; echo "$1" >>"$EVIDENCE_FOLDER/again"; exit 1'


def test_what_is_left_of_a_lane_that_failed_is_told_and_is_of_this_run(tmp_path: Path) -> None:
    old = tmp_path / ".cache/failed/use/again"
    old.parent.mkdir(parents=True)
    old.write_text("tests/a.py::test_of_an_earlier_run\n")
    child = start(tmp_path, other=LEAVES.replace("$1", "tests/a.py::test_b[x y]"))
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "(log: .cache/lanes/other.log, evidence: .cache/failed/other)" in said
    assert said.splitlines()[-1] == (
        "other failed; again: SHIMLAB_NAME=second ./run other.sh -- 'tests/a.py::test_b[x y]'"
    )
    assert [each.name for each in (tmp_path / ".cache/failed").iterdir()] == ["other"]


@pytest.mark.parametrize("flags", [(), ("keep",)])
def test_a_lab_is_kept_if_that_is_asked_for_and_it_is_said_how_to_take_it_down(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    said, _ = start(tmp_path, *flags, use="exit 1").communicate(timeout=60)
    assert ("down" in (tmp_path / "ran").read_text().split()) == (not flags)
    told = "own is up; down with it: SHIMLAB_NAME=own ./run shimlab -- down"
    assert said.splitlines()[-2:-1] == ([told] if flags else said.splitlines()[-2:-1])
    assert (told in said) == bool(flags)
    assert said.splitlines()[-1] == "use failed; again: ./run use.sh"


def test_a_lab_that_did_not_come_up_is_taken_down_and_not_used(tmp_path: Path) -> None:
    child = start(tmp_path, up="exit 1")
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    assert sorted((tmp_path / "ran").read_text().split()) == ["down", "other"]
    assert "up did not pass" in said


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all_lanes_and_clears_up(tmp_path: Path, sign: signal.Signals) -> None:
    child = start(tmp_path, use="sleep 600", other="touch there; sleep 600", down="sleep 1")
    deadline = time.monotonic() + 60
    while (
        not ((tmp_path / "there").exists() and "up" in _read(tmp_path / "ran"))
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    child.send_signal(sign)
    # Pressed again by somebody who is in a hurry: labs are taken down all the same.
    time.sleep(0.2)
    child.send_signal(sign)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert (tmp_path / "ran").read_text().split() == ["up", "down"]
    assert "interrupted" in said
    assert subprocess.run(["pgrep", "-f", f"{tmp_path}"], check=False, capture_output=True).stdout == b""


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
