"""Every notebook is worth running, and each way of proving nothing is found."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest

from shimlab.cluster import status
from shimlab.notebook.runs import books, needs_lab


def code(source: str, count: int = 1, **metadata: Any) -> Any:
    return nbformat.v4.new_code_cell(source, execution_count=count, metadata=metadata)


def good() -> Any:
    cells = [code("print(1)"), nbformat.v4.new_markdown_cell("text"), code("pass", 2, tags=["cleanup"])]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={**copy.deepcopy(books.METADATA), "shimlab": {"labs": ["deprecated"]}}
    )


def test_there_are_notebooks():
    assert books.paths()


@pytest.mark.parametrize("path", books.paths(), ids=lambda path: path.name)
def test_a_notebook_is_worth_running(path: Path):
    assert books.faults(path) == []


def test_a_good_notebook_has_no_risks():
    assert books.risks(good()) == []


@pytest.mark.parametrize(
    ("source", "risk"),
    [
        ("!false", "magic"),
        ("x = 1\n%run a.py", "magic"),
        ("%%bash\nfalse\ntrue", "set -euo pipefail"),
        ("import os\nos.system('ls')", "os.system"),
    ],
)
def test_a_cell_that_may_prove_nothing_is_found(source: str, risk: str):
    notebook = good()
    notebook.cells[0] = code(source)
    (found,) = books.risks(notebook)
    assert risk in found


def test_an_output_that_should_not_be_there():
    notebook = good()
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stderr", text="Warning:")]
    assert books.risks(notebook) == ["code cell 1 wrote to stderr"]


def test_strict_shell_is_accepted():
    notebook = good()
    notebook.cells[0] = code(f"%%bash\n{books.STRICT_SHELL}\ntrue")
    assert books.risks(notebook) == []


def test_a_notebook_without_cleanup():
    notebook = good()
    notebook.cells[-1].metadata = {}
    assert any("puts everything back" in risk for risk in books.risks(notebook))


def test_a_cell_that_was_never_executed(tmp_path: Path):
    path = tmp_path / "notebooks" / "01-a.ipynb"
    path.parent.mkdir()
    notebook = good()
    notebook.cells[-1].execution_count = None
    nbformat.write(notebook, path)
    (fault,) = books.faults(path)
    assert "not executed" in fault


def test_a_notebook_that_is_not_for_this_lab_is_not_run_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(needs_lab, "require", lambda: None)
    monkeypatch.setattr(status, "lab", lambda: "containerd")
    assert needs_lab.picked("01") == []
    assert (
        "01-which-runtime.ipynb: not run, it needs deprecated and containerd is up" in capsys.readouterr().err
    )
    monkeypatch.setattr(status, "lab", lambda: "deprecated")
    assert [path.name for path in needs_lab.picked("01")] == ["01-which-runtime.ipynb"]
