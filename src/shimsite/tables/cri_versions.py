"""Which version of the CRI who speaks: kubelets, which ask, and runtimes, which answer, by their releases.

`facts/tables/cri-versions.yaml` has a row for each range of releases, with its sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimfacts import model, releases
from shimfacts.model import FactError, Source
from shimsite.references import WORDS as FACT_WORDS
from shimsite.tables import facts as fact_tables
from shimsite.tables import writer

PATH = "tables/cri-versions.yaml"
MARK = "<!-- cri-versions-table -->"
VERSIONS = ("v1alpha1", "v1alpha2", "v1")
#: What a row says of a version: a shape, the class of its colour, the word for it, and whether the word is seen.
STATES: dict[Any, tuple[str, str, dict[str, str], bool]] = {
    True: ("✓", "is-good", {"en": "yes", "zh": "支持"}, False),
    False: ("–", "is-gone", {"en": "no", "zh": "不支持"}, False),
    "first": ("✓", "is-good", {"en": "tried first", "zh": "优先尝试"}, True),
    "fallback": ("✓", "is-ending", {"en": "if the first is not there", "zh": "没有前者才用"}, True),
}
HEAD = {
    "en": ("Program", "Releases", *VERSIONS, "Sources"),
    "zh": ("程序", "版本", *VERSIONS, "来源"),
}
_KEYS = {"component", "releases", "speaks", "source"}


@dataclass(frozen=True)
class Speaker:
    """A program in a range of releases, and what it speaks."""

    id: str
    component: Mapping[str, str]
    releases: str
    speaks: Mapping[str, Any]
    sources: tuple[Source, ...]
    note: Mapping[str, str] | None = None
    verified: bool = True


def load(folder: Path) -> tuple[Speaker, ...]:
    """Read the table below the folder of facts; nothing where a repository has none.

    Raises:
        FactError: a row breaks the schema; says which one.
    """
    if not (folder / PATH).is_file():
        return ()
    data = model.read(folder, PATH)
    if not isinstance(data, dict):
        raise FactError(PATH, "", "is not a mapping of ids to rows")
    return tuple(_speaker(str(name), raw) for name, raw in data.items())


def texts(speakers: Iterable[Speaker]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over what is written for readers: where it stands, and the text in each language."""
    yield from ((f"{PATH}: {each.id}: note", each.note) for each in speakers if each.note)


def fill(markdown: str, speakers: tuple[Speaker, ...], lang: str) -> str:
    """Put the table where the mark of a page stands."""
    if not speakers or MARK not in markdown:
        return markdown
    rows = [writer.Row(each.id, _cells(each, lang)) for each in speakers]
    return markdown.replace(MARK, writer.table("cri", HEAD[lang], rows, lang))


def _cells(speaker: Speaker, lang: str) -> tuple[writer.Cell | str, ...]:
    mark = (
        "" if speaker.verified else f'<span class="fact-unverified">{FACT_WORDS[lang]["unverified"]}</span>'
    )
    note = writer.small(speaker.note[lang] if speaker.note else "")
    return (
        writer.lines_of(f"**{writer.plain(speaker.component, lang)}**", note, mark),
        fact_tables.short_versions(speaker.releases, lang),
        *(_state(speaker.speaks[version], lang) for version in VERSIONS),
        writer.sources(speaker.sources, lang),
    )


def _state(state: Any, lang: str) -> writer.Cell:  # noqa: ANN401 - true, false or a word
    shape, look, words, is_seen = STATES[state]
    word = f"<small>{words[lang]}</small>" if is_seen else f'<span class="unseen">{words[lang]}</span>'
    return writer.Cell(f'<span aria-hidden="true">{shape}</span> {word}', look)


def _speaker(name: str, raw: Any) -> Speaker:  # noqa: ANN401 - whatever the YAML holds
    """Check one row."""

    def wrong(what: str) -> FactError:
        return FactError(PATH, name, what)

    if not isinstance(raw, dict) or not _KEYS <= set(raw) <= _KEYS | {"note", "verified"}:
        raise wrong(f"has exactly {', '.join(sorted(_KEYS))}, and may have note and verified")
    if not isinstance(raw["releases"], str):
        raise wrong("`releases` is text in quotes")
    try:
        releases.ends(raw["releases"])
    except ValueError as error:
        raise wrong(str(error)) from error
    speaks = raw["speaks"]
    if not isinstance(speaks, dict) or tuple(speaks) != VERSIONS:
        raise wrong(f"`speaks` has exactly {', '.join(VERSIONS)}, in this order")
    if odd := [
        state for state in speaks.values() if not isinstance(state, (bool, str)) or state not in STATES
    ]:
        raise wrong(f"what it speaks is true, false, first or fallback, not {odd[0]!r}")
    if not any(speaks.values()):
        raise wrong("speaks no version at all")
    if not isinstance(raw.get("verified", True), bool):
        raise wrong("`verified` is true or false")
    return Speaker(
        id=name,
        component=model.by_language(raw["component"], wrong, "component"),
        releases=raw["releases"],
        speaks=speaks,
        sources=model.sources(raw["source"], wrong),
        note=model.lines(raw["note"], wrong, "note") if raw.get("note") else None,
        verified=raw.get("verified", True),
    )
