"""Checks of what authors write: snippets and notebooks, as they lie in the repository.

Each check is a function of the repository's root that tells what is wrong, a line each, with
file and line; tests/docs runs them on this repository and on small broken ones. Facts have a
module of their own: facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from shimfacts import proofs
from shimfacts.model import LANGUAGES
from shimfacts.notebooks import cells, notebook_files, recording_problems
from shimsite.languages import markdown_text

SHELL_FENCES = ("shell", "bash", "sh", "console", "zsh", "shell-session")
#: Folders whose every file is there to be shown; beside a script may lie what it prints.
SNIPPET_FOLDERS = ("shell", "manifests", "config", "python")
OUTPUT_SUFFIXES = (".out", ".err")
_INCLUDE = re.compile(r"^\s*-{1,}8<-{1,}\s+\"(?P<path>[^\":]+)(?P<section>:[\w-]+)?\"\s*$")


def pages(root: Path) -> list[Path]:
    """List the Markdown pages of both languages."""
    return [path for lang in LANGUAGES for path in sorted((root / "docs" / lang).rglob("*.md"))]


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
        for problem in proofs.recording_problems(path):
            yield f"notebooks/{path.name}: {problem}"


def unchecked_cells(root: Path) -> dict[str, str]:
    """List the cells whose output nbval does not compare, with the reason for each."""
    found = {}
    for path in notebook_files(root):
        for number, cell in enumerate(cells(path), 1):
            if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", [])):
                found[f"{path.name}, cell {number}"] = str(cell.metadata.get("reason", ""))
    return found
