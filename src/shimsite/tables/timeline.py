"""The timeline: what happened on which day, as a list that is read without style and scripts, and a line with them.

`facts/tables/timeline.yaml` lists the entries for both languages in their order. The days are facts, and so are the
releases; the words may refer to more of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from shimfacts import model
from shimfacts.model import Fact, FactError

PATH = "tables/timeline.yaml"
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
_KEYS = {"fact", "subject", "said"}


@dataclass(frozen=True)
class Entry:
    """A day, whose history it belongs to, what happened, and the release that came out, if one did."""

    fact: str
    subject: str
    said: Mapping[str, str]
    release: str | None = None


def load(folder: Path) -> tuple[Entry, ...]:
    """Read the timeline below the folder of facts; nothing where a repository has none.

    Raises:
        FactError: an entry breaks the schema; says which one.
    """
    if not (folder / PATH).is_file():
        return ()
    data = model.read(folder, PATH)
    if not isinstance(data, list):
        raise FactError(PATH, "", "is not a list of entries")
    return tuple(_entry(number, raw) for number, raw in enumerate(data, 1))


def texts(entries: Iterable[Entry]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over what is written for readers: where it stands, and the text in each language."""
    for entry in entries:
        yield f"{PATH}: {entry.fact}: said", entry.said


def uses(entries: Iterable[Entry]) -> Iterator[str]:
    """List the facts that entries are made of; those in their words are found as on any page."""
    for entry in entries:
        yield entry.fact
        if entry.release:
            yield entry.release


def problems(entries: tuple[Entry, ...], known: Mapping[str, Fact]) -> Iterator[str]:
    """Tell which entries name no day or no release, stand twice, or out of their order."""
    seen: set[str] = set()
    for entry in entries:
        where = f"facts/{PATH}: {entry.fact}"
        day = known.get(entry.fact)
        if day is None or day.kind != "date":
            yield f"{where}: {'there is no such fact' if day is None else f'is a {day.kind}, not a date'}"
        if entry.fact in seen:
            yield f"{where}: stands in the timeline twice"
        seen.add(entry.fact)
        release = known.get(entry.release) if entry.release else None
        if entry.release and (release is None or release.kind != "version" or release.component is None):
            yield f"{where}: its release '{entry.release}' is no fact of the kind version with a component"
    days = [(entry.fact, known[entry.fact].values["en"]) for entry in entries if entry.fact in known]
    for (before, earlier), (after, later) in pairwise(days):
        # A month and a day in it may stand in either order.
        if earlier[: len(later)] > later[: len(earlier)]:
            yield f"facts/{PATH}: {after} ({later}) stands after {before} ({earlier})"


def fill(markdown: str, entries: tuple[Entry, ...], known: Mapping[str, Fact], lang: str) -> str:
    """Put the timeline where the mark of a page stands."""
    if not entries or MARK not in markdown:
        return markdown
    return markdown.replace(MARK, listing(entries, known, lang))


def listing(entries: Iterable[Entry], known: Mapping[str, Fact], lang: str) -> str:
    """Write the timeline as Markdown that holds HTML: a list of years, and in each a list of its entries."""
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


def _entry(number: int, raw: Any) -> Entry:  # noqa: ANN401 - whatever the YAML holds
    """Check one entry."""
    named = raw.get("fact") if isinstance(raw, dict) else None

    def wrong(what: str) -> FactError:
        return FactError(PATH, named if isinstance(named, str) else f"entry {number}", what)

    if not isinstance(raw, dict) or not _KEYS <= set(raw) <= _KEYS | {"release"}:
        raise wrong(f"has exactly {', '.join(sorted(_KEYS))}, and may have release")
    for key in ("fact", "release"):
        if key in raw and (not isinstance(raw[key], str) or not re.fullmatch(r"[\w.-]+", raw[key])):
            raise wrong(f"`{key}` is the id of a fact, not {raw[key]!r}")
    if not isinstance(raw["subject"], str) or raw["subject"] not in SUBJECTS:
        raise wrong(f"unknown subject {raw['subject']!r}; there are {', '.join(SUBJECTS)}")
    return Entry(raw["fact"], raw["subject"], model.lines(raw["said"], wrong, "said"), raw.get("release"))
