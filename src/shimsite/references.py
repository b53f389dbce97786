"""Put facts into text: the `{{ fact("id") }}` references of pages and prose cells.

References are replaced before Markdown is rendered. A fence is never touched; inline code
takes `{{ fact("id", "bare") }}` only; a backslash before the braces shows them as they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from shimfacts.model import REFERENCE, Fact, spell_versions
from shimsite.languages import markdown_text

_LIKE_REF = re.compile(r"(?<!\\)\{\{\s*fact\b[^}]*\}?\}?")
#: Characters with a meaning in Markdown or HTML, which a value must not set off.
_MARKDOWN = re.compile(r"[&<>\"'\\`*_\[\]|~^#!:$]")

WORDS = {
    "en": {"source": "Source: ", "unverified": "not verified"},
    "zh": {"source": "来源：", "unverified": "未经核实"},
}

Warn = Callable[[str], None]


@dataclass(frozen=True)
class Ref:
    """A reference found in a text, at its line."""

    id: str
    form: str
    line: int
    in_code: bool


def refs(text: str, first: int = 1) -> Iterator[Ref]:
    """Find the references of a text, leaving out fences and escaped ones."""
    for line in markdown_text.lines(text, first):
        if line.is_prose:
            for in_code, piece in markdown_text.spans(line.text):
                for match in REFERENCE.finditer(piece):
                    if not match["escape"]:
                        yield Ref(match["id"], match["form"] or "", line.number, in_code)


def render(text: str, facts: Mapping[str, Fact], lang: str, warn: Warn, *, plain: bool = False) -> str:
    """Replace the references of a text by HTML, or by Markdown when `plain` is asked for.

    `plain` serves what leaves the site (a downloaded notebook): there a value is Markdown
    with an ordinary link. What cannot be replaced is reported through `warn` and stays.
    """
    show = _markdown if plain else _html

    def in_prose(match: re.Match[str]) -> str:
        fact = _known(match, facts, warn)
        if match["escape"] or fact is None:
            return match[0].removeprefix("\\")
        return escape(fact.value(lang)) if match["form"] == "bare" else show(fact, lang)

    def in_code(match: re.Match[str]) -> str:
        fact = _known(match, facts, warn)
        if match["escape"] or fact is None:
            return match[0].removeprefix("\\")
        if match["form"] != "bare":
            warn(
                f'a fact in inline code has no room for a link: write {{{{ fact("{match["id"]}", "bare") }}}}'
            )
        return fact.value(lang)

    out = []
    for line in markdown_text.lines(text):
        if not line.is_prose or "fact" not in line.text:
            out.append(line.text)
            continue
        pieces = [
            REFERENCE.sub(in_code if is_code else in_prose, piece)
            for is_code, piece in markdown_text.spans(line.text)
        ]
        for odd in _LIKE_REF.finditer(REFERENCE.sub("", line.text)):
            warn(f"line {line.number}: cannot read the reference {odd[0]!r}")
        out.append("".join(pieces))
    return "\n".join(out) + ("\n" if text.endswith("\n") else "")


def render_bare(text: str, facts: Mapping[str, Fact], lang: str, warn: Warn) -> str:
    """Replace the references of a text that is no Markdown, such as a page's description."""

    def value(match: re.Match[str]) -> str:
        fact = _known(match, facts, warn)
        return match[0] if fact is None else fact.value(lang)

    return REFERENCE.sub(value, text)


def _known(match: re.Match[str], facts: Mapping[str, Fact], warn: Warn) -> Fact | None:
    """Find the fact that a reference names; complain about a wrong id or form."""
    if match["escape"]:
        return None
    fact = facts.get(match["id"])
    if fact is None:
        warn(f"there is no fact '{match['id']}' in facts/")
    elif match["form"] not in (None, "bare"):
        warn(f'a fact is shown whole or "bare", not {match["form"]!r}')
    return fact


def escape(value: str) -> str:
    """Make a value safe between Markdown and HTML."""
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", value)


def _html(fact: Fact, lang: str) -> str:
    """Show a value as a link to its first source; the title tells the source and the versions."""
    words, source = WORDS[lang], fact.sources[0]
    value = escape(fact.value(lang))
    value = f"<code>{value}</code>" if fact.is_code else value
    title = f"{words['source']}{source.title}"
    if fact.versions:
        holds = spell_versions(fact.versions, lang)
        title += f" ({holds})" if lang == "en" else f"（{holds}）"
    link = f'<a class="fact" href="{html.escape(source.url)}" title="{html.escape(title)}">{value}</a>'
    return link + unverified(fact, lang)


def unverified(fact: Fact, lang: str) -> str:
    """Make the visible mark of a fact that nobody has verified yet."""
    return "" if fact.verified else f' <span class="fact-unverified">{WORDS[lang]["unverified"]}</span>'


def _markdown(fact: Fact, lang: str) -> str:
    """Show a value as plain Markdown with a link to its first source."""
    value = f"`{fact.value(lang)}`" if fact.is_code else escape(fact.value(lang))
    mark = "" if fact.verified else f" ({WORDS[lang]['unverified']})"
    return f"[{value}]({fact.sources[0].url}){mark}"
