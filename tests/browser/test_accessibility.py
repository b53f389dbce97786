"""axe finds nothing against WCAG 2.2 A and AA: every page, light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import Walked
from tests.browser.walk import violations

Open = Callable[..., Page]


# Each language by itself: axe takes seconds for a long table.
@pytest.mark.parametrize("lang", ["en", "zh", ""])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
@pytest.mark.timeout(600)
def test_axe_finds_nothing(walked: Walked, lang: str, scheme: str, width: int) -> None:
    seen = walked(lang, scheme, width)
    assert seen.pages
    assert seen.violations == {}


def test_axe_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("en/")
    bad = '<img src="data:,"><p style="color:#ccc;background:#fff">pale</p>'
    page.locator("article").evaluate("(e, bad) => e.innerHTML += bad", bad)
    found = violations(page)
    assert {problem.partition(":")[0] for problem in found} == {"image-alt", "color-contrast"}
