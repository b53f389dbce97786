"""What can be seen on every page of the site, in one walk for each language, colours and width of the window."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NotInTime

PHONE, DESK = 390, 1280
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}

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

_IN_PIECES = r"""() => [...document.querySelectorAll("SELECTED")]
  .filter(e => !e.closest("BUT"))
  .flatMap(e => [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE))
  .flatMap(n => [...n.data.matchAll(/WORD+/g)].filter(word => {
    const range = document.createRange()
    range.setStart(n, word.index)
    range.setEnd(n, word.index + word[0].length)
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1
  }).map(word => word[0]))"""


def _in_pieces(selected: str, but: str, word: str) -> str:
    return _IN_PIECES.replace("SELECTED", selected).replace("BUT", but).replace("WORD", word)


#: Names in a table's code that go on in the next line. Tables that fit a phone by their own rules are left out.
TORN = _in_pieces(".md-typeset__scrollwrap td code", ".rows, .compare", r"[\w.]")
#: Words that go on in the next line in the column by which a reader finds a row.
TORN_HEADS = _in_pieces(".rows td:first-child, .rows td:first-child :not(code)", "code", "[A-Za-z]")

#: What scrolls sideways can be reached by the keyboard, and nothing else of its kind is in the keyboard's way.
REACHABLE = """() => [...document.querySelectorAll(".nb-output > pre, .md-typeset__scrollwrap")]
  .every(e => (e.scrollWidth > e.clientWidth) === (e.tabIndex === 0))"""


@dataclass
class Walk:
    """What was found, by the address of the page; pages where nothing was are left out."""

    pages: list[str] = field(default_factory=list)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    too_wide: dict[str, Any] = field(default_factory=dict)
    torn: dict[str, list[str]] = field(default_factory=dict)
    unreachable: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)


def violations(page: Page) -> list[str]:
    """Ask axe, and say for each finding which element it is."""
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found
        for node in violation["nodes"]
    ]


def walk(page: Page, addresses: list[str], go: Callable[[str], None], *, scheme: str, width: int) -> Walk:
    """Go through pages in one window, and look at all that is looked for on every page."""
    seen = Walk()
    for uri in addresses:
        go(uri)
        seen.pages.append(uri)
        if scheme == "light" and width == DESK:
            # The search fetches its index and its scripts once the page is there.
            page.wait_for_load_state("networkidle")
            if page.complaints:  # type: ignore[attr-defined]
                seen.complaints[uri] = list(page.complaints)  # type: ignore[attr-defined]
        if scheme == "light":
            scrolls = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            wider = page.evaluate(WIDER)
            if scrolls or wider:
                seen.too_wide[uri] = wider or "scrolls"
        if scheme == "light" and width == DESK and (words := page.evaluate(TORN_HEADS)):
            seen.torn[uri] = words
        # On a phone such a table scrolls, so no name in it has to break for want of room.
        if width == PHONE:
            if words := page.evaluate(TORN):
                seen.torn[uri] = words
            with contextlib.suppress(NotInTime):
                page.wait_for_function(REACHABLE)
            if not page.evaluate(REACHABLE):
                seen.unreachable.append(uri)
        if page.locator(".md-main").count():
            wanted = "slate" if scheme == "dark" else "default"
            page.wait_for_selector(f"body[data-md-color-scheme={wanted}]")
        if problems := violations(page):
            seen.violations[uri] = problems
    return seen
