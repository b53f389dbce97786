"""Recorded notebooks are whole: every cell executed, in order, without a failure that nobody meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hooks import content
from nbformat import v4
from tests.docs import project

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


def empty(notebook: Any) -> None:
    notebook.cells[1].source = " \n"


def old_output(notebook: Any) -> None:
    notebook.cells[1].outputs = [v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=9)]


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
        (empty, "cell 2: an empty code cell"),
        (old_output, "cell 2: holds an output of count 9, not 2"),
    ],
)
def test_the_check(tmp_path: Path, spoil: Any, complaint: str) -> None:
    notebook = project.notebook(project.code("1"), project.code("2"))
    spoil(notebook)
    project.make(tmp_path, {}, {"01-a.ipynb": notebook})
    found = list(content.notebook_problems(tmp_path))
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
