"""A plot of single measurements with their median, as SVG that takes its colours from the page: light or dark.

Every value is a dot, so that the spread is seen and not claimed. The text is text, and a screen reader is told the
same as a table would say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

# Drawn for a phone, 440 units wide; on a wide page it is as wide as its style sheet lets it.
WIDTH, MARGIN = 440, 6
ROW, AXIS = 46, 30
DOT, BAR = 3.2, 15
# Where no page gives it a colour, as in Jupyter: to be read on white and on black.
GREY = "#767676"
# Steps between marks on the axis, times a power of ten.
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_MARKS = 6


@dataclass(frozen=True)
class Plot:
    """A picture and what it says in words."""

    svg: str
    words: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        """Say what a terminal, or a test, can compare."""
        return self.words


def strips(title: str, values: Mapping[str, Sequence[float]], unit: str = "") -> Plot:
    """Draw a strip of dots for each name, from 0, one axis for all; the bar is the median.

    Raises:
        ValueError: there is nothing to draw, or a value is negative or no number.
    """
    numbers = [value for each in values.values() for value in each]
    if not values or not all(values.values()):
        raise ValueError(f"{title}: there is nothing to draw")
    if not all(math.isfinite(value) and value >= 0 for value in numbers):
        raise ValueError(f"{title}: a value is negative or no number")
    marks = _marks(max(numbers))
    scale = (WIDTH - 2 * MARGIN) / marks[-1]
    words = f"{title}: " + "; ".join(f"{name} {_said(each, unit)}" for name, each in values.items())
    height = ROW * len(values) + AXIS
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(words)}" font-family="sans-serif" font-size="13" color="{GREY}" fill="currentColor">'
    ]
    for index, (name, each) in enumerate(values.items()):
        parts += _strip(name, each, unit, ROW * index, scale)
    parts += _axis(marks, unit, ROW * len(values), scale)
    return Plot("\n".join([*parts, "</svg>"]), words)


def _strip(name: str, values: Sequence[float], unit: str, top: float, scale: float) -> list[str]:
    line = top + 32
    middle = MARGIN + median(values) * scale
    return [
        f'<text x="{MARGIN}" y="{top + 16}" font-weight="600">{escape(name)}</text>',
        f'<text x="{WIDTH - MARGIN}" y="{top + 16}" text-anchor="end">{escape(_said(values, unit))}</text>',
        f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{line}" y2="{line}" stroke="currentColor" '
        f'stroke-opacity=".25"/>',
        f'<g transform="translate(0 {line})" fill-opacity=".4">',
        *(f'<circle cx="{MARGIN + value * scale:.1f}" r="{DOT}"/>' for value in sorted(values)),
        "</g>",
        f'<rect class="plot-median" x="{middle - 1.5:.1f}" y="{line - BAR / 2}" width="3" height="{BAR}"/>',
    ]


def _axis(marks: Sequence[float], unit: str, top: float, scale: float) -> list[str]:
    parts = []
    for mark in marks:
        x = MARGIN + mark * scale
        anchor = "start" if mark == marks[0] else "end" if mark == marks[-1] else "middle"
        label = f"{_number(mark)} {unit}".strip() if mark == marks[-1] else _number(mark)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + 5}" stroke="currentColor" '
            f'stroke-opacity=".6"/>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{top + 20}" text-anchor="{anchor}" font-size="11.5">{label}</text>'
        )
    return parts


def _marks(most: float) -> list[float]:
    """Return the marks of an axis that begins at 0 and reaches beyond the largest value."""
    if most == 0:
        return [0, 1]
    rough = most / _MOST_MARKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough)
    return [step * index for index in range(math.ceil(most / step) + 1)]


def _said(values: Sequence[float], unit: str) -> str:
    least, most = _number(min(values)), _number(max(values))
    spread = f" ({least}–{most})" if len(set(values)) > 1 else ""
    return f"{_number(median(values))} {unit}".strip() + spread


def _number(value: float) -> str:
    """Say a number with as many digits as it is worth: three."""
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")
