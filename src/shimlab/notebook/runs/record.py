"""Run notebooks on the live lab and write their outputs: ``python -m shimlab.notebook.runs.record [-k PART]``.

A notebook is written only when all of it ran; one whose outputs did not change is left as it is, to the byte. Either
way the ledger of outcomes says that it was recorded: `note(path, lab, day)`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import nbclient
import nbformat

from shimfacts import ledger, proofs
from shimlab.cluster import status
from shimlab.notebook import records
from shimlab.notebook.runs import books, needs_lab

CELL_SECONDS = 300


def main(argv: Sequence[str] | None = None) -> int:
    """Record every notebook that was picked; return 1 at the first that does not run."""
    parser = argparse.ArgumentParser(prog="nox -s notebooks -- --update", description=__doc__)
    parser.add_argument("-k", metavar="PART", default="", help="only notebooks with this in their name")
    picked = needs_lab.picked(parser.parse_args(argv).k)
    if not picked:
        return 1
    for path in picked:
        try:
            changed = record(path)
        except nbclient.exceptions.CellExecutionError as error:
            print(f"{path.name} was left as it is, since a cell failed:\n{error}", file=sys.stderr)
            return 1
        except nbclient.exceptions.DeadKernelError:
            print(f"{path.name} was left as it is, since the kernel died", file=sys.stderr)
            return 1
        note(path, status.lab(), ledger.today())
        print(f"{path.name}: {'recorded' if changed else 'nothing changed'}")
    return 0


def record(path: Path) -> bool:
    """Run a notebook from its first cell and write it; tell whether that changed the file.

    Raises:
        CellExecutionError: a cell failed. The cleanup cell ran all the same.
        DeadKernelError: the kernel died, and nothing was put back.
    """
    text = path.read_text(encoding="utf-8")
    notebook = books.read(path)
    runner = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
        record_timing=False,
    )
    with runner.setup_kernel(env={**os.environ, "PYTHONUTF8": "1", records.WRITE: "1"}):
        _run(runner, notebook)
    notebook.metadata = nbformat.from_dict(  # type: ignore[no-untyped-call]
        {**books.METADATA, "shimlab": notebook.metadata.get("shimlab", {})}
    )
    written = str(nbformat.writes(notebook))  # type: ignore[no-untyped-call]
    fresh = written.rstrip("\n") + "\n"
    if fresh == text:
        return False
    beside = path.with_suffix(".new")
    beside.write_text(fresh, encoding="utf-8")
    beside.replace(path)
    return True


def note(path: Path, lab: str, day: str) -> None:
    """Write into the committed ledger that a notebook, as it lies there, was recorded on a lab on a day (UTC).

    What an earlier validation on this machine said of it is taken away: it is older than the recording.
    """
    root, begins = path.parents[1], f"notebooks/{path.name}#"
    entries = {
        f"{begins}{cell}": ledger.Entry(ledger.PASSED, day, lab, found)
        for cell, found in proofs.of_cells(path).items()
    }
    for where, now in ((ledger.KEPT, entries), (ledger.SEEN, {})):
        before = [name for name in ledger.load(root / where) if name.startswith(begins)]
        if now or before:
            ledger.merge(root / where, now, before)


def _run(runner: nbclient.NotebookClient, notebook: nbformat.NotebookNode) -> None:
    """Execute the cells in order; after a failure only those that put things back."""
    failure: nbclient.exceptions.CellExecutionError | None = None
    for index, cell in enumerate(notebook.cells):
        if failure and books.CLEANUP not in cell.metadata.get("tags", []):
            continue
        try:
            runner.execute_cell(cell, index)
        except nbclient.exceptions.CellExecutionError as error:
            failure = failure or error
    if failure:
        raise failure


if __name__ == "__main__":
    raise SystemExit(main())
