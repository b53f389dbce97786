"""Two habits of Chinese text that a machine can check.

A space stands between Han characters and Latin letters or digits, and a paragraph is one line:
a line break between two Han characters shows as a gap in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shimsite.languages import markdown_text

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff]"
_TIGHT = re.compile(rf"{_HAN}[A-Za-z0-9]|[A-Za-z0-9%]{_HAN}")
_HAN_LAST = re.compile(rf"(?:{_HAN}|[，。；：、！？）」”])\s?$")
_HAN_FIRST = re.compile(rf"^\s*{_HAN}")
_TARGET = re.compile(r"\]\([^)]*\)|\]\[[^\]]*\]|<[^>]+>|\{[^{}]*\}|https?://\S+")
_EMPHASIS = re.compile(r"[*\[\]]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"\{\{.*?\}\}")


def problems(text: str, first: int = 1) -> Iterator[str]:
    """Tell where Chinese prose is set too tight, or broken in mid-paragraph."""
    previous = ""
    for line in markdown_text.lines(text, first):
        if not line.is_prose:
            previous = ""
            continue
        if match := _TIGHT.search(_plain(line.text)):
            yield f"line {line.number}: a space belongs between Han and Latin in '{match[0]}'"
        if _HAN_LAST.search(previous) and _HAN_FIRST.match(line.text):
            yield f"line {line.number}: a paragraph is one line; join it with the line above"
        previous = "" if line.text.startswith("#") else line.text


def _plain(line: str) -> str:
    """Reduce a line to its letters: code counts as a Latin word, addresses and facts as nothing."""
    pieces = ("x" if is_code else piece for is_code, piece in markdown_text.spans(_REFERENCE.sub(" ", line)))
    return _EMPHASIS.sub("", _TARGET.sub("", "".join(pieces)))
