"""Which version of the CRI who speaks: kubelets, which ask, and runtimes, which answer, by their releases.

`facts/tables/cri-versions.yaml` has a row for each range of releases, with its sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from shimfacts.schema import Both, Lines, Model, Range, Sources
from shimsite.references import WORDS as FACT_WORDS
from shimsite.tables import writer
from shimsite.tables.table import Place, Rows

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


def _speaks(raw: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    if not isinstance(raw, dict) or tuple(raw) != VERSIONS:
        raise ValueError(f"has exactly {', '.join(VERSIONS)}, in this order")
    if odd := [each for each in raw.values() if not isinstance(each, (bool, str)) or each not in STATES]:
        raise ValueError(f"is for each version true, false, first or fallback, not {odd[0]!r}")
    if not any(raw.values()):
        raise ValueError("has no version at all")
    return raw


_STATES = {"enum": [True, False, "first", "fallback"]}


class Speaker(Model):
    """A program in a range of releases, and what it speaks."""

    id: SkipJsonSchema[str] = ""
    component: Both
    releases: Range = Field(description="text in quotes, releases with their ends")
    speaks: Annotated[
        Mapping[str, Any],
        BeforeValidator(_speaks),
        WithJsonSchema(
            {
                "type": "object",
                "properties": dict.fromkeys(VERSIONS, _STATES),
                "required": list(VERSIONS),
                "additionalProperties": False,
            }
        ),
    ]
    sources: Sources = Field(alias="source")
    note: Lines | None = None
    verified: StrictBool = True


class CriVersions(Rows[Speaker]):
    """Who speaks which version."""

    path = "tables/cri-versions.yaml"
    marks = (MARK,)
    schema = dict[str, Speaker]
    row = Speaker
    what = "ids to rows"

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over the notes."""
        yield from ((f"{each.id}: note", each.note) for each in self.rows if each.note)

    def render(self, mark: str, place: Place) -> str:
        """Write the table."""
        rows = [writer.Row(each.id, _cells(each, place.lang)) for each in self.rows]
        return writer.table("cri", HEAD[place.lang], rows, place.lang)


def _cells(speaker: Speaker, lang: str) -> tuple[writer.Cell | str, ...]:
    mark = (
        "" if speaker.verified else f'<span class="fact-unverified">{FACT_WORDS[lang]["unverified"]}</span>'
    )
    note = writer.small(speaker.note[lang] if speaker.note else "")
    return (
        writer.lines_of(f"**{writer.plain(speaker.component, lang)}**", note, mark),
        writer.short_versions(speaker.releases, lang),
        *(_state(speaker.speaks[version], lang) for version in VERSIONS),
        writer.sources(speaker.sources, lang),
    )


def _state(state: Any, lang: str) -> writer.Cell:  # noqa: ANN401 - true, false or a word
    shape, look, words, is_seen = STATES[state]
    word = f"<small>{words[lang]}</small>" if is_seen else f'<span class="unseen">{words[lang]}</span>'
    return writer.Cell(f'<span aria-hidden="true">{shape}</span> {word}', look)
