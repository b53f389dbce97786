"""Code cells out of mkdocs-jupyter's page, as plain HTML that the theme knows how to style.

mkdocs-jupyter inlines about 600 KB of styles and scripts into every page, some from other
hosts, and wraps each cell in a dozen elements. Kept here: the highlighted source and what the
cell printed. Its prose is not used at all (`notebooks.compose` says why).
"""

from __future__ import annotations

import copy
import re
from base64 import b64decode
from collections.abc import Iterable

from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

_CODE_CELL = ".jp-CodeCell .jp-Cell-inputWrapper"
_MARKER = re.compile(r'<div class="nb-cell" id="([\w-]+)" data-cell="(\d+)"></div>')
#: Classes of the highlighter that are shown in the colour of the code itself: names, brackets,
#: operators, white space. Their elements are a third of a notebook's page.
_PLAIN_SPAN = re.compile(r'<span class="[npow]">([^<]*)</span>')
#: Elements that no output of ours needs, and that could run or load something.
_FORBIDDEN = ("script", "style", "link", "iframe", "object", "embed", "base", "meta", "foreignobject")
#: mkdocs-jupyter makes a picture of drawings, whose words nobody can select and which knows no colours of the page.
_DRAWING = "data:image/svg+xml;base64,"
_STREAMS = {
    "application/vnd.jupyter.stdout": "stdout",
    "application/vnd.jupyter.stderr": "stderr",
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "html",
    "image/svg+xml": "image",
    "image/png": "image",
    "image/jpeg": "image",
}


class NotebookHtmlError(ValueError):
    """The page that mkdocs-jupyter made does not look as expected."""


def code_cells(html: str) -> list[str]:
    """Take what is in the code cells out of a page rendered by mkdocs-jupyter, cleaned, in order."""
    # Styles and scripts are most of the page: cutting them first makes parsing ten times faster.
    html = re.sub(r"<(style|script)\b.*?</\1\s*>", "", html, flags=re.S | re.I)
    soup = BeautifulSoup(html, "html.parser")
    cells = []
    for wrapper in soup.select(_CODE_CELL):
        cell = wrapper.find_parent(class_="jp-CodeCell")
        if not isinstance(cell, Tag):
            raise NotebookHtmlError("a cell's input stands outside a code cell")
        cells.append(_cell(cell))
    return cells


def fill(html: str, cells: list[str]) -> str:
    """Put code cells in the places that their markers keep.

    Raises:
        NotebookHtmlError: there are more or fewer markers than cells.
    """
    markers = _MARKER.findall(html)
    if len(markers) != len(cells):
        raise NotebookHtmlError(
            f"the notebook has {len(markers)} code cells, mkdocs-jupyter made {len(cells)}"
        )
    return _MARKER.sub(
        lambda match: f'<div class="nb-cell" id="{match[1]}">{cells[int(match[2])]}</div>', html
    )


def _cell(cell: Tag) -> str:
    """Clean one code cell: its source, then its outputs."""
    soup = BeautifulSoup("", "html.parser")
    out = soup.new_tag("div")
    source = cell.select_one("div[class*='highlight-ipynb'] > pre")
    if source is not None and source.get_text().strip():
        box = soup.new_tag("div", attrs={"class": "highlight"})
        pre, code = soup.new_tag("pre"), soup.new_tag("code")
        _move(_shell(source.get_text()) or source.contents, code)
        pre.append(code)
        box.append(pre)
        out.append(box)
    for area in cell.select(".jp-OutputArea-output"):
        out.append(_output(area, soup))
    return _PLAIN_SPAN.sub(r"\1", out.decode_contents())


def _shell(source: str) -> list[PageElement]:
    """Colour a `%%bash` cell as shell; mkdocs-jupyter colours every cell as Python."""
    first, _, rest = source.partition("\n")
    if not first.startswith("%%bash"):
        return []
    body = highlight(rest.rstrip("\n"), get_lexer_by_name("bash"), HtmlFormatter(nowrap=True))
    return BeautifulSoup(f'<span class="cm">{first}</span>\n{body}', "html.parser").contents


def _output(area: Tag, soup: BeautifulSoup) -> Tag:
    """Clean one output and say in its class what it is."""
    kind = _STREAMS.get(str(area.get("data-mime-type")), "text")
    box = soup.new_tag("div", attrs={"class": f"nb-output nb-output--{kind}"})
    for image in area.select(f'img[src^="{_DRAWING}"]'):
        drawing = b64decode(str(image["src"]).removeprefix(_DRAWING)).decode("utf-8")
        image.replace_with(*BeautifulSoup(drawing, "html.parser").find_all("svg", recursive=False))
    for element in area.find_all(_FORBIDDEN):
        element.decompose()
    for element in area.select(".anchor-link, [hidden]"):
        element.decompose()
    for element in [area, *area.find_all(True)]:
        if not isinstance(element, Tag):
            continue
        for name in [name for name in element.attrs if name.startswith("on") or name == "tabindex"]:
            del element[name]
        if element.name == "table":
            # A table without a class and a border is one the theme styles and lets scroll.
            for name in ("class", "border", "style"):
                element.attrs.pop(name, None)
        if re.fullmatch(r"h[1-6]", element.name):
            # An output's heading is no part of the page's outline.
            element.name, element.attrs = "p", {"class": "nb-output__title"}
    _move(area.contents, box)
    return box


def _move(nodes: Iterable[object], target: Tag) -> None:
    """Copy nodes into an element of another tree, leaving out white space at its edges."""
    for node in list(nodes):
        if isinstance(node, str) and not node.strip() and target.name == "div":
            continue
        target.append(copy.copy(node))  # type: ignore[arg-type]
