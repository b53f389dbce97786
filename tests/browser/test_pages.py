"""Every page in a browser: nothing from elsewhere, no errors, nothing wider than a phone, no name in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

Open = Callable[..., Page]
Each = Callable[..., Iterator[tuple[str, Page]]]
PHONE = 390

WIDER = """() => [...document.querySelectorAll("body *")]
  .filter(e => {
    for (let p = e; p && p !== document.body; p = p.parentElement) {
      const s = getComputedStyle(p)
      if (s.overflowX !== "visible" || s.position === "fixed") return false
    }
    const box = e.getBoundingClientRect()
    return box.width > 0 && box.right > innerWidth + 1
  })
  .map(e => e.tagName + "." + e.className).slice(0, 5)"""

#: Names in a table's code that go on in the next line. Tables that fit a phone by their own rules are left out.
TORN = r"""() => [...document.querySelectorAll(".md-typeset__scrollwrap td code")]
  .filter(e => !e.closest(".rows, .compare"))
  .flatMap(e => [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE))
  .flatMap(n => [...n.data.matchAll(/[\w.]+/g)].filter(word => {
    const range = document.createRange()
    range.setStart(n, word.index)
    range.setEnd(n, word.index + word[0].length)
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1
  }).map(word => word[0]))"""


def test_every_page_loads_from_here_alone_and_without_errors(each_page: Each) -> None:
    complaints = {}
    for uri, page in each_page():
        # The search fetches its index and its scripts once the page is there.
        page.wait_for_load_state("networkidle")
        if page.complaints:  # type: ignore[attr-defined]
            complaints[uri] = list(page.complaints)  # type: ignore[attr-defined]
    assert complaints == {}


def test_the_listener_hears_requests_and_errors(browser: Browser, base: str, open_page: Open) -> None:
    page = open_page("en/")
    page.context.route("http://elsewhere.example/*", lambda route: route.abort())
    page.evaluate("new Image().src = 'http://elsewhere.example/x.png'; console.error('heard')")
    page.wait_for_load_state("networkidle")
    complaints = page.complaints  # type: ignore[attr-defined]
    assert "asked for http://elsewhere.example/x.png" in complaints
    assert "console: heard" in complaints


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_no_page_is_wider_than_its_window(each_page: Each, width: int) -> None:
    too_wide, torn = {}, {}
    for uri, page in each_page(width=width):
        scrolls = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        wider = page.evaluate(WIDER)
        if scrolls or wider:
            too_wide[uri] = wider or "scrolls"
        # On a phone such a table scrolls, so no name in it has to break for want of room.
        if width == PHONE and (words := page.evaluate(TORN)):
            torn[uri] = words
    assert (too_wide, torn) == ({}, {})


def test_the_check_of_widths_sees_a_wide_element(open_page: Open) -> None:
    page = open_page("en/", width=PHONE)
    page.locator("article").evaluate("e => e.innerHTML += '<div class=w style=width:999px>w</div>'")
    assert "DIV.w" in page.evaluate(WIDER)


def test_the_check_of_names_sees_one_in_pieces(open_page: Open) -> None:
    page = open_page("en/lab/runtimes/", width=PHONE)
    assert page.evaluate(TORN) == []
    page.add_style_tag(content="td code { overflow-wrap: anywhere !important }")
    assert "containerd.sock" in page.evaluate(TORN)


def test_what_scrolls_sideways_is_reachable_by_keyboard(each_page: Each) -> None:
    for _, page in each_page(width=PHONE):
        page.wait_for_function(
            """() => [...document.querySelectorAll(".nb-output > pre, .md-typeset__scrollwrap")]
              .every(e => (e.scrollWidth > e.clientWidth) === (e.tabIndex === 0))"""
        )
