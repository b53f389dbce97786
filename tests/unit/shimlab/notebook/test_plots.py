"""A plot shows every value and says the same in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from shimlab.notebook import plots

VALUES = {"dockershim": [3.0, 1.0, 2.0], 'a <b> & "c"': [4.0]}
SVG = "{http://www.w3.org/2000/svg}"


def test_every_value_is_a_dot_at_its_place_and_the_bar_is_the_median() -> None:
    root = ElementTree.fromstring(plots.strips("t", VALUES, "ms").svg)  # noqa: S314 - our own
    dots = [float(each.attrib["cx"]) for each in root.iter(f"{SVG}circle")]
    assert len(dots) == 4
    scale = (plots.WIDTH - 2 * plots.MARGIN) / 4
    assert dots == [plots.MARGIN + value * scale for value in (1, 2, 3, 4)]
    bars = [float(each.attrib["x"]) + 1.5 for each in root.iter(f"{SVG}rect")]
    assert bars == [plots.MARGIN + value * scale for value in (2, 4)]


def test_it_says_in_words_what_it_shows() -> None:
    plot = plots.strips("time", VALUES, "ms")
    assert repr(plot) == 'time: dockershim 2 ms (1–3); a <b> & "c" 4 ms'
    root = ElementTree.fromstring(plot._repr_svg_())  # noqa: S314 - our own
    assert root.attrib["aria-label"] == repr(plot)
    assert [each.text for each in root.iter(f"{SVG}text")][:2] == ["dockershim", "2 ms (1–3)"]


def test_it_takes_its_colours_from_the_page() -> None:
    svg = plots.strips("t", VALUES).svg
    # The attribute of the whole is weaker than any style sheet, and there for where there is none.
    assert svg.count(f'color="{plots.GREY}"') == 1
    rest = svg.replace(f' color="{plots.GREY}"', "", 1)
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(|<style|style=", rest)


@pytest.mark.parametrize(
    ("most", "marks"),
    [(4, [0, 1, 2, 3, 4]), (686, [0, 200, 400, 600, 800]), (0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0, [0, 1])],
)
def test_the_axis_begins_at_nothing_and_reaches_beyond_the_largest(most: float, marks: list[float]) -> None:
    assert plots._marks(most) == pytest.approx(marks)


@pytest.mark.parametrize("values", [{}, {"a": []}, {"a": [-1.0]}, {"a": [float("nan")]}])
def test_what_cannot_be_drawn_is_refused(values: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="t: "):
        plots.strips("t", values)
