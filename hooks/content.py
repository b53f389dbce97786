"""Checks of what authors write: snippets, facts and notebooks, as they lie in the repository.

Each check is a function of the repository's root that tells what is wrong, a line each, with
file and line; tests/docs runs them on this repository and on small broken ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from hooks import fact_refs, facts, markdown_text
from hooks.facts import LANGUAGES, Fact

SHELL_FENCES = ("shell", "bash", "sh", "console", "zsh", "shell-session")
#: Folders whose every file is there to be shown; beside a script may lie what it prints.
SNIPPET_FOLDERS = ("shell", "manifests", "config", "python")
OUTPUT_SUFFIXES = (".out", ".err")
_INCLUDE = re.compile(r"^\s*-{1,}8<-{1,}\s+\"(?P<path>[^\":]+)(?P<section>:[\w-]+)?\"\s*$")
_ADDRESS = re.compile(r"\]\([^)]*\)|<[^>]*>|https?://\S+|\{[:#][^{}]*\}|\{ #[^{}]*\}|<!--.*?-->")
_REFERENCE = re.compile(r"\\?\{\{.*?\}\}")
#: Kinds whose value is to the letter, so that a copy of it can be recognised.
_LITERAL_KINDS = ("date", "version", "flag", "socket", "message", "path", "name")
_DISTINCTIVE = re.compile(r"[\d/=:%.-]|\s")


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


# ---- Facts ----------------------------------------------------------------------------------------


def prose(root: Path) -> Iterator[tuple[str, str, str, int]]:
    """Walk over all prose of the site: where it stands, its language, the text, its first line."""
    for page in pages(root):
        lang = page.relative_to(root / "docs").parts[0]
        yield str(page.relative_to(root)), lang, page.read_text("utf-8"), 1
    for path in notebook_files(root):
        for number, cell in enumerate(_cells(path), 1):
            if cell.cell_type == "markdown":
                tags = cell.metadata.get("tags", [])
                lang = "zh" if "lang:zh" in tags else "en"
                yield f"notebooks/{path.name}, cell {number}", lang, cell.source, 1


def fact_problems(root: Path) -> Iterator[str]:
    """Tell which facts nobody uses, which proofs do not exist, and where a value was copied."""
    known = facts.load(root / "facts")
    used: set[str] = set()
    for where, lang, text, first in prose(root):
        used |= {ref.id for ref in fact_refs.refs(text, first)}
        for line, fact in copies(text, lang, known, first):
            yield (
                f"{where}:{line}: '{fact.value(lang)}' is a copy of the fact {fact.id}; "
                f'write {{{{ fact("{fact.id}") }}}}, or with "bare" inside code'
            )
    for fact in known.values():
        if fact.id not in used:
            yield f"facts/{fact.file}: {fact.id}: no page and no notebook uses it"
        if fact.proof and (what := _proof_problem(root, fact.proof)):
            yield f"facts/{fact.file}: {fact.id}: its proof {fact.proof} {what}"


def copies(text: str, lang: str, known: dict[str, Fact], first: int = 1) -> Iterator[tuple[int, Fact]]:
    """Find the values of facts that stand in prose to the letter, with their lines.

    A value counts from six characters on, and only with something that plain words lack: a
    digit, a dot, a slash, a hyphen or a space. Where several match, the longest one is named.
    """
    patterns = [
        (fact, re.compile(rf"(?<![\w-]){re.escape(value)}(?![\w-]|\.\d)"))
        for fact in sorted(known.values(), key=lambda fact: -len(fact.value(lang)))
        if fact.kind in _LITERAL_KINDS
        for value in sorted({fact.value(lang), fact.values[lang]}, key=len, reverse=True)
        if len(value) >= 6 and _DISTINCTIVE.search(value)
    ]
    for line in markdown_text.lines(text, first):
        if line.is_prose:
            bare = _ADDRESS.sub(" ", _REFERENCE.sub(" ", line.text))
            for fact, pattern in patterns:
                if pattern.search(bare):
                    yield line.number, fact
                    bare = pattern.sub(" ", bare)


def _proof_problem(root: Path, proof: str) -> str | None:
    """Say what is wrong with a proof: a file, or a cell of a notebook after `#`."""
    path, _, cell_id = proof.partition("#")
    target = root / path
    if not target.is_file():
        return "is not there"
    if cell_id:
        if target.suffix != ".ipynb":
            return "names a cell, but is no notebook"
        if cell_id not in {cell.get("id") for cell in _cells(target)}:
            return "has no cell of that id"
    return None


# ---- Notebooks ------------------------------------------------------------------------------------


def notebook_problems(root: Path) -> Iterator[str]:
    """Tell which cells were never executed, or failed, or are kept from being checked."""
    for path in notebook_files(root):
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
    if extra := sorted(set(notebook.metadata) - {"kernelspec", "language_info"}):
        yield f"its metadata holds {', '.join(extra)}"
    if "version" in notebook.metadata.get("language_info", {}):
        yield "its metadata names a version of Python; leave it out"


def unchecked_cells(root: Path) -> dict[str, str]:
    """List the cells whose output nbval does not compare, with the reason for each."""
    found = {}
    for path in notebook_files(root):
        for number, cell in enumerate(_cells(path), 1):
            if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", [])):
                found[f"{path.name}, cell {number}"] = str(cell.metadata.get("reason", ""))
    return found


def _read(path: Path) -> Any:  # noqa: ANN401
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _cells(path: Path) -> list[Any]:
    return list(_read(path).cells)
