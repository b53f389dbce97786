"""Rows of tables as entries of the search of their own, so that a message, a flag or a word is found and not its page.

The theme's plugin makes an entry of each section, with all of a table in it. A row that has an anchor is left out there
(`data-search-exclude`, which the theme documents, and takes out of the page again) and becomes an entry here.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

EXCLUDED = "data-search-exclude"
#: Rows with anchors, and the heads above them, which are beside every word of such a row.
_ROW = re.compile(r'<(?:tr(?= id="[^"]+" role="row")|thead(?= role="rowgroup"))')
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Row:
    """What the search knows of a row: its anchor, what it is about, and the rest; both are escaped for HTML."""

    id: str
    title: str
    text: str


def split(content: str) -> tuple[str, list[Row]]:
    """Take the rows with anchors out of a page's entries; return the page for the theme's plugin, and the rows."""
    if ' role="row"' not in content:
        return content, []
    rows = []
    for row in BeautifulSoup(content, "html.parser").select("tr[id][role=row]"):
        if row.find_parent(attrs={EXCLUDED: True}) is None:
            for part in row.select(f"[{EXCLUDED}], [aria-hidden]"):
                part.decompose()
            rows.append(_row(row))
    return (_ROW.sub(rf'\g<0> {EXCLUDED}="row"', content) if rows else content), rows


def _row(row: Tag) -> Row:
    first, *others = row.find_all("td")
    # A number says nothing: such a row is about what stands beside it.
    if not re.search(r"[^\W\d]", first.get_text()) and others:
        first, *others = others
    title = _title(first)
    about = _said(title)
    title.clear() if title is first else title.extract()
    parts = [_said(first), *(_labelled(cell) for cell in others)]
    return Row(str(row["id"]), about, " · ".join(part for part in parts if part))


def _title(cell: Tag) -> Tag:
    """Find what a row is about: what a cell shows first, or all of a cell that begins with text."""
    first = next((part for part in cell.contents if str(part).strip()), None)
    return first if isinstance(first, Tag) and first.name in ("code", "strong", "span") else cell


def _labelled(cell: Tag) -> str:
    said = _said(cell)
    label = cell.get("data-label")
    return f"{html.escape(str(label), quote=False)}: {said}" if said and label else said


def _said(part: Tag) -> str:
    for line in part.find_all("br"):
        line.replace_with(" ")
    return html.escape(_SPACE.sub(" ", part.get_text()).strip(), quote=False)
