"""axe finds nothing against WCAG 2.2 A and AA: every page, light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Open = Callable[..., Page]
Each = Callable[..., Iterator[tuple[str, Page]]]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def violations(page: Page) -> list[str]:
    """Ask axe, and say for each finding which element it is."""
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found
        for node in violation["nodes"]
    ]


# Each language by itself: axe takes seconds for a long table, and a test has 300 of them.
@pytest.mark.parametrize("lang", ["en", "zh", ""])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_nothing(each_page: Each, lang: str, scheme: str, width: int) -> None:
    found = {}
    for uri, page in each_page(lang, scheme=scheme, width=width):
        if page.locator(".md-main").count():
            wanted = "slate" if scheme == "dark" else "default"
            page.wait_for_selector(f"body[data-md-color-scheme={wanted}]")
        if problems := violations(page):
            found[uri] = problems
    assert found == {}


def test_axe_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("en/")
    bad = '<img src="data:,"><p style="color:#ccc;background:#fff">pale</p>'
    page.locator("article").evaluate("(e, bad) => e.innerHTML += bad", bad)
    found = violations(page)
    assert {problem.partition(":")[0] for problem in found} == {"image-alt", "color-contrast"}
