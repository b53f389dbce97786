"""The last result of each code cell: whether it printed what is recorded, when, and on which lab.

Two ledgers of the same shape say so, a run for each notebook. `notebooks/results.json` is written when a notebook is
recorded (shimlab.notebook.runs.record) and committed with it; `.cache/notebook-results.json` by the last validation on
this machine (shimlab.notebook.runs.nbval_plugin), which also says how each cell ended. A run tells of a cell only as
long as the cell is the same: its fingerprint is that of its source and outputs.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from shimfacts.notebooks import coalesced

#: Committed; whatever is in it passed, or it would not have been recorded.
RECORDED = Path("notebooks") / "results.json"
#: Of this machine alone.
VALIDATED = Path(".cache") / "notebook-results.json"
PASSED, FAILED, SKIPPED = OUTCOMES = ("passed", "failed", "skipped")
_DIGITS = 16
_FINGERPRINT = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")


class ResultError(ValueError):
    """A ledger that cannot be read; says which, and what is wrong with it."""


@dataclass(frozen=True)
class Run:
    """One run of a notebook: the lab, the day (UTC), each cell's fingerprint, and how it ended if not recorded."""

    lab: str
    date: str
    cells: Mapping[str, str]
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How a cell ended, on which day and on which lab."""

    outcome: str
    date: str
    lab: str


def today() -> str:
    """Give the day as the ledgers write it."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def fingerprint(cell: Any) -> str:  # noqa: ANN401 - nbformat has no types
    """Hash what a reader sees of a code cell: its source, and its outputs without their counts."""
    outputs = [
        {key: value for key, value in output.items() if key != "execution_count"}
        for output in coalesced(cell.outputs)
    ]
    seen = json.dumps([cell.source, outputs], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(seen.encode()).hexdigest()[:_DIGITS]


def code_cells(notebook: Path) -> dict[str, str]:
    """List the code cells of a notebook by id, each with its fingerprint."""
    node = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    return {cell.id: fingerprint(cell) for cell in node.cells if cell.cell_type == "code"}


def last(root: Path, ledgers: tuple[Path, ...] = (RECORDED, VALIDATED)) -> dict[str, Result | None]:
    """Tell the last result of every code cell, under `NN-name.ipynb#cell-id`.

    None stands for a cell that has none: it was never run, or changed since. Of two results of one day that of the
    later ledger counts: a recording takes the validations before it away.

    Raises:
        ResultError: a ledger cannot be read.
    """
    runs = [load(root / ledger) for ledger in ledgers]
    found: dict[str, Result | None] = {}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        told = [ledger[path.name] for ledger in runs if path.name in ledger]
        for cell, now in code_cells(path).items():
            results = [
                Result(run.outcomes.get(cell, PASSED), run.date, run.lab)
                for run in told
                if run.cells.get(cell) == now
            ]
            # max() gives the first of equals, and the last is wanted.
            found[f"{path.name}#{cell}"] = max(reversed(results), key=lambda each: each.date, default=None)
    return found


def problems(notebook: Path) -> Iterator[str]:
    """Tell what the committed ledger does not vouch for in a notebook as it is now.

    Raises:
        ResultError: the ledger cannot be read.
    """
    run = load(notebook.parents[1] / RECORDED).get(notebook.name)
    if run is None:
        yield f"{RECORDED} knows nothing of it; record it"
        return
    cells = code_cells(notebook)
    for cell, now in cells.items():
        if (was := run.cells.get(cell)) != now:
            yield (
                f"cell '{cell}' changed since it was last recorded, on {run.date}: its fingerprint is {now}, "
                f"not {was}; record the notebook again"
            )
    for cell in run.cells:
        if cell not in cells:
            yield f"cell '{cell}' was recorded on {run.date} and is gone; record the notebook again"


def load(path: Path) -> dict[str, Run]:
    """Read a ledger: its runs by the notebook's file name; none where there is no ledger.

    Raises:
        ResultError: it is not of the shape that `merge` writes.
    """
    if not path.is_file():
        return {}
    where = f"{path.parent.name}/{path.name}"
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ResultError(f"{where} is not JSON: {error}; record or validate again") from error
    if not isinstance(data, dict):
        raise ResultError(f"{where} is no mapping of notebooks to runs")
    return {name: _run(f"{where}: {name}", raw) for name, raw in data.items()}


def merge(path: Path, notebook: str, run: Run | None) -> None:
    """Write the run of one notebook into a ledger, all at once, or take it away; leave the others as they are."""
    runs = load(path)
    runs.pop(notebook, None)
    if run is not None:
        runs[notebook] = run
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(dict(sorted(_plain(runs))), indent=1) + "\n", "utf-8")
    beside.replace(path)


def _plain(runs: Mapping[str, Run]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, run in runs.items():
        plain = {"lab": run.lab, "date": run.date, "cells": dict(run.cells)}
        yield name, plain | ({"outcomes": dict(run.outcomes)} if run.outcomes else {})


def _run(where: str, raw: object) -> Run:
    """Check one entry of a ledger and make a run of it."""
    keys = {"lab", "date", "cells"}
    if not isinstance(raw, dict) or not keys <= set(raw) <= keys | {"outcomes"}:
        raise ResultError(f"{where} has exactly lab, date and cells, and outcomes where it was validated")
    cells, outcomes = raw["cells"], raw.get("outcomes", {})
    try:
        datetime.date.fromisoformat(raw["date"])
    except (TypeError, ValueError) as error:
        raise ResultError(f"{where}: {raw['date']!r} is no day of the calendar; write 2026-11-25") from error
    if not isinstance(cells, dict) or not all(_FINGERPRINT.fullmatch(str(print)) for print in cells.values()):
        raise ResultError(f"{where}: each cell has a fingerprint of {_DIGITS} hexadecimal digits")
    if not isinstance(outcomes, dict) or (outcomes and set(outcomes) != set(cells)):
        raise ResultError(f"{where}: its outcomes are not of its cells")
    if unknown := [outcome for outcome in outcomes.values() if outcome not in OUTCOMES]:
        raise ResultError(f"{where}: unknown outcome {unknown[0]!r}; there are {', '.join(OUTCOMES)}")
    return Run(str(raw["lab"]), raw["date"], cells, outcomes)
