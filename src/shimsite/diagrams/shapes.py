"""What a picture is made of, and how it becomes SVG: boxes, tabs, chips, lines, text on one line.

Colours and letters are in overrides/assets/stylesheets/diagrams.css, by class. Nothing here has an id but what the
screen reader needs, and nothing refers to another element: any number of pictures can stand on a page.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

#: How wide letters are, in em, in the widest fonts that a reader's system is likely to have.
_MONO, _SANS, _BOLD, _HAN = 0.605, 0.62, 0.7, 1.0
_NARROW = frozenset("iljtfI.,:;'|/()[]- ")


@dataclass(frozen=True)
class Text:
    """Text on one line: pieces of captions, and of what the record says."""

    x: float
    y: float
    #: Each piece, and whether it is the record's.
    pieces: tuple[tuple[str, bool], ...]
    look: str = "small"
    anchor: str = "start"

    @property
    def words(self) -> str:
        """The whole text."""
        return "".join(piece for piece, _ in self.pieces)

    @property
    def width(self) -> float:
        """How much room it takes, with some to spare."""
        size, mono, bold = LOOKS[self.look]
        return sum(_width(letter, mono=mono, bold=bold) for letter in self.words) * size

    def svg(self) -> str:
        """Write it as SVG; what is the record's has a class of its own."""
        inner = "".join(_piece(piece, recorded=recorded) for piece, recorded in self.pieces)
        anchor = "" if self.anchor == "start" else f' text-anchor="{self.anchor}"'
        return f'<text class="{self.look}" x="{_n(self.x)}" y="{_n(self.y)}"{anchor}>{inner}</text>'


#: The looks of text: size, whether of one width, whether bold. The style sheet says the same.
LOOKS = {
    "title": (15, False, True),
    "name": (14, False, True),
    "code": (11.5, True, False),
    "tight": (11, True, True),
    "small": (12, False, False),
}


@dataclass(frozen=True)
class Part:
    """A part of the picture that a step can light up: shapes and text, drawn together."""

    name: str
    look: str
    shapes: tuple[str, ...]
    texts: tuple[Text, ...] = ()

    def svg(self) -> str:
        """Write it as SVG."""
        name = f' data-part="{html.escape(self.name)}"' if self.name else ""
        return (
            f'<g class="{self.look}"{name}>{"".join(self.shapes)}{"".join(t.svg() for t in self.texts)}</g>'
        )


@dataclass
class Picture:
    """A picture: its size, its parts from back to front, what it is called and what it shows."""

    width: float
    height: float
    title: str
    description: str
    parts: list[Part] = field(default_factory=list)

    def texts(self) -> Iterable[Text]:
        """Walk over all text."""
        return (text for part in self.parts for text in part.texts)

    def svg(self, key: str, look: str = "") -> str:
        """Write the picture; `key` is what its two ids begin with."""
        return (
            f'<svg class="{f"chain {look}".strip()}" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" '
            f'aria-labelledby="{key}-title" aria-describedby="{key}-desc">'
            f'<title id="{key}-title">{html.escape(self.title)}</title>'
            f'<desc id="{key}-desc">{html.escape(self.description)}</desc>'
            f"{''.join(part.svg() for part in self.parts)}</svg>"
        )


def rect(x: float, y: float, width: float, height: float, radius: float = 4) -> str:
    """Write a box."""
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}"/>'


def tab(x: float, y: float, width: float, height: float, radius: float = 4) -> str:
    """Write a box with round corners above and square ones below: it sits on another."""
    r, side = _n(radius), _n(height - radius)
    path = f"M{_n(x)} {_n(y + height)}v-{side}q0-{r} {r}-{r}h{_n(width - 2 * radius)}q{r} 0 {r} {r}v{side}z"
    return f'<path class="tab" d="{path}"/>'


def line(*points: tuple[float, float], look: str = "") -> str:
    """Write a line through points, around corners without sharp turns."""
    (x, y), *rest = points
    path = [f"M{_n(x)} {_n(y)}"]
    for index, (to_x, to_y) in enumerate(rest):
        if index + 1 < len(rest):
            path.append(_turn((x, y), (to_x, to_y), rest[index + 1]))
        else:
            path.append(f"L{_n(to_x)} {_n(to_y)}")
        x, y = to_x, to_y
    kind = f' class="{look}"' if look else ""
    return f'<path{kind} d="{"".join(path)}"/>'


def arrow(*points: tuple[float, float]) -> str:
    """Write a line with a head at its last point."""
    (from_x, from_y), (x, y) = points[-2:]
    dx, dy = _sign(x - from_x), _sign(y - from_y)
    short = (*points[:-1], (x - 6 * dx, y - 6 * dy))
    back, side = (x - 8 * dx, y - 8 * dy), 4.5
    head = ((x, y), (back[0] - side * dy, back[1] - side * dx), (back[0] + side * dy, back[1] + side * dx))
    corners = "L".join(f"{_n(one)} {_n(other)}" for one, other in head)
    return f'{line(*short)}<path class="head" d="M{corners}z"/>'


def gap(x: float, y: float) -> str:
    """Write what parts an upright line from a level one that it crosses: a piece of the paper under it."""
    return line((x, y - 5), (x, y + 5), look="gap")


def _turn(
    before: tuple[float, float], at: tuple[float, float], after: tuple[float, float], radius: float = 6
) -> str:
    one = (at[0] - radius * _sign(at[0] - before[0]), at[1] - radius * _sign(at[1] - before[1]))
    two = (at[0] + radius * _sign(after[0] - at[0]), at[1] + radius * _sign(after[1] - at[1]))
    return f"L{_n(one[0])} {_n(one[1])}Q{_n(at[0])} {_n(at[1])} {_n(two[0])} {_n(two[1])}"


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _width(letter: str, *, mono: bool, bold: bool) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return _HAN
    if mono:
        return _MONO
    return (_BOLD if bold else _SANS) * (0.65 if letter in _NARROW else 1.0)


def _piece(text: str, *, recorded: bool) -> str:
    safe = html.escape(text, quote=False)
    return f'<tspan class="of-record">{safe}</tspan>' if recorded else safe


def _n(value: float) -> str:
    return f"{round(value, 1):g}"
