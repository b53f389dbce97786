"""Tables for readers: a row with its anchor, cells in Markdown, a field to filter by, cards on a phone.

Written as HTML with `markdown` attributes and not as a Markdown table, so that a row can carry an id and a cell the
name of its column, which a phone shows above it. Facts, links and anchors in the cells are those of any page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shimfacts import ledger
from shimfacts.model import Fact, Source, spell_date
from shimfacts.proofs import Proofs
from shimsite.notebooks import split
from shimsite.references import escape

#: What overrides/assets/javascripts/filter.js says; {shown} and {all} are its to fill.
WORDS = {
    "en": {
        "filter": "Filter the rows",
        "count": "{shown} of {all} rows",
        "sources": "{count} sources",
        "always": "any",
        "proved": "proved on {date} by {by}",
        "not now": "not proved as it stands now: {by}",
        "unproved": "from the source only",
        "and": ", ",
    },
    "zh": {
        "filter": "筛选各行",
        "count": "共 {all} 行，显示 {shown} 行",
        "sources": "{count} 处来源",
        "always": "不限",
        "proved": "{date}实测通过：{by}",
        "not now": "现在的写法还没有实测：{by}",
        "unproved": "仅据来源，未实测",
        "and": "、",
    },
}
#: Kinds that a lab can show; a day or a link has its sources alone.
PROVABLE = ("flag", "socket", "message", "name", "version")
#: Sources from which on they are folded away: a row is read for what it says first.
_MANY_SOURCES = 3
#: Where a row can be read elsewhere, and what proved it, is not what it is looked up for.
_UNSEARCHED = ' data-search-exclude="true"'


@dataclass(frozen=True)
class Cell:
    """A cell in Markdown, and the class of its look."""

    text: str
    look: str = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; its id is its anchor on the page, if it has one."""

    id: str
    cells: Sequence[Cell | str]


def table(name: str, head: Sequence[str], rows: Iterable[Row], lang: str, *, searched: bool = True) -> str:
    """Write a table as Markdown that holds HTML; `name` is its class, `searched` is for the site's search."""
    words = WORDS[lang]
    exclude = "" if searched else _UNSEARCHED
    filtered = f'data-filter="{words["filter"]}" data-count="{words["count"]}"'
    # Roles, since a phone shows rows as blocks, and a browser may then forget what they are. None for the heads: the
    # theme takes their role for the sign of a table that can be sorted.
    columns = "".join(f'<th scope="col" markdown="span">{title}</th>' for title in head)
    lines = [
        f'<div class="rows rows--{name}" {filtered} markdown="block">',
        f'<table role="table"{exclude} markdown="block">',
        f'<thead role="rowgroup" markdown="block"><tr role="row" markdown="block">{columns}</tr></thead>',
        '<tbody role="rowgroup" markdown="block">',
        *(_row(row, head) for row in rows),
        "</tbody>",
        "</table>",
        "</div>",
    ]
    return "\n".join(lines)


def _row(row: Row, head: Sequence[str]) -> str:
    cells = []
    for title, cell in zip(head, row.cells, strict=True):
        text, look = (cell.text, f' class="{cell.look}"') if isinstance(cell, Cell) else (cell, "")
        label = html.escape(title)
        cells.append(f'<td role="cell"{look} data-label="{label}" markdown="span">{text}</td>')
    anchor = f' id="{row.id}"' if row.id else ""
    return f'<tr{anchor} role="row" markdown="block">\n' + "\n".join(cells) + "\n</tr>"


def sources(given: Sequence[Source], lang: str) -> str:
    """List where something can be read; many sources are folded together, to be opened by whoever wants them."""
    links = lines_of(
        *(f'<a href="{html.escape(each.url)}"{_UNSEARCHED}>{escape(each.title)}</a>' for each in given)
    )
    if len(given) < _MANY_SOURCES:
        return links
    title = WORDS[lang]["sources"].format(count=len(given))
    return f'<details class="sources"{_UNSEARCHED}><summary>{title}</summary>{links}</details>'


def proof(named: str, page: str) -> str:
    """Name a proof as shortly as it is understood on a page: a cell is linked, a test and a snippet are named."""
    path, _, name = named.partition("#")
    if name:
        link = split.link_to(f"{path.removeprefix('notebooks/')}#{name}", page)
        return f"[<code>{path.removeprefix('notebooks/').partition('-')[0]}#{name}</code>]({link})"
    # Without its case: a name is read, a case is looked up.
    short = named.rpartition("::")[2].rpartition("/")[2].partition("[")[0]
    return f"<code>{escape(short)}</code>"


def proved(fact: Fact, known: Proofs, lang: str, page: str) -> str:
    """Say when a fact was last shown on the lab and by what, or that only its sources say so."""
    words = WORDS[lang]
    if not fact.proofs:
        return words["unproved"] if fact.kind in PROVABLE else ""
    # The same test stands in several files where it is run on kubelets of several releases.
    by = words["and"].join(dict.fromkeys(proof(each, page) for each in fact.proofs))
    results = [known.last(each) for each in fact.proofs]
    passed = [each.date for each in results if each is not None and each.outcome == ledger.PASSED]
    if len(passed) < len(results):
        return words["not now"].format(by=by)
    return words["proved"].format(date=spell_date(min(passed), lang), by=by)


def short_versions(versions: str | None, lang: str) -> str:
    """Say for which releases a fact holds in as few words as a column has room for."""
    if not versions:
        return WORDS[lang]["always"]
    if versions.startswith("–"):
        return f"至 {versions[1:]}" if lang == "zh" else f"up to {versions[1:]}"
    if versions.endswith("–"):
        return f"{versions[:-1]} 起" if lang == "zh" else f"from {versions[:-1]}"
    return versions


def lines_of(*parts: str) -> str:
    """Put the parts of a cell that are not empty below one another; what is folded is a block of its own."""
    return "<br>".join(part for part in parts if part).replace("</details><br>", "</details>")


def plain(texts: Mapping[str, str] | None, lang: str) -> str:
    """Write a text that is no Markdown in a language; nothing where there is none."""
    return escape(texts[lang]) if texts else ""


def small(text: str, *, searched: bool = True) -> str:
    """Write what stands small beside or below the main thing; `searched` is for the site's search."""
    return f'<small class="note"{"" if searched else _UNSEARCHED}>{text}</small>' if text else ""
