"""Every page in a browser: nothing from elsewhere, no errors, nothing wider than a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import pages_of

Open = Callable[..., Page]

_WIDER = """() => [...document.querySelectorAll("body *")]
  .filter(e => {
    for (let p = e; p && p !== document.body; p = p.parentElement) {
      const s = getComputedStyle(p)
      if (s.overflowX !== "visible" || s.position === "fixed") return false
    }
    const box = e.getBoundingClientRect()
    return box.width > 0 && box.right > innerWidth + 1
  })
  .map(e => e.tagName + "." + e.className).slice(0, 5)"""


def test_every_page_loads_from_here_alone_and_without_errors(open_page: Open, site: Path) -> None:
    complaints = {}
    for uri in pages_of(site):
        page = open_page(uri)
        # The search fetches its index and its scripts once the page is there.
        page.wait_for_load_state("networkidle")
        if page.complaints:  # type: ignore[attr-defined]
            complaints[uri] = page.complaints  # type: ignore[attr-defined]
        page.context.close()
    assert complaints == {}


def test_the_listener_hears_requests_and_errors(browser: Browser, base: str, open_page: Open) -> None:
    page = open_page("en/")
    page.context.route("http://elsewhere.example/*", lambda route: route.abort())
    page.evaluate("new Image().src = 'http://elsewhere.example/x.png'; console.error('heard')")
    page.wait_for_load_state("networkidle")
    complaints = page.complaints  # type: ignore[attr-defined]
    assert "asked for http://elsewhere.example/x.png" in complaints
    assert "console: heard" in complaints


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(open_page: Open, site: Path, width: int) -> None:
    too_wide = {}
    for uri in pages_of(site):
        page = open_page(uri, width=width)
        scrolls = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        wider = page.evaluate(_WIDER)
        if scrolls or wider:
            too_wide[uri] = wider or "scrolls"
        page.context.close()
    assert too_wide == {}


def test_the_check_of_widths_sees_a_wide_element(open_page: Open) -> None:
    page = open_page("en/", width=390)
    page.locator("article").evaluate("e => e.innerHTML += '<div class=w style=width:999px>w</div>'")
    assert "DIV.w" in page.evaluate(_WIDER)


def test_what_scrolls_sideways_is_reachable_by_keyboard(open_page: Open, site: Path) -> None:
    for uri in [uri for uri in pages_of(site) if "/labs/" in uri]:
        page = open_page(uri, width=390)
        page.wait_for_function(
            """() => [...document.querySelectorAll(".nb-output > pre, .md-typeset__scrollwrap")]
              .every(e => (e.scrollWidth > e.clientWidth) === (e.tabIndex === 0))"""
        )
        page.context.close()
