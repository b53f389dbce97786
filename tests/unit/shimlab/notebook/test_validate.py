"""nbval as we call it, on small notebooks and a real kernel: what must turn red does. No lab is needed."""

from __future__ import annotations

import copy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.support import command

from shimfacts import ledger as results
from shimfacts import proofs
from shimlab import paths
from shimlab.cluster import status
from shimlab.cluster.export import kept
from shimlab.notebook.runs import books, needs_lab, record, validate
from shimlab.waiting import bound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A notebook as it is recorded: three cells, of which the last puts things back."""
    sources = [
        "kept = open('kept', 'w').close()\nprint('made')",
        "print(1 + 1)",
        "import os; os.remove('kept')",
    ]
    cells = [nbformat.v4.new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)]
    cells[-1].metadata["tags"] = [books.CLEANUP]
    path = tmp_path / "notebooks" / "01-small.ipynb"
    path.parent.mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"shimlab": {"labs": ["deprecated"]}}), path
    )
    assert record.record(path)
    return path


def change(path: Path, **fields: Any) -> None:
    """Change the second cell of the recorded notebook."""
    notebook = books.read(path)
    notebook.cells[1].update(copy.deepcopy(fields))
    nbformat.write(notebook, path)


def run(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return command.program(sys.executable, *validate.command(path), "-rs", *more, cwd=books.ROOT, seconds=300)


def test_a_recorded_notebook_is_green_and_stays_as_it_is(path):
    before = path.read_bytes()
    done = run(path)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert not record.record(path)
    assert path.read_bytes() == before


def entries(path, lab: str, **outcomes: str) -> dict[str, results.Entry]:
    """What a ledger holds of a notebook as it is now."""
    return {
        f"notebooks/{path.name}#{cell}": results.Entry(
            outcomes.get(cell, "passed"), results.today(), lab, found
        )
        for cell, found in proofs.of_cells(path).items()
    }


def test_how_each_cell_ended_is_kept_when_the_lab_is_known(path):
    ledger = path.parents[1] / results.SEEN
    other = {
        "notebooks/02-other.ipynb#x": results.Entry("passed", "2026-11-01", "removed", "0123456789abcdef")
    }
    results.merge(ledger, other)
    assert run(path).returncode == 0
    assert results.load(ledger) == other
    assert run(path, "--lab", "deprecated").returncode == 0
    assert results.load(ledger) == other | entries(path, "deprecated")


def test_a_failed_and_a_skipped_cell_are_kept_as_such(path):
    change(path, source="1 / 0")
    notebook = books.read(path)
    notebook.cells.insert(2, nbformat.v4.new_code_cell("1", id="between", execution_count=3))
    notebook.cells[3].execution_count = 4
    nbformat.write(notebook, path)
    assert run(path, "--lab", "removed").returncode == 1
    kept = results.load(path.parents[1] / results.SEEN)
    assert kept == entries(path, "removed", c1="failed", between="skipped")


def test_a_refused_notebook_keeps_its_results(path):
    assert run(path, "--lab", "deprecated").returncode == 0
    before = (path.parents[1] / results.SEEN).read_bytes()
    change(path, execution_count=None, outputs=[])
    assert run(path, "--lab", "deprecated").returncode not in (0, 1)
    assert (path.parents[1] / results.SEEN).read_bytes() == before


def test_recording_is_noted_and_outdates_the_validation_before(path, monkeypatch):
    root = path.parents[1]
    results.merge(root / results.SEEN, entries(path, "removed", c1="failed"))
    gone = {f"notebooks/{path.name}#gone": results.Entry("passed", "2026-11-01", "removed", "0" * 16)}
    results.merge(root / results.KEPT, gone)
    monkeypatch.setattr(needs_lab, "picked", lambda part: [path])
    monkeypatch.setattr(status, "lab", lambda: "deprecated")
    assert record.main([]) == 0
    assert results.load(root / results.KEPT) == entries(path, "deprecated")
    assert results.load(root / results.SEEN) == {}


def test_a_notebook_that_fails_is_not_noted(path, monkeypatch):
    change(path, source="1 / 0")
    monkeypatch.setattr(needs_lab, "picked", lambda part: [path])
    assert record.main([]) == 1
    assert not (path.parents[1] / results.KEPT).exists()


def test_a_changed_output_is_red(path):
    change(path, outputs=[nbformat.v4.new_output("stream", name="stdout", text="3\n")])
    done = run(path)
    assert done.returncode == 1
    assert "1 failed, 2 passed" in done.stdout


def test_after_a_failure_only_the_cleanup_runs(path):
    notebook = books.read(path)
    notebook.cells[0].source += "\nraise SystemError('broken')"
    nbformat.write(notebook, path)
    done = run(path)
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 skipped" in done.stdout
    assert "Cell 0 failed" in done.stdout
    assert not (path.parent / "kept").exists()


def test_a_kernel_that_dies_is_called_that_within_seconds(path, monkeypatch, capfd):
    change(path, source="import os; print('so far', flush=True); os.kill(os.getpid(), 9)")
    monkeypatch.setattr(needs_lab, "picked", lambda part: [path])
    monkeypatch.setattr(status, "lab", lambda: "deprecated")
    # It asks for a lab as the run begins, in a process of its own; here none is up.
    monkeypatch.setattr(validate, "NEEDS_LAB", [])
    began = time.monotonic()
    assert validate.main(["-rs"]) == 1
    assert time.monotonic() - began < bound(30)
    said, complained = capfd.readouterr()
    assert "Cell 1: The kernel died" in said
    # Nothing that is left could put anything back.
    assert "1 failed, 1 passed, 1 skipped" in said
    assert "what the notebook made is still there" in said
    assert complained.splitlines() == [f"the kernel died: {path.name}"]


def test_the_first_cell_that_fails_leaves_evidence_from_before_the_cleanup(
    path, lab, tmp_path, monkeypatch, capfd
):
    state = paths.log_dir() / "state.log"
    notebook = books.read(path)
    notebook.cells[0].source += f"\n_ = open({str(state)!r}, 'w').write('broken')"
    notebook.cells[1].source = "1 / 0"
    notebook.cells[2].source += f"; _ = open({str(state)!r}, 'w').write('right')"
    nbformat.write(notebook, path)
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "failed"))
    monkeypatch.setattr(needs_lab, "picked", lambda part: [path])
    monkeypatch.setattr(status, "lab", lambda: "deprecated")
    monkeypatch.setattr(validate, "NEEDS_LAB", [])
    assert validate.main([]) == 1
    assert state.read_text() == "right"
    folder = tmp_path / "failed" / "01-small-Cell-1"
    assert (folder / "lab/log/state.log").read_text() == "broken"
    assert kept.which(tmp_path / "failed") == ["notebooks/01-small.ipynb"]
    said = capfd.readouterr().out
    assert said.count(str(folder)) == 2
    assert "shimlab-worker2: Ready=True" in said
    # Where it is not known that this is a lab's, as in the tests that see notebooks turn red, there is nothing to keep.
    assert run(path).returncode == 1
    assert [each.name for each in sorted((tmp_path / "failed").iterdir())] == [folder.name, "again"]


def test_a_kernel_that_dies_is_called_that_when_a_notebook_is_recorded(path, monkeypatch, capsys):
    change(path, source="import os; os.kill(os.getpid(), 9)")
    before = path.read_bytes()
    monkeypatch.setattr(needs_lab, "picked", lambda part: [path])
    assert record.main([]) == 1
    assert capsys.readouterr().err == f"{path.name} was left as it is, since the kernel died\n"
    assert path.read_bytes() == before


def test_a_cell_never_executed_is_refused(path):
    change(path, execution_count=None, outputs=[])
    done = run(path)
    assert done.returncode not in (0, 1)
    assert "was not executed" in done.stdout + done.stderr


def test_a_failing_notebook_is_not_recorded(path):
    change(path, source="1 / 0")
    before = path.read_bytes()
    with pytest.raises(record.nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        record.record(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_notebook_of_that_name_is_no_success(capsys):
    assert validate.main(["-k", "no-such"]) == 1
    assert "no notebook of that name" in capsys.readouterr().err
