"""What a reader does: switch language, search, copy code, download, change colours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import pages_of

Open = Callable[..., Page]
PAGES = ["", "deprecated/", "labs/01-which-runtime/", "reference/facts/"]


@pytest.mark.parametrize("uri", PAGES)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_switcher_stays_on_the_page(open_page: Open, base: str, uri: str, *, script: bool) -> None:
    page = open_page(f"en/{uri}", script=script)
    for other, title in (("zh", "中文"), ("en", "English")):
        page.get_by_role("link", name=title, exact=True).click()
        page.wait_for_url(f"{base}/{other}/{uri}")
        assert page.locator("html").get_attribute("lang") == other
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_switcher_can_be_seen(open_page: Open, width: int) -> None:
    expect(open_page("en/", width=width).get_by_role("link", name="中文", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize(
    ("languages", "expected"),
    [(["zh-CN", "en"], "zh"), (["en-GB"], "en"), (["fr-FR", "zh-TW"], "zh"), (["fr-FR"], "en")],
)
def test_the_root_follows_the_readers_languages(
    open_page: Open, base: str, languages: list[str], expected: str
) -> None:
    page = open_page("en/")
    page.add_init_script(f"Object.defineProperty(navigator, 'languages', {{value: {json.dumps(languages)}}})")
    page.goto(f"{base}/")
    page.wait_for_url(f"{base}/{expected}/")


def test_the_root_works_without_scripts(open_page: Open, base: str) -> None:
    page = open_page("", script=False)
    page.get_by_role("link", name="中文").click()
    page.wait_for_url(f"{base}/zh/")


def test_the_copy_button_copies_the_code(open_page: Open, site: Path) -> None:
    pages = [uri for uri in pages_of(site) if uri.endswith(("deprecated/", "01-which-runtime/"))]
    assert len(pages) == 4
    for uri in pages:
        page = open_page(uri)
        block = page.locator(".highlight:has(pre > code)").first
        block.hover()
        button = block.locator("button[data-clipboard-target], button.md-code__button").first
        button.click()
        shown = block.locator("pre > code").inner_text()
        page.wait_for_function(
            "text => navigator.clipboard.readText().then(copied => copied.trim() === text)", arg=shown.strip()
        )
        page.context.close()


@pytest.mark.parametrize(("lang", "name"), [("en", "Download this notebook"), ("zh", "下载本页的 notebook")])
def test_the_notebook_can_be_downloaded(open_page: Open, lang: str, name: str) -> None:
    page = open_page(f"{lang}/labs/01-which-runtime/")
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    notebook = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert download.value.suggested_filename == "01-which-runtime.ipynb"
    prose = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    assert bool(re.search(r"[\u4e00-\u9fff]", prose)) == (lang == "zh")


def test_colours_follow_the_system_and_can_be_chosen(open_page: Open) -> None:
    assert open_page("en/", scheme="dark").locator("body").get_attribute("data-md-color-scheme") == "slate"
    page = open_page("zh/", scheme="light")
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    page.locator('label[title*="切换到浅色"]').click()
    page.locator('label[title*="切换到深色"]').click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    page.reload()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")


def test_a_page_that_is_not_there_is_answered_in_both_languages(open_page: Open) -> None:
    text = open_page("404.html").locator("body").inner_text()
    assert "This page does not exist" in text
    assert "没有这个页面" in text
