"""Every page in a browser: nothing from elsewhere, no errors, nothing wider than a phone, no name in pieces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import Walked, pages_of
from tests.browser.walk import DESK, PHONE, TORN, TORN_HEADS, WIDER

Open = Callable[..., Page]
LANGUAGES = ("en", "zh", "")


@pytest.mark.timeout(1200)
def test_every_page_loads_from_here_alone_and_without_errors(walked: Walked, site: Path) -> None:
    seen = [walked(lang, "light", DESK) for lang in LANGUAGES]
    assert sorted(uri for each in seen for uri in each.pages) == pages_of(site)
    assert [each.complaints for each in seen] == [{}] * len(LANGUAGES)


def test_the_listener_hears_requests_and_errors(browser: Browser, base: str, open_page: Open) -> None:
    page = open_page("en/")
    page.context.route("http://elsewhere.example/*", lambda route: route.abort())
    page.evaluate("new Image().src = 'http://elsewhere.example/x.png'; console.error('heard')")
    page.wait_for_load_state("networkidle")
    complaints = page.complaints  # type: ignore[attr-defined]
    assert "asked for http://elsewhere.example/x.png" in complaints
    assert "console: heard" in complaints


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_no_page_is_wider_than_its_window(walked: Walked, width: int) -> None:
    seen = [walked(lang, "light", width) for lang in LANGUAGES]
    assert [(each.too_wide, each.torn) for each in seen] == [({}, {})] * len(LANGUAGES)


def test_the_check_of_widths_sees_a_wide_element(open_page: Open) -> None:
    page = open_page("en/", width=PHONE)
    page.locator("article").evaluate("e => e.innerHTML += '<div class=w style=width:999px>w</div>'")
    assert "DIV.w" in page.evaluate(WIDER)


def test_the_check_of_names_sees_one_in_pieces(open_page: Open) -> None:
    page = open_page("en/lab/runtimes/", width=PHONE)
    assert page.evaluate(TORN) == []
    page.add_style_tag(content="td code { overflow-wrap: anywhere !important }")
    assert "containerd.sock" in page.evaluate(TORN)


def test_the_check_of_first_columns_sees_a_word_in_pieces(open_page: Open) -> None:
    page = open_page("en/lab/hosts/", width=DESK)
    assert page.evaluate(TORN_HEADS) == []
    narrow = ".rows--hosts :is(th, td):first-child { width: 3rem !important; min-width: 0 !important }"
    page.add_style_tag(content=f".rows--hosts table {{ table-layout: fixed }} {narrow}")
    assert "capability" in page.evaluate(TORN_HEADS)


@pytest.mark.timeout(1200)
def test_what_scrolls_sideways_is_reachable_by_keyboard(walked: Walked) -> None:
    assert [walked(lang, "light", PHONE).unreachable for lang in LANGUAGES] == [[]] * len(LANGUAGES)
