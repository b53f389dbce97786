"""The table of claims as readers see it, on a small site of made-up claims: on a desk, on a phone, by ear."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import served
from tests.browser.test_accessibility import violations
from tests.browser.test_pages import WIDER
from tests.support import project

from shimsite.tables import claims

Open = Callable[..., Page]
Claims = Callable[..., Page]
PAGE = "---\nhide: [toc]\n---\n# Said { #said }\n\n<!-- claims-sum -->\n\n<!-- claims-table -->\n"
WORD = "AWordWithoutAnyPlaceToBreakItThatNoPhoneHasRoomFor"
LONG = {
    "en": f"A long sentence with `/a/rather/long/path/for.sock` and {WORD} in it.",
    "zh": f"很长的一句话，里面有 `/a/rather/long/path/for.sock` 和 {WORD} 这样的词。",
}


def table() -> str:
    """Make a claim of each verdict, each shown by two cells; the numbers have two digits, which must not part."""
    lines = []
    for number, verdict in enumerate(claims.VERDICTS, 11):
        texts = [f"  {key}: {{en: '{LONG['en']}', zh: '{LONG['zh']}'}}" for key in ("claim", "holds")]
        lines += [
            f"s{number}:",
            *texts,
            f"  verdict: {verdict}",
            "  cells: [01-lab.ipynb#good, 01-lab.ipynb#other]",
        ]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the small site."""
    notebook = project.notebook(
        project.prose("en", "# A lab"),
        project.prose("zh", "# 一个实验"),
        project.code("print(1)", project.printed("1\n"), name="good"),
        project.code("print(2)", project.printed("2\n"), name="other"),
    )
    pages = {f"docs/{lang}/index.md": PAGE for lang in ("en", "zh")}
    folder: Path = project.make(
        tmp_path_factory.mktemp("claims"), pages, {"01-lab.ipynb": notebook}, tables={"claims.yaml": table()}
    )
    for lang in ("en", "zh"):
        done = project.build_strictly(folder, lang)
        assert done.returncode == 0, done.stdout + done.stderr
    with served(folder / "site") as where:
        yield where


@pytest.fixture
def claims_page(open_page: Open, address: str) -> Claims:
    """Open the page of the small site in a language."""

    def opened(lang: str, **options: object) -> Page:
        return open_page(f"{lang}/", at=address, **options)

    return opened


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_clean_and_fits(claims_page: Claims, lang: str, scheme: str, width: int) -> None:
    page = claims_page(lang, scheme=scheme, width=width)
    page.wait_for_selector(f"body[data-md-color-scheme={'slate' if scheme == 'dark' else 'default'}]")
    assert violations(page) == []
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [390, 1280])
def test_it_stays_a_table_for_a_screen_reader(claims_page: Claims, width: int) -> None:
    page = claims_page("en", width=width)
    rows = page.get_by_role("row")
    assert rows.count() == len(claims.VERDICTS) + 1
    assert rows.nth(1).get_by_role("cell").count() == len(claims.HEAD["en"])
    # Shapes are for the eye: what is read aloud is the word.
    # On a phone its column's name comes first.
    assert page.get_by_role("cell", name=re.compile(r"^(Verdict )?wrong$")).count() == 1


def test_a_phone_says_of_each_cell_which_it_is(claims_page: Claims) -> None:
    page = claims_page("zh", width=390)
    said = page.locator("#claim-s11 td").evaluate_all(
        "cells => cells.slice(1).map(cell => getComputedStyle(cell, '::before').content.slice(1, -1))"
    )
    assert said == list(claims.HEAD["zh"][1:])
    boxes = page.locator("#claim-s11 td").evaluate_all(
        "cells => cells.map(cell => cell.getBoundingClientRect().top)"
    )
    assert boxes == sorted(set(boxes))
    # More than one box: the two digits lie one below the other.
    assert page.locator("#claim-s11 td:first-child a").evaluate("link => link.getClientRects().length") == 1


def test_a_claim_is_filtered_and_reached_by_its_anchor(claims_page: Claims, address: str) -> None:
    page = claims_page("en")
    page.get_by_role("searchbox", name="Filter the rows").fill("slip")
    expect(page.get_by_role("status")).to_have_text("1 of 5 rows")
    page.evaluate("location.hash = 'claim-s11'")
    expect(page.locator("#claim-s11")).to_be_in_viewport()
    assert page.locator("tbody tr:visible").count() == 2


def test_a_link_leads_to_the_cell_which_is_marked(claims_page: Claims) -> None:
    page = claims_page("en")
    page.locator("#claim-s11").get_by_role("link", name="A lab").nth(1).click()
    page.wait_for_url(re.compile(r"/labs/01-lab/#cell-other$"))
    cell = page.locator("#cell-other")
    expect(cell).to_be_in_viewport()
    outline = functools.partial(page.locator("#cell-good").evaluate, "e => getComputedStyle(e).outlineStyle")
    assert (outline(), cell.evaluate("e => getComputedStyle(e).outlineStyle")) == ("none", "solid")


def test_without_scripts_all_is_there(claims_page: Claims) -> None:
    page = claims_page("zh", script=False)
    assert page.locator("tbody tr:visible").count() == len(claims.VERDICTS)
    assert page.locator(".filter").count() == 0
