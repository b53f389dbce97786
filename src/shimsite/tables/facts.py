"""Tables made of the facts: the list of all, and one for each kind that readers look things up by.

A page shows one where its mark stands: `<!-- facts-table -->`, or `<!-- facts-table: flag -->` for a kind of KINDS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

from shimfacts import model
from shimfacts.model import Fact, spell_versions
from shimsite.references import escape, unverified
from shimsite.tables import flag_matrix, writer
from shimsite.tables.table import Place, Table

_MARK = re.compile(r"<!-- facts-table(?:: ?(?P<kind>[\w-]+))? -->")

WORDS = {
    "en": {
        "all": ("Fact", "Sources"),
        "socket": ("Socket", "Who listens", "What is spoken", "Kubernetes", "Sources"),
        "message": ("Line", "Who prints it", "Kubernetes", "Sources"),
        "date": ("Date", "What happened", "Sources"),
        "name": ("Name", "What it is", "Kubernetes", "Sources"),
    },
    "zh": {
        "all": ("事实", "来源"),
        "socket": ("套接字", "谁在监听", "使用的协议", "Kubernetes", "来源"),
        "message": ("原文", "由谁打印", "Kubernetes", "来源"),
        "date": ("日期", "发生了什么", "来源"),
        "name": ("名称", "是什么", "Kubernetes", "来源"),
    },
}

#: What stands in a row of a fact, for a page at this place.
Cells = Callable[[Fact, Place], tuple[str, ...]]


class Facts(Table):
    """The facts themselves: model.load reads them, and each of the tables is made of all."""

    path = "*.yaml"
    schema = model.Facts

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read nothing: the facts are known already."""
        return cls()

    def __bool__(self) -> bool:
        """Tell that no page need show all of them."""
        return False

    def fill(self, markdown: str, place: Place) -> str:
        """Put the tables where the marks of a page stand."""

        def made(match: re.Match[str]) -> str:
            kind, facts = match["kind"], place.known.facts
            if kind is None:
                return table("all", sorted(facts.values(), key=lambda fact: fact.id), place)
            if kind not in KINDS:
                place.warn(f"there is no table of the kind '{kind}'; there are {', '.join(KINDS)}")
                return match[0]
            chosen = [fact for fact in facts.values() if fact.kind == kind]
            if kind == "flag":
                today = facts.get(flag_matrix.TODAY)
                return flag_matrix.matrix(chosen, today, place.lang, lambda fact: sources(fact, place))
            return table(kind, sorted(chosen, key=_ORDER.get(kind, lambda fact: "")), place)

        return _MARK.sub(made, markdown)


def kinds_shown(text: str) -> Iterator[str]:
    """Tell of which kinds a text has a table; the list of all facts is not one of them."""
    yield from (match["kind"] for match in _MARK.finditer(text) if match["kind"])


def table(kind: str, facts: Iterable[Fact], place: Place) -> str:
    """Make the table of a kind, each row with the fact's id as its anchor."""
    rows = [writer.Row(fact.id, _CELLS[kind](fact, place)) for fact in facts]
    # The search finds a fact on the page of its kind; the list of all is a wall of text that only crowds it.
    head = WORDS[place.lang][kind]
    return writer.table(f"facts-{kind}", head, rows, place.lang, searched=kind != "all")


def value(fact: Fact, lang: str) -> str:
    """Show the value of a fact in a table, with the mark of one that nobody has verified."""
    tag = "code" if fact.is_code else "strong"
    return f"<{tag}>{escape(fact.value(lang))}</{tag}>{unverified(fact, lang)}"


def sources(fact: Fact, place: Place) -> str:
    """List where a fact can be read, and what showed it on the lab, and when."""
    proved = writer.proved(fact, place.known.proofs, place.lang, place.page)
    return writer.lines_of(writer.sources(fact.sources, place.lang), writer.small(proved, searched=False))


def _any(fact: Fact, place: Place) -> tuple[str, ...]:
    holds = spell_versions(fact.versions, place.lang) if fact.versions else ""
    return (
        writer.lines_of(
            value(fact, place.lang),
            writer.small(writer.plain(fact.note, place.lang)),
            writer.small(holds[:1].upper() + holds[1:]),
            f'<a class="fact-id" href="#{fact.id}">{fact.id}</a>',
        ),
        sources(fact, place),
    )


def _with_note(fact: Fact, lang: str) -> str:
    return writer.lines_of(value(fact, lang), writer.small(writer.plain(fact.note, lang)))


def _socket(fact: Fact, place: Place) -> tuple[str, ...]:
    lang = place.lang
    whose, spoken = writer.plain(fact.component, lang), writer.plain(fact.protocol, lang)
    versions = writer.short_versions(fact.versions, lang)
    return _with_note(fact, lang), whose, spoken, versions, sources(fact, place)


def _message(fact: Fact, place: Place) -> tuple[str, ...]:
    versions = writer.short_versions(fact.versions, place.lang)
    return (
        _with_note(fact, place.lang),
        writer.plain(fact.component, place.lang),
        versions,
        sources(fact, place),
    )


def _name(fact: Fact, place: Place) -> tuple[str, ...]:
    note, versions = writer.plain(fact.note, place.lang), writer.short_versions(fact.versions, place.lang)
    return value(fact, place.lang), note, versions, sources(fact, place)


def _date(fact: Fact, place: Place) -> tuple[str, ...]:
    return value(fact, place.lang), writer.plain(fact.note, place.lang), sources(fact, place)


_CELLS: dict[str, Cells] = {
    "all": _any,
    "socket": _socket,
    "message": _message,
    "date": _date,
    "name": _name,
}
#: Chronological, or in the order in which the facts are written.
_ORDER: dict[str, Callable[[Fact], str]] = {"date": lambda fact: fact.values["en"]}
KINDS = ("flag", *(kind for kind in _CELLS if kind != "all"))
