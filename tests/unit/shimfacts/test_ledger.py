"""The ledgers of outcomes: what they hold, how they are written side by side, and those that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shimfacts import ledger
from shimfacts.ledger import Entry, ResultError

PRINT, OTHER = "0123456789abcdef", "fedcba9876543210"
ENTRY = Entry(ledger.PASSED, "2026-11-25", "deprecated", PRINT)
CELL, TEST = "notebooks/01-a.ipynb#a", "tests/live/t.py::test_it[x]"


def test_a_ledger_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert ledger.load(tmp_path / ledger.KEPT) == {}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / ledger.SEEN
    read = Entry(ledger.FAILED, "2026-11-26", "removed", OTHER, {"msg": PRINT}, {"specs": 107})
    ledger.merge(path, {CELL: ENTRY, TEST: read})
    assert ledger.load(path) == {CELL: ENTRY, TEST: read}
    # An entry is a line, so that branches merge.
    assert len(path.read_text("utf-8").splitlines()) == 4


def test_merging_leaves_other_entries_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / ledger.KEPT
    ledger.merge(path, {CELL: ENTRY, TEST: ENTRY})
    ledger.merge(path, {CELL: Entry(ledger.PASSED, "2026-11-26", "removed", OTHER)}, [TEST])
    assert ledger.load(path) == {CELL: Entry(ledger.PASSED, "2026-11-26", "removed", OTHER)}
    assert [each.name for each in path.parent.iterdir()] == ["outcomes.json"]


def test_a_ledger_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ledger.KEPT
    ledger.merge(path, {CELL: ENTRY})
    before = path.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        ledger.merge(path, {TEST: ENTRY})
    assert path.read_bytes() == before


def test_lanes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from shimfacts import ledger\n"
        "path, lane = pathlib.Path(sys.argv[1]), sys.argv[2]\n"
        "for number in range(40):\n"
        f"    entry = ledger.Entry('passed', '2026-11-25', 'x', '{PRINT}')\n"
        "    ledger.merge(path, {f'tests/{lane}.py::test_{number}': entry})\n"
    )
    path = tmp_path / ledger.SEEN
    lanes = [subprocess.Popen([sys.executable, "-c", program, str(path), lane]) for lane in ("a", "b", "c")]
    assert [lane.wait(60) for lane in lanes] == [0, 0, 0]
    assert len(ledger.load(path)) == 120


def test_what_a_ledger_holds_but_for_the_days(tmp_path: Path) -> None:
    path = tmp_path / ledger.SEEN
    ledger.merge(path, {CELL: ENTRY})
    before = ledger.without_days(path)
    ledger.merge(path, {CELL: Entry(ledger.PASSED, "2026-12-01", "removed", PRINT)})
    assert ledger.without_days(path) == before
    ledger.merge(path, {CELL: Entry(ledger.FAILED, "2026-12-01", "removed", PRINT)})
    assert ledger.without_days(path) != before


RUN = {"outcome": "passed", "lab": "deprecated", "date": "2026-11-25", "print": PRINT}


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("{", "facts/outcomes.json is not JSON"),
        ([], "facts/outcomes.json is no mapping"),
        ({CELL: {"lab": "x"}}, f"{CELL} has exactly date, lab, outcome, print"),
        ({CELL: {**RUN, "more": 1}}, f"{CELL} has exactly date, lab, outcome, print"),
        ({CELL: {**RUN, "date": "25 Nov"}}, "'25 Nov' is no day of the calendar"),
        ({CELL: {**RUN, "date": 5}}, "5 is no day of the calendar"),
        ({CELL: {**RUN, "print": "x"}}, "a fingerprint is 16 hexadecimal digits"),
        ({CELL: {**RUN, "facts": {"msg": "x"}}}, "a fingerprint is 16 hexadecimal digits"),
        ({CELL: {**RUN, "told": {"specs": "x"}}}, "what it told is numbers"),
        ({CELL: {**RUN, "outcome": "fine"}}, "unknown outcome 'fine'"),
    ],
)
def test_a_ledger_that_cannot_be_read(tmp_path: Path, written: Any, complaint: str) -> None:
    path = tmp_path / ledger.KEPT
    path.parent.mkdir()
    path.write_text(written if isinstance(written, str) else json.dumps(written), "utf-8")
    with pytest.raises(ResultError) as caught:
        ledger.load(path)
    assert complaint in str(caught.value)
