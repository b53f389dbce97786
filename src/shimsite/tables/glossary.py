"""The words of this site in both languages, with what they mean here and the page that tells more.

`facts/tables/glossary.yaml` holds them; a page shows them where its mark stands, sorted by its own language's word.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimfacts import model
from shimfacts.model import LANGUAGES, FactError
from shimsite.tables import writer

PATH = "tables/glossary.yaml"
MARK = "<!-- glossary -->"
HEAD = {"en": ("Word", "In Chinese", "What it means here"), "zh": ("词", "英文", "在这里的意思")}
MORE = {"en": "more", "zh": "详见"}
_KEYS = {"term", "means", "see"}


@dataclass(frozen=True)
class Term:
    """A word, what it means, and where it is told at length: a page from docs/LANG, or a notebook's cell."""

    id: str
    term: Mapping[str, str]
    means: Mapping[str, str]
    see: str


def load(folder: Path) -> tuple[Term, ...]:
    """Read the glossary below the folder of facts; nothing where a repository has none.

    Raises:
        FactError: an entry breaks the schema; says which one.
    """
    if not (folder / PATH).is_file():
        return ()
    data = model.read(folder, PATH)
    if not isinstance(data, dict):
        raise FactError(PATH, "", "is not a mapping of ids to words")
    return tuple(_term(str(name), raw) for name, raw in data.items())


def texts(terms: Iterable[Term]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over what is written for readers: where it stands, and the text in each language."""
    yield from ((f"{PATH}: {each.id}: means", each.means) for each in terms)


def fill(markdown: str, terms: tuple[Term, ...], lang: str, page: str) -> str:
    """Put the words where the mark of a page at this path stands."""
    if not terms or MARK not in markdown:
        return markdown
    (other,) = (each for each in LANGUAGES if each != lang)
    above = posixpath.dirname(page) or "."
    rows = [
        writer.Row(
            f"term-{each.id}",
            (
                f"**{each.term[lang]}**",
                f'<span lang="{other}">{each.term[other]}</span>',
                writer.lines_of(each.means[lang], f"[{MORE[lang]}]({posixpath.relpath(each.see, above)})"),
            ),
        )
        for each in sorted(terms, key=lambda each: each.term[lang].casefold())
    ]
    return markdown.replace(MARK, writer.table("glossary", HEAD[lang], rows, lang))


def _term(name: str, raw: Any) -> Term:  # noqa: ANN401 - whatever the YAML holds
    """Check one entry."""

    def wrong(what: str) -> FactError:
        return FactError(PATH, name, what)

    if not isinstance(raw, dict) or set(raw) != _KEYS:
        raise wrong(f"has exactly {', '.join(sorted(_KEYS))}")
    if not isinstance(raw["see"], str) or not raw["see"].partition("#")[0].endswith((".md", ".ipynb")):
        raise wrong("`see` is a page, NAME.md or labs/NN-name.ipynb, with or without its #anchor")
    return Term(
        id=name,
        term=model.by_language(raw["term"], wrong, "term"),
        means=model.by_language(raw["means"], wrong, "means"),
        see=raw["see"],
    )
