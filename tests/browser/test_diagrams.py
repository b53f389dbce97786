"""Diagrams as a reader sees them: text in its box, legible in either colours, as wide as the page and no wider."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
URI = "architecture/"

#: Text that leaves the box that it is in, or the picture.
OUTSIDE = """() => {
  const out = []
  for (const svg of document.querySelectorAll("svg.chain")) {
    const view = svg.viewBox.baseVal
    for (const text of svg.querySelectorAll("text")) {
      const t = text.getBBox()
      const group = text.parentElement
      const boxed = ["box", "chip"].some(name => group.classList.contains(name))
      const b = boxed ? group.getBBox() : { x: view.x, y: view.y, width: view.width, height: view.height }
      const around = boxed ? [...group.children].filter(e => e.tagName !== "text").map(e => e.getBBox()) : [b]
      const inside = around.some(r => t.x >= r.x && t.x + t.width <= r.x + r.width + .5
        && t.y >= r.y - 1 && t.y + t.height <= r.y + r.height + 7)
      if (!inside) out.push(text.textContent)
    }
  }
  return out
}"""

#: Texts with less contrast than 4.5 to 1 to what is behind them, and lines with less than 3 to 1.
PALE = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
  function rgb(color) {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  function light(color) {
    const [r, g, b] = rgb(color).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    return .2126 * r + .7152 * g + .0722 * b
  }
  function contrast(a, b) {
    const [x, y] = [light(a), light(b)].sort((one, other) => other - one)
    return (x + .05) / (y + .05)
  }
  const paper = getComputedStyle(document.body).backgroundColor
  const out = []
  for (const svg of document.querySelectorAll("svg.chain")) {
    const band = getComputedStyle(svg.querySelector(".band > rect")).fill
    for (const element of svg.querySelectorAll("text, path:not(.gap), .box > rect")) {
      const style = getComputedStyle(element)
      const isText = element.tagName === "text"
      const color = isText ? style.fill : style.stroke === "none" ? style.fill : style.stroke
      const around = element.parentElement.matches(".box, .chip, .band") ? [...element.parentElement.children] : []
      const fills = around.filter(e => e !== element && e.tagName !== "text")
        .map(e => getComputedStyle(e).fill).filter(f => f !== "none")
      const behind = isText && fills.length ? fills : [paper, band]
      for (const each of behind) {
        const found = contrast(color, each)
        if (found < (isText ? 4.5 : 3)) out.push(`${element.textContent || element.outerHTML}: ${found}`)
      }
    }
  }
  return out
}"""


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 1280])
def test_text_stays_in_its_box(open_page: Open, lang: str, width: int) -> None:
    page = open_page(f"{lang}/{URI}", width=width)
    assert page.evaluate(OUTSIDE) == []


def test_the_check_sees_text_that_leaves_its_box(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    page.locator("svg.chain .box .name").first.evaluate("e => e.textContent = 'x'.repeat(80)")
    assert page.evaluate(OUTSIDE) == ["x" * 80]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_can_be_told_from_what_is_behind_them(open_page: Open, scheme: str) -> None:
    page = open_page(f"en/{URI}#step-dockershim-15", scheme=scheme)
    wanted = "slate" if scheme == "dark" else "default"
    page.wait_for_selector(f"body[data-md-color-scheme={wanted}]")
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate(PALE) == []


def test_the_check_sees_pale_text(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    page.add_style_tag(content=".chain .title { fill: #bbb !important }")
    assert any("Node with dockershim" in pale for pale in page.evaluate(PALE))


def test_two_chains_stand_side_by_side_or_below_one_another(open_page: Open) -> None:
    def lefts(width: int) -> list[float]:
        page = open_page(f"en/{URI}", width=width)
        pictures = page.locator(".chains--2 > svg").all()
        boxes = [box for picture in pictures if (box := picture.bounding_box())]
        assert all(box["width"] >= 300 for box in boxes)
        return [box["x"] for box in boxes]

    beside, below = lefts(1280), lefts(390)
    assert beside[0] < beside[1]
    assert below[0] == below[1]


@pytest.mark.parametrize(
    ("lang", "name", "summary"),
    [
        ("en", "Who calls whom on a node with containerd", "The same in words"),
        ("zh", "使用 containerd 的节点上，谁调用谁", "用文字说一遍"),
    ],
)
def test_a_picture_has_a_name_and_its_words_can_be_opened(
    open_page: Open, lang: str, name: str, summary: str
) -> None:
    page = open_page(f"{lang}/{URI}")
    expect(page.get_by_role("img", name=name, exact=True).first).to_be_visible()
    page.get_by_text(summary, exact=True).press("Enter")
    expect(page.locator(".chains details li").first).to_be_visible()
