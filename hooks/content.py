"""Checks of what authors write: snippets and notebooks, as they lie in the repository.

Each check is a function of the repository's root that tells what is wrong, a line each, with
file and line; tests/docs runs them on this repository and on small broken ones. Facts have a
module of their own: fact_checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from hooks import markdown_text, results
from hooks.facts import LANGUAGES

SHELL_FENCES = ("shell", "bash", "sh", "console", "zsh", "shell-session")
#: Folders whose every file is there to be shown; beside a script may lie what it prints.
SNIPPET_FOLDERS = ("shell", "manifests", "config", "python")
OUTPUT_SUFFIXES = (".out", ".err")
_INCLUDE = re.compile(r"^\s*-{1,}8<-{1,}\s+\"(?P<path>[^\":]+)(?P<section>:[\w-]+)?\"\s*$")
_CELL_ID = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


def pages(root: Path) -> list[Path]:
    """List the Markdown pages of both languages."""
    return [path for lang in LANGUAGES for path in sorted((root / "docs" / lang).rglob("*.md"))]


def notebook_files(root: Path) -> list[Path]:
    """List the notebooks."""
    return sorted((root / "notebooks").glob("*.ipynb"))


# ---- Snippets -------------------------------------------------------------------------------------


def snippet_problems(root: Path) -> Iterator[str]:
    """Tell which shell fences are no includes, and which snippets no page includes."""
    included: set[str] = set()
    for page in pages(root):
        name, fence, is_include = page.relative_to(root), None, False
        for line in markdown_text.lines(page.read_text("utf-8")):
            match = _INCLUDE.match(line.text)
            if match:
                included.add(match["path"])
            if line.opens:
                fence, is_include = line, True
            elif line.closes and fence is not None:
                if _language(fence.fence) in SHELL_FENCES and not is_include:
                    yield (
                        f"{name}:{fence.number}: a shell fence holds nothing but an include of a file in "
                        f'snippets/shell, --8<-- "shell/NAME.sh"'
                    )
                fence = None
            elif fence is not None and line.text.strip():
                is_include = is_include and match is not None and match["path"].startswith("shell/")
    for folder in SNIPPET_FOLDERS:
        for path in sorted((root / "snippets" / folder).rglob("*")):
            uri = path.relative_to(root / "snippets").as_posix()
            is_output = path.suffix in OUTPUT_SUFFIXES and path.with_suffix(".sh").is_file()
            if path.is_file() and not is_output and uri not in included:
                yield f"snippets/{uri}: no page includes it"


def _language(info: str | None) -> str:
    """Read the language from a fence's info string, ``shell title="x"`` or `{.shell}`."""
    words = re.split(r"[\s{}]+", (info or "").strip("{} "))
    return words[0].lstrip(".").lower() if words else ""


# ---- Notebooks ------------------------------------------------------------------------------------


def notebook_problems(root: Path) -> Iterator[str]:
    """Tell which cells were never recorded, or not as they are now, or are kept from being checked."""
    for path in notebook_files(root):
        yield from recording_problems(path)
        for problem in results.problems(path):
            yield f"notebooks/{path.name}: {problem}"


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


def unchecked_cells(root: Path) -> dict[str, str]:
    """List the cells whose output nbval does not compare, with the reason for each."""
    found = {}
    for path in notebook_files(root):
        for number, cell in enumerate(cells(path), 1):
            if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", [])):
                found[f"{path.name}, cell {number}"] = str(cell.metadata.get("reason", ""))
    return found


def _read(path: Path) -> Any:  # noqa: ANN401
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def cells(path: Path) -> list[Any]:
    """Read the cells of a notebook."""
    return list(_read(path).cells)
