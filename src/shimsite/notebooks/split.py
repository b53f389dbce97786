"""Notebooks in two languages: one file in `notebooks/`, one page for each language.

Prose cells carry the tag `lang:en` or `lang:zh`; code cells and their outputs are shared. The
split notebook is what mkdocs-jupyter renders and what a reader downloads; the prose becomes
Markdown that MkDocs renders like any page, so its links and anchors are checked like any page's.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat

from shimfacts.model import LANGUAGES
from shimfacts.notebooks import coalesced
from shimsite.languages import markdown_text

#: Where notebooks stand in the site.
SECTION = "labs"
#: What the anchor of a code cell begins with; its id follows.
ANCHOR = "cell-"
#: Metadata that depends on who executed the notebook, not on what it says.
_FOREIGN_METADATA = ("vscode", "widgets", "colab", "toc", "varInspector")

# From the end of its words on: they may hold code, of which the prose between is looked at alone.
_INLINE_LINK = re.compile(r"(?P<head>\]\()(?P<url>[^)\s]+)(?P<tail>[^)]*\))")
_DOCS = re.compile(r"^(?:\.\./)+docs/(?P<lang>\w+)/(?P<path>.*)$")

Warn = Callable[[str], None]


@dataclass
class SplitNotebook:
    """A notebook in one language: cells of that language, and the ids of their headings."""

    source: Path
    node: Any
    heading_ids: dict[int, list[str]] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Its path among the pages of a site."""
        return f"{SECTION}/{self.source.name}"


def languages_of(cell: Any) -> list[str]:  # noqa: ANN401 - nbformat has no types
    """Read the languages that a cell is tagged with."""
    return [tag.removeprefix("lang:") for tag in cell.metadata.get("tags", []) if tag.startswith("lang:")]


def split(source: Path, lang: str) -> SplitNotebook:
    """Read a notebook and keep the cells of one language.

    A heading takes its id from the English twin of its cell, so that an anchor is the same
    in every language. A cell without a language stays in both.
    """
    notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
    cells: list[Any] = []
    ids: dict[int, list[str]] = {}
    used: set[str] = set()
    twin: list[str] = []
    for cell in notebook.cells:
        langs = languages_of(cell)
        if cell.cell_type == "markdown":
            titles = markdown_text.headings(cell.source)
            if not langs or LANGUAGES[0] in langs:
                twin = _unique([h.id or markdown_text.heading_slug(h.title) for h in titles], used)
            if not langs or lang in langs:
                # A twin with another number of headings is a parity error; its page still builds.
                matched = len(twin) == len(titles)
                ids[len(cells)] = (
                    twin if matched else _unique([markdown_text.heading_slug(h.title) for h in titles], used)
                )
        if langs and lang not in langs:
            continue
        cells.append(_cleaned(cell))
    notebook.cells = cells
    for key in _FOREIGN_METADATA:
        notebook.metadata.pop(key, None)
    return SplitNotebook(source, notebook, ids)


def title(notebook: SplitNotebook) -> str:
    """Give the title of a notebook in its language: its first heading, or its file's name without one."""
    for cell in notebook.node.cells:
        if cell.cell_type == "markdown" and (found := markdown_text.headings(cell.source)):
            return found[0].title
    return notebook.source.name


def _unique(slugs: list[str], used: set[str]) -> list[str]:
    """Number the ids that occur twice in a notebook."""
    out = []
    for slug in slugs:
        unique, count = slug or "section", 1
        while unique in used:
            count += 1
            unique = f"{slug or 'section'}-{count}"
        used.add(unique)
        out.append(unique)
    return out


def _cleaned(cell: Any) -> Any:  # noqa: ANN401
    """Drop the language tags of a cell and join the pieces of its streams."""
    cell = copy.deepcopy(cell)
    tags = [tag for tag in cell.metadata.pop("tags", []) if not tag.startswith("lang:")]
    if tags:
        cell.metadata["tags"] = tags
    if cell.cell_type == "code":
        cell.outputs = coalesced(cell.outputs)
    return cell


def compose(notebook: SplitNotebook, lang: str, warn: Warn) -> str:
    """Write the notebook as one Markdown page, with a marker where each code cell belongs."""
    parts, code = [], 0
    for index, cell in enumerate(notebook.node.cells):
        if cell.cell_type == "markdown":
            text = markdown_text.with_ids(cell.source, notebook.heading_ids.get(index, []))
            parts.append(_map_links(text, lambda url: site_link(url, lang, warn)))
        elif cell.cell_type == "code":
            parts.append(marker(code, cell.id))
            code += 1
    return "\n\n".join(parts) + "\n"


def marker(number: int, cell_id: str) -> str:
    """Make the element that stands for a code cell until the page is rendered; MkDocs finds the anchor in it."""
    return f'<div class="nb-cell" id="{ANCHOR}{cell_id}" data-cell="{number}"></div>'


def link_to(cell: str, page: str) -> str:
    """Write a link to `NN-name.ipynb`, or to a cell of it after `#`, as it works on a page at this path."""
    name, _, cell_id = cell.partition("#")
    target = posixpath.relpath(posixpath.join(SECTION, name), posixpath.dirname(page) or ".")
    return f"{target}#{ANCHOR}{cell_id}" if cell_id else target


def site_link(url: str, lang: str, warn: Warn) -> str:
    """Turn a link as it works in the repository into one that works among the pages.

    Both `../docs/en/page.md` (right in the repository) and `../page.md` (right on the site)
    are understood.
    """
    match = _DOCS.match(url)
    if match is None:
        return url
    if match["lang"] != lang:
        warn(f"links to '{url}', a page of another language")
    return posixpath.join("..", match["path"])


def portable(
    notebook: SplitNotebook, lang: str, site_url: str, text_of: Callable[[str], str], warn: Warn
) -> Any:  # noqa: ANN401
    """Make the copy a reader downloads: facts spelt out, links to pages and to cells absolute."""
    node = copy.deepcopy(notebook.node)

    def absolute(url: str) -> str:
        # Jupyter gives headings their anchors, but not cells: those are found on the page alone.
        here = notebook.source.name if url.startswith(f"#{ANCHOR}") else ""
        parts = urlsplit(here + site_link(url, lang, warn))
        if parts.scheme or parts.netloc or not parts.path:
            return url
        stem, extension = posixpath.splitext(posixpath.normpath(posixpath.join(SECTION, parts.path)))
        if extension not in (".md", ".ipynb"):
            return url
        page = "" if stem == "index" else stem.removesuffix("/index") + "/"
        return f"{site_url}{page}" + (f"#{parts.fragment}" if parts.fragment else "")

    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = _map_links(text_of(cell.source), absolute)
    return node


def _map_links(text: str, change: Callable[[str], str]) -> str:
    """Change the targets of inline links, in prose only."""
    out = []
    for line in markdown_text.lines(text):
        if not line.is_prose:
            out.append(line.text)
            continue
        out.append(
            "".join(
                piece
                if is_code
                else _INLINE_LINK.sub(lambda m: m["head"] + change(m["url"]) + m["tail"], piece)
                for is_code, piece in markdown_text.spans(line.text)
            )
        )
    return "\n".join(out)
