"""A small site with this repository's hooks and theme, for tests that need a broken one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4
from tests.support import command

from shimfacts import ledger, proofs
from shimsite import build

RECORDED = "2026-11-25"
FACTS = """
release:
  kind: date
  value: "2020-12-08"
  versions: "1.20"
  source: [{title: "The release", url: "https://example.org/release"}]
the-flag:
  kind: flag
  component: kubelet
  value: "--some_flag=remote"
  verified: false
  source: [{title: "Its source", url: "https://example.org/flag"}]
"""


def notebook(*cells: Any) -> Any:
    """Make a notebook of these cells, executed in order."""
    made = v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "shimlab": {"labs": ["deprecated"]},
        }
    )
    made.cells = list(cells)
    for count, cell in enumerate((c for c in made.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
    return made


def prose(lang: str, source: str) -> Any:
    return v4.new_markdown_cell(source, metadata={"tags": [f"lang:{lang}"]})


def code(source: str, *outputs: Any, tags: tuple[str, ...] = (), name: str = "", **metadata: Any) -> Any:
    """Make a code cell; `name` is its id."""
    if tags:
        metadata["tags"] = list(tags)
    return v4.new_code_cell(
        source, outputs=list(outputs), metadata=metadata, **({"id": name} if name else {})
    )


def printed(text: str, name: str = "stdout") -> Any:
    return v4.new_output("stream", name=name, text=text)


def make(
    folder: Path,
    pages: dict[str, str],
    notebooks: dict[str, Any] | None = None,
    snippets: dict[str, str] | None = None,
    facts: str = FACTS,
    tables: dict[str, str] | None = None,
) -> Path:
    """Write a repository with this one's settings; `pages`, `snippets` and `tables` map a path to a text.

    Its notebooks count as recorded on RECORDED.
    """
    for name, text in {"docs/zh/.keep": "", "docs/en/.keep": "", **pages}.items():
        _write(folder / name, text)
    for name, text in (snippets or {}).items():
        _write(folder / "snippets" / name, text)
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "snippets").mkdir(exist_ok=True)
    for name, made in (notebooks or {}).items():
        nbformat.write(made, folder / "notebooks" / name)
        recorded(folder, name)
    _write(folder / "facts" / "all.yaml", facts)
    for name, text in (tables or {}).items():
        _write(folder / "facts" / "tables" / name, text)
    return folder


def recorded(folder: Path, name: str, outcome: str = ledger.PASSED) -> None:
    """Count a notebook as recorded on RECORDED, as it is now."""
    found = proofs.of_cells(folder / "notebooks" / name)
    entries = {
        f"notebooks/{name}#{cell}": ledger.Entry(outcome, RECORDED, "deprecated", each)
        for cell, each in found.items()
    }
    ledger.merge(folder / ledger.KEPT, entries)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def build_strictly(folder: Path, lang: str = "en") -> subprocess.CompletedProcess[str]:
    """Build one language of a repository made by `make`, as MkDocs by itself does."""
    complete(folder)
    argv = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", build.CONFIGS[lang]]
    return command.program(*argv, cwd=folder, seconds=120)


def complete(folder: Path) -> None:
    """Give a repository made by `make` what this one's site is made with."""
    for name in ("src/shimfacts", "src/shimsite", "overrides"):
        if not (folder / name).exists():
            shutil.copytree(build.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in build.CONFIGS.values():
        settings = (build.ROOT / name).read_text("utf-8")
        # Without a `nav` of its own, MkDocs takes the pages that there are.
        (folder / name).write_text(re.sub(r"^nav:\n(?:[ #].*\n|\n)+", "", settings, flags=re.M), "utf-8")
