"""nbval as we call it, on small notebooks and a real kernel: what must turn red does. No lab is needed."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.notebooks import books, record, validate


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
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert record.record(path)
    return path


def change(path: Path, **fields: Any) -> None:
    """Change the second cell of the recorded notebook."""
    notebook = books.read(path)
    notebook.cells[1].update(copy.deepcopy(fields))
    nbformat.write(notebook, path)


def run(path: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, *validate.command(path), "-rs"]
    return subprocess.run(argv, cwd=books.ROOT, capture_output=True, text=True, check=False)


def test_a_recorded_notebook_is_green_and_stays_as_it_is(path):
    before = path.read_bytes()
    done = run(path)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert not record.record(path)
    assert path.read_bytes() == before


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
