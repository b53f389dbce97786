"""All that the site keeps as data: read once, checked together, put where the marks of a page stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from shimfacts import ledger, model
from shimfacts.model import Fact
from shimsite import references
from shimsite.diagrams import directives
from shimsite.diagrams.directives import Diagrams
from shimsite.notebooks import split
from shimsite.tables import claims, cri_versions, faults, glossary, hosts, timeline
from shimsite.tables import facts as fact_tables
from shimsite.tables.claims import Claim, Last
from shimsite.tables.cri_versions import Speaker
from shimsite.tables.faults import Fault
from shimsite.tables.glossary import Term
from shimsite.tables.hosts import Hosts
from shimsite.tables.timeline import Entry

Warn = Callable[[str], None]
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Data:
    """The facts, the tables beside them, and the last result of every cell, which the claims ask for."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    hosts: Hosts | None = None
    faults: tuple[Fault, ...] = ()
    claims: tuple[Claim, ...] = ()
    last: Last = field(default_factory=dict)
    timeline: tuple[Entry, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    terms: tuple[Term, ...] = ()
    diagrams: Diagrams = field(default_factory=Diagrams)

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over the texts that refer to facts as pages do: where each stands, and it in each language."""
        yield from claims.texts(self.claims)
        yield from timeline.texts(self.timeline)
        yield from cri_versions.texts(self.speakers)
        yield from glossary.texts(self.terms)
        yield from self.diagrams.texts()

    def uses(self) -> Iterator[str]:
        """List the facts that tables are made of, beside those that their texts refer to."""
        yield from timeline.uses(self.timeline)

    def marks(self) -> dict[str, tuple[str, ...]]:
        """List the marks of the tables that there are: a page has one of them, or nobody sees the table."""
        tables = (
            (hosts.PATH, self.hosts, (hosts.TABLE_MARK, hosts.NOTES_MARK)),
            (faults.PATH, self.faults, (faults.MARK,)),
            (claims.PATH, self.claims, (claims.TABLE_MARK,)),
            (timeline.PATH, self.timeline, (timeline.MARK,)),
            (cri_versions.PATH, self.speakers, (cri_versions.MARK,)),
            (glossary.PATH, self.terms, (glossary.MARK,)),
            (directives.PATH, self.diagrams.records, self.diagrams.marks()),
        )
        return {path: directives for path, table, directives in tables if table}

    def problems(self) -> Iterator[str]:
        """Tell what does not fit together, and must not be built."""
        yield from claims.problems(self.claims, self.last)
        yield from timeline.problems(self.timeline, self.facts)
        yield from self.diagrams.problems()

    def fill(self, markdown: str, lang: str, page: str, title_of: Callable[[str], str], warn: Warn) -> str:
        """Put tables and facts into a page at this path; `title_of` a notebook gives its title."""
        # The tables first, for they refer to facts.
        markdown = hosts.fill(markdown, self.hosts, lang)
        markdown = faults.fill(markdown, self.faults, lang)
        markdown = claims.fill(markdown, self.claims, self.last, lang, page, title_of)
        markdown = timeline.fill(markdown, self.timeline, self.facts, lang)
        markdown = cri_versions.fill(markdown, self.speakers, lang)
        markdown = glossary.fill(markdown, self.terms, lang, page)
        markdown = self.diagrams.fill(markdown, lang, lambda part: split.link_to(part, page), warn)
        markdown = fact_tables.fill(markdown, self.facts, lang, page, warn)
        return references.render(markdown, self.facts, lang, warn)


def load(root: Path, complain: Warn) -> Data:
    """Read the data of a repository; a part that cannot be read is told to `complain`, and empty."""
    folder = root / "facts"

    def read(load: Callable[[Path], _Part], where: Path, empty: _Part) -> _Part:
        try:
            return load(where)
        except model.FactError as error:
            complain(f"facts/{error}")
        except ledger.ResultError as error:
            complain(str(error))
        return empty

    told: tuple[Claim, ...] = read(claims.load, folder, ())
    return Data(
        facts=read(model.load, folder, {}),
        hosts=read(hosts.load, folder, None),
        faults=read(faults.load, folder, ()),
        claims=told,
        # Asked for by claims alone, and every notebook has to be read for it.
        last=read(ledger.last, root, {}) if told else {},
        timeline=read(timeline.load, folder, ()),
        speakers=read(cri_versions.load, folder, ()),
        terms=read(glossary.load, folder, ()),
        diagrams=directives.load(root, complain),
    )
