"""Notebooks as they lie in the repository: their cells, and whether each was recorded as it stands there."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

_CELL_ID = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


def notebook_files(root: Path) -> list[Path]:
    """List the notebooks."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def coalesced(outputs: list[Any]) -> list[Any]:
    """Join neighbouring outputs of the same stream, which a kernel emits in arbitrary pieces."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(copy.deepcopy(output))
    return joined


def recording_problems(path: Path) -> Iterator[str]:
    """Tell which cells of a notebook were never executed, or failed, or are kept from being checked."""
    notebook = _read(path)
    for problem in _metadata_problems(notebook):
        yield f"notebooks/{path.name}: {problem}"
    expected = 0
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            expected += 1
            for problem in _cell_problems(cell, expected):
                yield f"notebooks/{path.name}, cell {number}: {problem}"
    if not expected:
        yield f"notebooks/{path.name}: has no code cell"
    for number, problem in _id_problems(path):
        yield f"notebooks/{path.name}, cell {number}: {problem}"


def _id_problems(path: Path) -> Iterator[tuple[int, str]]:
    """Tell which ids cannot be anchors. nbformat mends them unasked as it reads, so the file itself is read."""
    seen: dict[str, int] = {}
    for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], 1):
        cell_id = cell.get("id")
        if not isinstance(cell_id, str) or not _CELL_ID.fullmatch(cell_id):
            yield number, f"its id {cell_id!r} is not letters, digits and hyphens, as an anchor is"
        elif cell_id in seen:
            yield number, f"its id '{cell_id}' is that of cell {seen[cell_id]} too"
        else:
            seen[cell_id] = number


def _cell_problems(cell: Any, expected: int) -> Iterator[str]:  # noqa: ANN401 - nbformat has no types
    if not cell.source.strip():
        yield "an empty code cell"
    if cell.execution_count != expected:
        yield (
            f"was not executed in order: its count is {cell.execution_count}, not {expected}; record the "
            "notebook from its first cell to its last"
        )
    tags = cell.metadata.get("tags", [])
    may_raise = "raises-exception" in tags
    failed = any(output.output_type == "error" for output in cell.outputs)
    if failed and not may_raise:
        yield "ended in an error; tag it raises-exception if the failure is the lesson"
    if may_raise and not failed:
        yield "is tagged raises-exception, but did not raise"
    for tag in ("nbval-ignore-output", "nbval-skip"):
        if tag in tags and not str(cell.metadata.get("reason", "")).strip():
            yield f"is tagged {tag} without a `reason` in its metadata"
    for output in cell.outputs:
        if output.get("execution_count") not in (None, expected):
            yield f"holds an output of count {output.execution_count}, not {expected}"


def _metadata_problems(notebook: Any) -> Iterator[str]:  # noqa: ANN401
    """Tell what in a notebook's metadata belongs to one machine."""
    kernel = notebook.metadata.get("kernelspec", {})
    if dict(kernel) != {"display_name": "Python 3", "language": "python", "name": "python3"}:
        yield f"its kernel is {dict(kernel)}, not Python 3 under the name python3"
    if not notebook.metadata.get("shimlab", {}).get("labs"):
        yield 'its metadata does not say on which labs it runs: {"shimlab": {"labs": ["deprecated"]}}'
    if extra := sorted(set(notebook.metadata) - {"kernelspec", "language_info", "shimlab"}):
        yield f"its metadata holds {', '.join(extra)}"
    if "version" in notebook.metadata.get("language_info", {}):
        yield "its metadata names a version of Python; leave it out"


def _read(path: Path) -> Any:  # noqa: ANN401
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def cells(path: Path) -> list[Any]:
    """Read the cells of a notebook."""
    return list(_read(path).cells)
