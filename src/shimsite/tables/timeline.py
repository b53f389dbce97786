"""The timeline: what happened on which day, as a list that is read without style and scripts, and a line with them.

`facts/tables/timeline.yaml` lists the entries for both languages in their order. The days are facts, and so are the
releases; the words may refer to more of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from shimfacts.model import Fact
from shimfacts.schema import File, Lines, Model
from shimsite.tables.table import Known, Marked, Place

MARK = "<!-- timeline -->"
#: Whose history an entry is; the same names in both languages. A reader can ask for one of them.
SUBJECTS = {
    "kubernetes": "Kubernetes",
    "cri": "CRI",
    "docker": "Docker",
    "containerd": "containerd",
    "oci": "OCI",
}
#: What overrides/assets/javascripts/filter.js says; {shown} and {all} are its to fill.
WORDS = {
    "en": {"toggles": "Show only", "count": "{shown} of {all} entries"},
    "zh": {"toggles": "只看", "count": "共 {all} 条，显示 {shown} 条"},
}
FactId = Annotated[str, Field(pattern=r"^[\w.-]+$", description="the id of a fact")]


class Entry(Model):
    """A day, whose history it belongs to, what happened, and the release that came out, if one did."""

    fact: FactId
    subject: Literal["kubernetes", "cri", "docker", "containerd", "oci"]
    said: Lines
    release: FactId | None = Field(None, description="the id of a fact")


class Timeline(Marked):
    """The timeline."""

    path = "tables/timeline.yaml"
    marks = (MARK,)
    schema = list[Entry]

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        """Keep the entries in their order."""
        self.entries = entries

    def __bool__(self) -> bool:
        """Tell whether there are entries."""
        return bool(self.entries)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the timeline.

        Raises:
            FactError: an entry breaks the schema; says which one, and the line.
        """
        if not (folder / cls.path).is_file():
            return cls()
        file = File(folder, cls.path)
        if not isinstance(file.data or [], list):
            raise file.wrong("is not a list of entries")
        entries = []
        for number, raw in enumerate(file.data or []):
            named = raw.get("fact") if isinstance(raw, dict) else None
            name = named if isinstance(named, str) else f"entry {number + 1}"
            entries.append(file.read(Entry, raw, name, number))
        return cls(tuple(entries))

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what happened."""
        yield from ((f"{entry.fact}: said", entry.said) for entry in self.entries)

    def uses(self) -> Iterator[str]:
        """List the facts that entries are made of; those in their words are found as on any page."""
        for entry in self.entries:
            yield from (each for each in (entry.fact, entry.release) if each)

    def problems(self, known: Known) -> Iterator[str]:
        """Tell which entries name no day or no release, stand twice, or out of their order."""
        seen: set[str] = set()
        for entry in self.entries:
            day = known.facts.get(entry.fact)
            if day is None or day.kind != "date":
                yield f"{entry.fact}: {'there is no such fact' if day is None else f'is a {day.kind}, not a date'}"
            if entry.fact in seen:
                yield f"{entry.fact}: stands in the timeline twice"
            seen.add(entry.fact)
            release = known.facts.get(entry.release) if entry.release else None
            if entry.release and (release is None or release.kind != "version" or release.component is None):
                yield (
                    f"{entry.fact}: its release '{entry.release}' is no fact of the kind version with a component"
                )
        days = [
            (entry.fact, known.facts[entry.fact].values["en"])
            for entry in self.entries
            if entry.fact in known.facts
        ]
        for (before, earlier), (after, later) in pairwise(days):
            # A month and a day in it may stand in either order.
            if earlier[: len(later)] > later[: len(earlier)]:
                yield f"{after} ({later}) stands after {before} ({earlier})"

    def render(self, mark: str, place: Place) -> str:
        """Write the timeline: a list of years, and in each a list of its entries."""
        return listing(self.entries, place.known.facts, place.lang)


def listing(entries: Iterable[Entry], known: Mapping[str, Fact], lang: str) -> str:
    """Write entries as Markdown that holds HTML."""
    words = WORDS[lang]
    # An entry of an unknown fact is told of by problems() and left out here.
    days = [(known[entry.fact].values["en"], entry) for entry in entries if entry.fact in known]
    # role: where it has no marks, a list is none to some screen readers.
    lines = [
        f'<div class="timeline" data-toggles="{words["toggles"]}" data-count="{words["count"]}" markdown="block">',
        '<ol role="list" class="timeline__years" markdown="block">',
    ]
    for year, group in groupby(days, key=lambda each: each[0][:4]):
        lines += [
            '<li markdown="block">',
            f'<p class="timeline__year">{year}</p>',
            '<ol role="list" markdown="block">',
        ]
        lines += [_item(day, entry, known, lang) for day, entry in group]
        lines += ["</ol>", "</li>"]
    return "\n".join([*lines, "</ol>", "</div>"])


def _item(day: str, entry: Entry, known: Mapping[str, Fact], lang: str) -> str:
    when = f'<time datetime="{day}">{{{{ fact("{entry.fact}") }}}}</time>'
    whose = f'<span class="timeline__subject">{SUBJECTS[entry.subject]}</span>'
    release = known.get(entry.release or "")
    if release and release.component:
        whose += f' <span class="timeline__release">{release.component[lang]} {{{{ fact("{release.id}") }}}}</span>'
    return (
        f'<li id="{entry.fact}" data-subject="{entry.subject}" markdown="block">\n'
        f'<p class="timeline__when" markdown="span">{when} {whose}</p>\n'
        f'<p markdown="span">{entry.said[lang]}</p>\n</li>'
    )
