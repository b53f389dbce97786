"""The last result of each cell, out of the two ledgers; and ledgers that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from shimfacts import ledger as results
from shimfacts.ledger import Result, ResultError, Run


def printing(text: str, source: str = "print(1)", **more: Any) -> Any:
    return v4.new_code_cell(source, id="a", outputs=[v4.new_output("stream", text=text)], **more)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one notebook of one cell, `a`."""
    (tmp_path / "notebooks").mkdir()
    cells = [v4.new_markdown_cell("# T"), printing("1\n")]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01-a.ipynb")
    return tmp_path


NOW = results.fingerprint(printing("1\n"))
OTHER = results.fingerprint(printing("2\n"))


def recorded(root: Path, day: str, print_: str = NOW) -> None:
    results.merge(root / results.RECORDED, "01-a.ipynb", Run("deprecated", day, {"a": print_}))


def validated(root: Path, day: str, outcome: str, print_: str = NOW) -> None:
    run = Run("removed", day, {"a": print_}, {"a": outcome})
    results.merge(root / results.VALIDATED, "01-a.ipynb", run)


def last(root: Path) -> Result | None:
    found = results.last(root)
    assert list(found) == ["01-a.ipynb#a"]
    return found["01-a.ipynb#a"]


def test_a_fingerprint_is_of_what_a_reader_sees() -> None:
    assert len(NOW) == 16
    assert results.fingerprint(printing("1\n", execution_count=7, metadata={"tags": ["x"]})) == NOW
    assert NOW not in (OTHER, results.fingerprint(printing("1\n", "print( 1)")))


def test_pieces_of_a_stream_and_counts_of_results_make_no_difference() -> None:
    pieces = v4.new_code_cell(
        "print(1)", outputs=[v4.new_output("stream", text="1"), v4.new_output("stream", text="\n")]
    )
    assert results.fingerprint(pieces) == NOW
    shown = [
        v4.new_code_cell(
            "1",
            outputs=[v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=count)],
        )
        for count in (1, 2)
    ]
    assert len({results.fingerprint(cell) for cell in shown}) == 1


def test_a_cell_that_nobody_ran_has_no_result(root: Path) -> None:
    assert last(root) is None


def test_what_was_recorded_passed(root: Path) -> None:
    recorded(root, "2026-11-25")
    assert last(root) == Result("passed", "2026-11-25", "deprecated")


@pytest.mark.parametrize("outcome", results.OUTCOMES)
def test_the_newer_entry_counts(root: Path, outcome: str) -> None:
    recorded(root, "2026-11-25")
    validated(root, "2026-11-24", outcome)
    assert last(root) == Result("passed", "2026-11-25", "deprecated")
    validated(root, "2026-11-26", outcome)
    assert last(root) == Result(outcome, "2026-11-26", "removed")


def test_of_one_day_the_validation_counts(root: Path) -> None:
    recorded(root, "2026-11-25")
    validated(root, "2026-11-25", "failed")
    assert last(root) == Result("failed", "2026-11-25", "removed")


def test_a_result_of_another_text_or_output_is_none(root: Path) -> None:
    recorded(root, "2026-11-25", OTHER)
    validated(root, "2026-11-26", "passed", OTHER)
    assert last(root) is None
    validated(root, "2026-11-20", "failed")
    assert last(root) == Result("failed", "2026-11-20", "removed")


def test_the_committed_ledger_can_be_asked_alone(root: Path) -> None:
    validated(root, "2026-11-26", "passed")
    assert results.last(root, (results.RECORDED,)) == {"01-a.ipynb#a": None}


def test_merging_a_run_leaves_other_notebooks_and_no_other_file(root: Path) -> None:
    path = root / results.RECORDED
    results.merge(path, "02-b.ipynb", Run("removed", "2026-11-01", {"z": OTHER, "b": NOW}))
    before = json.loads(path.read_text("utf-8"))["02-b.ipynb"]
    recorded(root, "2026-11-25")
    recorded(root, "2026-11-26")
    written = json.loads(path.read_text("utf-8"))
    assert list(written) == ["01-a.ipynb", "02-b.ipynb"]
    assert written["01-a.ipynb"] == {"lab": "deprecated", "date": "2026-11-26", "cells": {"a": NOW}}
    assert written["02-b.ipynb"] == before
    # In the order of the notebook, not of the alphabet.
    assert list(before["cells"]) == ["z", "b"]
    results.merge(path, "01-a.ipynb", None)
    assert json.loads(path.read_text("utf-8")) == {"02-b.ipynb": before}
    assert {each.name for each in path.parent.iterdir()} == {"01-a.ipynb", "results.json"}


def test_a_ledger_is_never_half_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(root, "2026-11-25")
    before = (root / results.RECORDED).read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        recorded(root, "2026-11-26")
    assert (root / results.RECORDED).read_bytes() == before


RUN = {"lab": "deprecated", "date": "2026-11-25", "cells": {"a": NOW}}


@pytest.mark.parametrize(
    ("ledger", "complaint"),
    [
        ("{", "notebooks/results.json is not JSON"),
        ([], "notebooks/results.json is no mapping"),
        ({"01-a.ipynb": {"lab": "x"}}, "01-a.ipynb has exactly lab, date and cells"),
        ({"01-a.ipynb": {**RUN, "more": 1}}, "01-a.ipynb has exactly lab, date and cells"),
        ({"01-a.ipynb": {**RUN, "date": "25 Nov"}}, "'25 Nov' is no day of the calendar"),
        ({"01-a.ipynb": {**RUN, "date": 5}}, "5 is no day of the calendar"),
        ({"01-a.ipynb": {**RUN, "cells": {"a": "x"}}}, "a fingerprint of 16 hexadecimal digits"),
        ({"01-a.ipynb": {**RUN, "outcomes": {"b": "passed"}}}, "its outcomes are not of its cells"),
        ({"01-a.ipynb": {**RUN, "outcomes": {"a": "fine"}}}, "unknown outcome 'fine'"),
    ],
)
def test_a_ledger_that_cannot_be_read(root: Path, ledger: Any, complaint: str) -> None:
    text = ledger if isinstance(ledger, str) else json.dumps(ledger)
    (root / results.RECORDED).write_text(text, "utf-8")
    with pytest.raises(ResultError, match=complaint):
        results.last(root)
