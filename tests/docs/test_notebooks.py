"""Recorded notebooks are whole: every cell executed, in order, without a failure that nobody meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4
from tests.support import project

from shimfacts import ledger, proofs
from shimsite.checks import content

#: How many cells nbval may leave unchecked. It goes down; to raise it, say why in the commit.
MOST_UNCHECKED = 0

FAILURE = v4.new_output("error", ename="E", evalue="e", traceback=[])


def test_the_recorded_notebooks_are_whole(root: Path) -> None:
    assert content.notebook_files(root)
    problems = list(content.notebook_problems(root))
    assert not problems, "\n".join(problems)


def test_few_cells_are_kept_from_being_checked(root: Path) -> None:
    assert len(content.unchecked_cells(root)) <= MOST_UNCHECKED, content.unchecked_cells(root)


def never_executed(notebook: Any) -> None:
    notebook.cells[1].execution_count = None


def out_of_order(notebook: Any) -> None:
    notebook.cells[0].execution_count, notebook.cells[1].execution_count = 2, 1


def started_late(notebook: Any) -> None:
    notebook.cells[0].execution_count, notebook.cells[1].execution_count = 5, 6


def failed(notebook: Any) -> None:
    notebook.cells[1].outputs = [FAILURE]


def did_not_fail(notebook: Any) -> None:
    notebook.cells[1].metadata["tags"] = ["raises-exception"]


def ignored(notebook: Any) -> None:
    notebook.cells[1].metadata["tags"] = ["nbval-ignore-output"]


def skipped(notebook: Any) -> None:
    notebook.cells[1].metadata.update(tags=["nbval-skip"], reason=" ")


def own_kernel(notebook: Any) -> None:
    notebook.metadata.kernelspec = {"display_name": "my venv", "language": "python", "name": "venv"}


def own_python(notebook: Any) -> None:
    notebook.metadata.language_info = {"name": "python", "version": "3.11.7"}


def own_editor(notebook: Any) -> None:
    notebook.metadata.vscode = {}


def on_no_lab(notebook: Any) -> None:
    del notebook.metadata["shimlab"]


def empty(notebook: Any) -> None:
    notebook.cells[1].source = " \n"


def odd_id(notebook: Any) -> None:
    notebook.cells[1]["id"] = "a_cell"


def same_ids(notebook: Any) -> None:
    notebook.cells[1]["id"] = notebook.cells[0]["id"] = "twice"


def id_of_prose(notebook: Any) -> None:
    notebook.cells.append(v4.new_markdown_cell("x", id=notebook.cells[0]["id"]))


def old_output(notebook: Any) -> None:
    notebook.cells[1].outputs = [v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=9)]


# nbformat warns of what it mends; the check has to find it all the same.
@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (never_executed, "cell 2: was not executed in order: its count is None, not 2"),
        (out_of_order, "cell 1: was not executed in order: its count is 2, not 1"),
        (started_late, "cell 1: was not executed in order: its count is 5, not 1"),
        (failed, "cell 2: ended in an error"),
        (did_not_fail, "cell 2: is tagged raises-exception, but did not raise"),
        (ignored, "cell 2: is tagged nbval-ignore-output without a `reason`"),
        (skipped, "cell 2: is tagged nbval-skip without a `reason`"),
        (own_kernel, "its kernel is"),
        (own_python, "its metadata names a version of Python"),
        (own_editor, "its metadata holds vscode"),
        (on_no_lab, "its metadata does not say on which labs it runs"),
        (empty, "cell 2: an empty code cell"),
        (odd_id, "cell 2: its id 'a_cell' is not letters, digits and hyphens"),
        (same_ids, "cell 2: its id 'twice' is that of cell 1 too"),
        (id_of_prose, "cell 3: its id 'c1' is that of cell 1 too"),
        (old_output, "cell 2: holds an output of count 9, not 2"),
    ],
)
def test_the_check(tmp_path: Path, spoil: Any, complaint: str) -> None:
    notebook = project.notebook(project.code("1", name="c1"), project.code("2", name="c2"))
    spoil(notebook)
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "01-a.ipynb"
    # Not nbformat, which gives cells of the same id other ones as it writes.
    path.write_text(json.dumps(notebook), "utf-8")
    found = list(content.recording_problems(path))
    assert found == [
        problem for problem in content.notebook_problems(tmp_path) if "outcomes.json" not in problem
    ]
    assert found
    assert found[0].removeprefix("notebooks/01-a.ipynb").lstrip(",: ").startswith(complaint)


def test_the_check_accepts_what_is_meant(tmp_path: Path) -> None:
    notebook = project.notebook(
        project.code("1/0", FAILURE, tags=("raises-exception",)),
        project.code("x", tags=("nbval-ignore-output",), reason="prints the time of day"),
    )
    project.make(tmp_path, {}, {"01-a.ipynb": notebook})
    assert list(content.notebook_problems(tmp_path)) == []
    assert content.unchecked_cells(tmp_path) == {"01-a.ipynb, cell 2": "prints the time of day"}


# ---- What the ledger of results vouches for ------------------------------------------------------------


def complaints(folder: Path, *cells: Any) -> list[str]:
    """Put other cells into a notebook that was recorded with one cell, `a`, printing 1."""
    recorded = project.notebook(project.code("print(1)", project.printed("1\n"), name="a"))
    project.make(folder, {}, {"01-a.ipynb": recorded})
    assert list(content.notebook_problems(folder)) == []
    (folder / "notebooks" / "01-a.ipynb").write_text(json.dumps(project.notebook(*cells)), "utf-8")
    return [found.removeprefix("notebooks/01-a.ipynb: ") for found in content.notebook_problems(folder)]


@pytest.mark.parametrize(
    "cell",
    [
        project.code("print(2)", project.printed("1\n"), name="a"),
        project.code("print(1)", project.printed("2\n"), name="a"),
        project.code("print(1)", name="a"),
    ],
    ids=["another source", "another output", "no output"],
)
def test_a_cell_that_changed_since_it_was_recorded_is_found(tmp_path: Path, cell: Any) -> None:
    [found] = complaints(tmp_path, cell)
    assert found.startswith(f"cell 'a' changed since it was last recorded, on {project.RECORDED}: ")
    assert proofs.of_cell(cell) in found


def test_a_cell_that_came_or_went_since_is_found(tmp_path: Path) -> None:
    found = complaints(tmp_path, project.code("print(1)", project.printed("1\n"), name="b"))
    assert found[0].startswith("cell 'b' was never recorded")
    assert found[1].startswith(f"cell 'a' was recorded on {project.RECORDED} and is gone")


def test_a_notebook_that_was_never_recorded_is_found(tmp_path: Path) -> None:
    project.make(tmp_path, {}, {"01-a.ipynb": project.notebook(project.code("1"))})
    (tmp_path / ledger.KEPT).unlink()
    [found] = content.notebook_problems(tmp_path)
    assert found == "notebooks/01-a.ipynb: facts/outcomes.json knows nothing of it; record it"
