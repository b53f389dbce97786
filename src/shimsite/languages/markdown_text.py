"""Read Markdown as a reader would: what is prose, what is code, what is a heading.

One small scanner that the facts, the notebooks and the parity check share, so that all of
them agree on where a fence ends. It knows the Markdown this site allows, not all of Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pymdownx.slugs import slugify

_FENCE = re.compile(r"^(?P<indent>[\s>]*)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
_HEADING = re.compile(r"^(?P<marks>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*$")
_ATTRS = re.compile(r"[ \t]*\{:?(?P<attrs>[^{}]*)\}[ \t]*$")
_ID = re.compile(r"#(?P<id>[\w.:-]+)")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LINK_TEXT = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_slug = slugify(case="lower")


@dataclass(frozen=True)
class Line:
    """One line of a Markdown text: `fence` is the info string of the fence it lies in, or None."""

    number: int
    text: str
    fence: str | None = None
    opens: bool = False
    closes: bool = False

    @property
    def is_prose(self) -> bool:
        """Tell whether the line is neither code in a fence nor the fence itself."""
        return self.fence is None


@dataclass(frozen=True)
class Heading:
    """A heading as written: its level, its words and its explicit id, if it has one."""

    number: int
    level: int
    title: str
    id: str | None


def front_matter(text: str) -> tuple[dict[str, Any], str, int]:
    """Split a page into its front matter, its body and the number of lines before the body.

    Raises:
        ValueError: the front matter is not a YAML mapping.
    """
    if not text.startswith("---\n"):
        return {}, text, 0
    head, mark, body = text[4:].partition("\n---\n")
    if not mark:
        return {}, text, 0
    meta = yaml.safe_load(head) or {}
    if not isinstance(meta, dict):
        raise ValueError(  # noqa: TRY004 - the text is wrong, not its type
            "the front matter is not a mapping of keys to values"
        )
    return meta, body, head.count("\n") + 3


def lines(text: str, first: int = 1) -> Iterator[Line]:
    """Walk over the lines of a text and say for each whether it lies in a fence."""
    mark = ""
    info = ""
    for number, line in enumerate(text.splitlines(), first):
        found = _FENCE.match(line)
        if mark:
            closes = (
                found is not None
                and found["mark"][0] == mark[0]
                and len(found["mark"]) >= len(mark)
                and not found["info"].strip()
            )
            yield Line(number, line, info, closes=closes)
            if closes:
                mark = ""
        elif found:
            mark, info = found["mark"], found["info"].strip()
            yield Line(number, line, info, opens=True)
        else:
            yield Line(number, line)


def headings(text: str, first: int = 1) -> list[Heading]:
    """List the headings of a text in order; a `#` in a fence is a comment, not a heading."""
    found = []
    for line in lines(text, first):
        match = _HEADING.match(line.text) if line.is_prose else None
        if match:
            title, attrs = match["title"], _ATTRS.search(match["title"])
            explicit = _ID.search(attrs["attrs"]) if attrs else None
            if attrs and explicit:
                title = title[: attrs.start()]
            found.append(
                Heading(line.number, len(match["marks"]), title, explicit["id"] if explicit else None)
            )
    return found


def heading_slug(title: str) -> str:
    """Make the id of a heading from its words, the way the table of contents would."""
    plain = _LINK_TEXT.sub(r"\1", title)
    return str(_slug(re.sub(r"[`*]", "", plain), "-"))


def with_ids(text: str, ids: list[str]) -> str:
    """Give the headings of a text these ids, in order, in place of those they have."""
    out, rest = [], iter(ids)
    for line in lines(text):
        match = _HEADING.match(line.text) if line.is_prose else None
        if match is None:
            out.append(line.text)
            continue
        title, attrs = match["title"], _ATTRS.search(match["title"])
        if attrs and _ID.search(attrs["attrs"]):
            title = title[: attrs.start()]
        out.append(f"{match['marks']} {title} {{ #{next(rest)} }}")
    return "\n".join(out)


def spans(text: str) -> Iterator[tuple[bool, str]]:
    """Cut a line of prose into pieces and say of each whether it is inline code, marks included."""
    at = 0
    for match in _CODE_SPAN.finditer(text):
        if match.start() > at:
            yield False, text[at : match.start()]
        yield True, match[0]
        at = match.end()
    if at < len(text):
        yield False, text[at:]
