"""Checks of facts where authors use them: used at all, proved where they say so, copied nowhere.

Like the checks of `content`, functions of the repository's root that tell what is wrong, a line each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from shimfacts import notebooks
from shimfacts.model import Fact
from shimsite import references
from shimsite.checks import content
from shimsite.languages import markdown_text
from shimsite.tables import data, facts

_ADDRESS = re.compile(r"\]\([^)]*\)|<[^>]*>|https?://\S+|\{[:#][^{}]*\}|\{ #[^{}]*\}|<!--.*?-->")
_REFERENCE = re.compile(r"\\?\{\{.*?\}\}")
#: Kinds whose value is to the letter, so that a copy of it can be recognised.
_LITERAL_KINDS = ("date", "version", "flag", "socket", "message", "path", "name")
_DISTINCTIVE = re.compile(r"[\d/=:%.-]|\s")
#: A table of these shows each of them, which is no use of one: a day that nobody tells of is idle.
_NOT_BY_TABLE = ("date",)


def all_problems(root: Path) -> Iterator[str]:
    """Tell everything that is wrong with the facts and tables of a repository, and with how they are used."""
    complaints: list[str] = []
    kept = data.load(root, complaints.append)
    yield from complaints or kept.problems()
    yield from _use_problems(root, kept)
    failed: dict[str, list[str]] = {}
    for where, proof, fact in kept.proofs():
        if what := kept.known.proofs.problem(proof, fact):
            failed.setdefault(f"its proof {proof} {what}", []).append(where)
    for what, (first, *others) in failed.items():
        yield f"{first}: {what}" + (f" (and {len(others)} more are proved by it)" if others else "")
    pages = [page.read_text("utf-8") for page in content.pages(root)]
    for path, marks in kept.marks().items():
        if not any(mark in page for page in pages for mark in marks):
            yield f"facts/{path}: no page shows it; write {marks[0]} where it belongs"


def prose(root: Path, kept: data.Data) -> Iterator[tuple[str, str, str, int]]:
    """Walk over all prose of the site: where it stands, its language, the text, its first line."""
    for page in content.pages(root):
        lang = page.relative_to(root / "docs").parts[0]
        yield str(page.relative_to(root)), lang, page.read_text("utf-8"), 1
    for path in notebooks.notebook_files(root):
        for number, cell in enumerate(notebooks.cells(path), 1):
            if cell.cell_type == "markdown":
                tags = cell.metadata.get("tags", [])
                lang = "zh" if "lang:zh" in tags else "en"
                yield f"notebooks/{path.name}, cell {number}", lang, cell.source, 1
    for where, texts in kept.texts():
        for lang, text in texts.items():
            yield f"facts/{where} in {lang}", lang, text, 1


def _use_problems(root: Path, kept: data.Data) -> Iterator[str]:
    """Tell which facts nobody uses, and where a value was copied."""
    used: set[str] = set(kept.uses())
    shown: set[str] = set()
    for where, lang, text, first in prose(root, kept):
        used |= {ref.id for ref in references.refs(text, first)}
        shown |= set(facts.kinds_shown(text))
        for line, fact in copies(text, lang, kept.facts, first):
            yield (
                f"{where}:{line}: '{fact.value(lang)}' is a copy of the fact {fact.id}; "
                f'write {{{{ fact("{fact.id}") }}}}, or with "bare" inside code'
            )
    for fact in kept.facts.values():
        if fact.id not in used and (fact.kind not in shown or fact.kind in _NOT_BY_TABLE):
            yield f"facts/{fact.file}: {fact.id}: no page and no notebook uses it"


def copies(text: str, lang: str, known: Mapping[str, Fact], first: int = 1) -> Iterator[tuple[int, Fact]]:
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
