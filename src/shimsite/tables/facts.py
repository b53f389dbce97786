"""Tables made of the facts: the list of all, and one for each kind that readers look things up by.

A page shows one where its mark stands: `<!-- facts-table -->`, or `<!-- facts-table: flag -->` for a kind of KINDS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from shimfacts.model import Fact, spell_versions
from shimsite.notebooks import split
from shimsite.references import escape, unverified
from shimsite.tables import flag_matrix, writer

_MARK = re.compile(r"<!-- facts-table(?:: ?(?P<kind>[\w-]+))? -->")
_PROOFS = "notebooks/"

WORDS = {
    "en": {
        "all": ("Fact", "Sources"),
        "socket": ("Socket", "Who listens", "What is spoken", "Kubernetes", "Sources"),
        "message": ("Line", "Who prints it", "Kubernetes", "Sources"),
        "date": ("Date", "What happened", "Sources"),
        "name": ("Name", "What it is", "Kubernetes", "Sources"),
        "proof": "Proof: ",
        "always": "any",
    },
    "zh": {
        "all": ("事实", "来源"),
        "socket": ("套接字", "谁在监听", "使用的协议", "Kubernetes", "来源"),
        "message": ("原文", "由谁打印", "Kubernetes", "来源"),
        "date": ("日期", "发生了什么", "来源"),
        "name": ("名称", "是什么", "Kubernetes", "来源"),
        "proof": "证据：",
        "always": "不限",
    },
}

#: What stands in a row of a fact, for a page at this place.
Cells = Callable[[Fact, str, str], tuple[str, ...]]


def fill(markdown: str, facts: Mapping[str, Fact], lang: str, page: str, warn: Callable[[str], None]) -> str:
    """Put the tables where the marks of a page stand; `page` is its path among the pages."""

    def made(match: re.Match[str]) -> str:
        kind = match["kind"]
        if kind is None:
            return table("all", sorted(facts.values(), key=lambda fact: fact.id), lang, page)
        if kind not in KINDS:
            warn(f"there is no table of the kind '{kind}'; there are {', '.join(KINDS)}")
            return match[0]
        chosen = [fact for fact in facts.values() if fact.kind == kind]
        if kind == "flag":
            today = facts.get(flag_matrix.TODAY)
            return flag_matrix.matrix(chosen, today, lang, lambda fact: sources(fact, lang, page))
        return table(kind, sorted(chosen, key=_ORDER.get(kind, lambda fact: 0)), lang, page)

    return _MARK.sub(made, markdown)


def kinds_shown(text: str) -> Iterator[str]:
    """Tell of which kinds a text has a table; the list of all facts is not one of them."""
    yield from (match["kind"] for match in _MARK.finditer(text) if match["kind"])


def table(kind: str, facts: Iterable[Fact], lang: str, page: str) -> str:
    """Make the table of a kind, each row with the fact's id as its anchor."""
    rows = [writer.Row(fact.id, _CELLS[kind](fact, lang, page)) for fact in facts]
    # The search finds a fact on the page of its kind; the list of all is a wall of text that only crowds it.
    return writer.table(f"facts-{kind}", WORDS[lang][kind], rows, lang, searched=kind != "all")


def value(fact: Fact, lang: str) -> str:
    """Show the value of a fact in a table, with the mark of one that nobody has verified."""
    tag = "code" if fact.is_code else "strong"
    return f"<{tag}>{escape(fact.value(lang))}</{tag}>{unverified(fact, lang)}"


def sources(fact: Fact, lang: str, page: str) -> str:
    """List where a fact can be read, and its proof, which is a link if it is a notebook or a cell of one."""
    proof = ""
    if fact.proof:
        proof = f"<code>{escape(fact.proof)}</code>"
        if fact.proof.startswith(_PROOFS):
            proof = f"[{proof}]({split.link_to(fact.proof.removeprefix(_PROOFS), page)})"
        proof = f"{WORDS[lang]['proof']}{proof}"
    return writer.lines_of(writer.sources(fact.sources, lang), proof)


def short_versions(versions: str | None, lang: str) -> str:
    """Say for which releases a fact holds in as few words as a column has room for."""
    if not versions:
        return str(WORDS[lang]["always"])
    if versions.startswith("–"):
        return f"至 {versions[1:]}" if lang == "zh" else f"up to {versions[1:]}"
    if versions.endswith("–"):
        return f"{versions[:-1]} 起" if lang == "zh" else f"from {versions[:-1]}"
    return versions


def _any(fact: Fact, lang: str, page: str) -> tuple[str, ...]:
    holds = spell_versions(fact.versions, lang) if fact.versions else ""
    return (
        writer.lines_of(
            value(fact, lang),
            writer.small(writer.plain(fact.note, lang)),
            writer.small(holds[:1].upper() + holds[1:]),
            f'<a class="fact-id" href="#{fact.id}">{fact.id}</a>',
        ),
        sources(fact, lang, page),
    )


def _socket(fact: Fact, lang: str, page: str) -> tuple[str, ...]:
    return (
        writer.lines_of(value(fact, lang), writer.small(writer.plain(fact.note, lang))),
        writer.plain(fact.component, lang),
        writer.plain(fact.protocol, lang),
        short_versions(fact.versions, lang),
        sources(fact, lang, page),
    )


def _message(fact: Fact, lang: str, page: str) -> tuple[str, ...]:
    return (
        writer.lines_of(value(fact, lang), writer.small(writer.plain(fact.note, lang))),
        writer.plain(fact.component, lang),
        short_versions(fact.versions, lang),
        sources(fact, lang, page),
    )


def _name(fact: Fact, lang: str, page: str) -> tuple[str, ...]:
    note, versions = writer.plain(fact.note, lang), short_versions(fact.versions, lang)
    return value(fact, lang), note, versions, sources(fact, lang, page)


def _date(fact: Fact, lang: str, page: str) -> tuple[str, ...]:
    return value(fact, lang), writer.plain(fact.note, lang), sources(fact, lang, page)


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
