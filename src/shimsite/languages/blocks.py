"""Cut Markdown into the blocks that a reader sees: headings, paragraphs, list items, rows, notes, fences, HTML.

markdown-it reads the text, for it knows on which line each block stands. The site is built with Python-Markdown;
tests/docs/test_parity.py holds what both see in each page and prose cell against each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from shimfacts.model import REFERENCE
from shimsite.languages import markdown_text, numerals

_PARSER = MarkdownIt("commonmark").enable("table").use(admon_plugin).use(deflist_plugin).use(footnote_plugin)
#: A tab is to markdown-it what an admonition is; the line stays the same one.
_TAB = re.compile(r"^(\s*)===[!+]?(?=\s+\")", re.M)
_ATTRIBUTES = re.compile(r"\{:?\s*[#.][^{}]*\}|\{:[^{}]*\}")
_INCLUDE = re.compile(r"-{1,}8<-{1,}\s+\"([^\"]+)\"")
#: Stands in for the id of a heading, where headings have none; the other language's heading has it of its words.
_ANCHOR = re.compile(r'\s*<a id="[^"]*"></a>\s*')
#: Attributes that are no words of a language.
_KEPT = ("id", "class", "href", "src")
_COMMENT = re.compile(r"(^|\s)#.*$")
#: Parts of an address that name a language and nothing else.
_LANGUAGE_PART = re.compile(r"/(?:zh-cn|zh-hans|zh|en)(?=/|$)")
#: Tokens around blocks, which say nothing that the blocks do not; and those of blocks that hold nothing but words.
_SILENT = ("table", "tbody", "dl", "footnote_block")
_WITH_WORDS = ("paragraph", "dt", "heading", "tr", "th", "td", "admonition_title")


@dataclass
class Words:
    """What the words of a block hold that is the same in every language, each with how often it stands there."""

    text: str = ""
    code: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    spelt: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Tell whether there is anything to read."""
        return bool(self.text or self.images)


@dataclass
class Block:
    """A block: what it is, in which others it stands, on which line, and its words; a row has them for each cell."""

    kind: str
    within: tuple[str, ...]
    line: int
    words: list[Words] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What has to be the same in every language."""
        return (*self.within, self.kind)

    @property
    def name(self) -> str:
        """Say what it is, and in what it stands."""
        return " in ".join((self.kind, *reversed(self.within)))


def target(url: str) -> str:
    """Write a link's target without what names a language."""
    return _LANGUAGE_PART.sub("", url).replace(".zh.md", ".md")


@lru_cache(maxsize=512)
def blocks(text: str, first: int = 1) -> tuple[Block, ...]:
    """Cut a text into its blocks, in order; `first` is the number of its first line."""
    headings = {heading.number: heading for heading in markdown_text.headings(text)}
    return tuple(_Reader(headings, first).read(_PARSER.parse(_TAB.sub(r"\1!!! tab", text))))


class _Reader:
    """Makes blocks of the tokens of a text."""

    def __init__(self, headings: dict[int, markdown_text.Heading], first: int) -> None:
        self.headings = headings
        self.first = first
        self.found: list[Block] = []
        self.within: list[str] = []
        self.lists: list[str] = []
        self.line = 0
        #: Whose words come next.
        self.block: Block | None = None
        #: An item that has no words yet: its first paragraph is the item.
        self.item: Block | None = None

    def read(self, tokens: Sequence[Token]) -> list[Block]:
        for token in tokens:
            if token.map:
                self.line = token.map[0]
            if token.nesting > 0:
                self._open(token)
            elif token.nesting < 0:
                self._close(token)
            else:
                self._leaf(token)
        return self.found

    def _add(self, kind: str) -> Block:
        self.item = None
        self.found.append(Block(kind, tuple(self.within), self.line + self.first))
        return self.found[-1]

    def _open(self, token: Token) -> None:
        match what := token.type.removesuffix("_open"):
            case "paragraph":
                self.block = self.item or self._add("paragraph")
                self.item = None
            case "dt":
                self.block = self._add("term")
            case "heading":
                heading = self.headings.get(self.line + 1)
                named = f" {{ #{heading.id} }}" if heading and heading.id else ""
                self.block = self._add(f"heading {token.markup}{named}")
            case "tr":
                self.block = self._add("row")
            case "th" | "td":
                if self.block:
                    self.block.words.append(Words())
            case "admonition":
                kind = f"{token.markup} {token.meta['tag']}"
                self.block = self._add(kind)
                self.within.append("note")
            case "bullet_list" | "ordered_list":
                self.lists.append("list item" if what == "bullet_list" else "numbered item")
            case "list_item":
                self.item = self._add(self.lists[-1])
                self.within.append("item")
            case "thead":
                self.within.append("head of a table")
            case "dd":
                self.within.append("definition")
            case _ if what not in (*_SILENT, *_WITH_WORDS):
                self.within.append(what.replace("_", " "))

    def _close(self, token: Token) -> None:
        what = token.type.removesuffix("_close")
        if what in ("bullet_list", "ordered_list"):
            self.lists.pop()
        elif what == "tr" and self.block and self.within[-1:] == ["head of a table"]:
            self.block.kind = f"row of {len(self.block.words)} columns"
        elif what not in (*_SILENT, *_WITH_WORDS):
            self.within.pop()

    def _leaf(self, token: Token) -> None:
        match token.type:
            case "inline" if self.block:
                self._inline(token, self.block)
            case "fence" | "code_block":
                code = [
                    bare for line in token.content.splitlines() if (bare := _COMMENT.sub("", line).strip())
                ]
                self._add(" / ".join(["```" + token.info.strip(), *code]))
            case "html_block":
                for element in _html(token.content).found:
                    self._add(element)
            case "hr":
                self._add("rule")

    def _inline(self, token: Token, block: Block) -> None:
        include = _INCLUDE.search(token.content)
        if _ANCHOR.fullmatch(token.content) and block.kind == "paragraph":
            self.found.pop()
        elif include and block.kind == "paragraph":
            block.kind = f"include of {include[1]}"
        elif block.kind == "row":
            block.words[-1] = _words(token)
        else:
            block.words.append(_words(token))


def _words(token: Token) -> Words:
    """Take what is the same in every language out of the words of a block."""
    words, plain = Words(), ""
    children = token.children or []
    for before, child in zip([None, *children], children, strict=False):
        match child.type:
            # An address that is its own text.
            case "text" if not (before and before.markup == "autolink"):
                plain += child.content
            case "code_inline":
                alone = REFERENCE.fullmatch(child.content.strip())
                if alone:
                    words.facts[alone["id"]] += 1
                else:
                    words.code[REFERENCE.sub(lambda match: f"{{{match['id']}}}", child.content)] += 1
                # So that numbers on both sides of it stay apart.
                plain += "\0"
            case "link_open":
                words.links[target(str(child.attrs.get("href", "")))] += 1
            case "image":
                words.images[target(str(child.attrs.get("src", "")))] += 1
                plain += child.content
            case "html_inline":
                tags = _html(child.content)
                words.links.update(tags.links)
                words.images.update(tags.images)
            case _:
                plain += " "
    words.facts.update(match["id"] for match in REFERENCE.finditer(plain))
    words.text = _ATTRIBUTES.sub("", REFERENCE.sub(" \0 ", plain)).strip()
    words.numbers, words.spelt = numerals.digits(words.text), numerals.words(words.text)
    return words


class _Tags(HTMLParser):
    """Lists the elements and comments of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self.links.append(target(said["href"]))
        elif "src" in said:
            self.images.append(target(said["src"]))
        kept = [f'{name}="{target(said[name])}"' for name in _KEPT if name in said]
        self.found.append(f"<{' '.join([tag, *kept])}>")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!-- {' '.join(data.split())} -->")


def _html(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    return tags
