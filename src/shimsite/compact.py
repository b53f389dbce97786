"""A page without the blank lines and the indentation of its templates: a seventh of a notebook, none of it seen."""

from __future__ import annotations

import re

#: Where white space counts, or may count.
_KEPT = re.compile(r"(<(pre|script|style|textarea)\b.*?</\2>)", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"\s*\n\s*")


def compact(html: str) -> str:
    """Make each run of white space with a line break in it a single line break, but for code and scripts."""
    # re.split gives three pieces in turn: what is between, what is kept, and the name of its element.
    pieces = _KEPT.split(html)
    for index in range(0, len(pieces), 3):
        pieces[index] = _BREAK.sub("\n", pieces[index])
    return "".join(piece for index, piece in enumerate(pieces) if index % 3 != 2)
