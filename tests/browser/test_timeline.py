"""The buttons above the timeline: entries of whom one presses, by keyboard, in both languages; without scripts all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
WORDS = {"en": ("Show only", "{} of {} entries"), "zh": ("只看", "共 {1} 条，显示 {0} 条")}


def subjects(page: Page) -> list[str]:
    """Give the subject of each entry that can be seen."""
    found = page.locator(".timeline [data-subject]").all()
    return [str(entry.get_attribute("data-subject")) for entry in found if entry.is_visible()]


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_pressed_buttons_leave_their_entries(open_page: Open, lang: str, width: int) -> None:
    page = open_page(f"{lang}/timeline/", width=width)
    label, said = WORDS[lang]
    everything = subjects(page)
    group = page.get_by_role("group", name=label, exact=True)
    buttons = group.get_by_role("button")
    assert buttons.count() == len(set(everything)) > 3
    expect(page.get_by_role("status")).to_have_text("")
    cri = group.get_by_role("button", name="CRI", exact=True)
    expect(cri).to_have_attribute("aria-pressed", "false")
    # By keyboard: from the first button with the tabulator, then Space and Enter.
    buttons.first.focus()
    while not cri.evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(cri).to_have_attribute("aria-pressed", "true")
    only = everything.count("cri")
    expect(page.get_by_role("status")).to_have_text(said.format(only, len(everything)))
    assert subjects(page) == ["cri"] * only
    group.get_by_role("button", name="OCI").press("Enter")
    assert subjects(page) == [each for each in everything if each in ("cri", "oci")]
    group.get_by_role("button", name="OCI").press("Enter")
    cri.press("Space")
    assert subjects(page) == everything
    expect(page.get_by_role("status")).to_have_text("")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_year_without_an_entry_to_show_is_not_shown(open_page: Open) -> None:
    page = open_page("en/timeline/")
    years = page.locator(".timeline__year:visible")
    before = years.count()
    page.get_by_role("button", name="Docker", exact=True).click()
    assert 0 < years.count() < before
    for year in page.locator(".timeline__years > li:visible").all():
        expect(year.locator("[data-subject]:visible").first).to_be_visible()


def test_the_entry_that_the_address_names_is_shown_whatever_is_pressed(open_page: Open) -> None:
    page = open_page("en/timeline/#date-cri-born")
    page.get_by_role("button", name="Docker", exact=True).click()
    expect(page.locator("#date-cri-born")).to_be_visible()
    page.evaluate("location.hash = 'date-release-removed'")
    expect(page.locator("#date-release-removed")).to_be_in_viewport()
    expect(page.locator("#date-cri-born")).to_be_hidden()


@pytest.mark.parametrize("lang", WORDS)
def test_without_scripts_there_are_no_buttons_and_every_entry(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/timeline/", script=False)
    assert page.locator(".timeline button, .timeline fieldset").count() == 0
    assert len(subjects(page)) == page.locator(".timeline time").count() > 10


def test_without_style_it_is_a_list_in_its_order(open_page: Open) -> None:
    page = open_page("en/timeline/", script=False)
    page.evaluate("document.querySelectorAll('link[rel=stylesheet], style').forEach(e => e.remove())")
    text = page.locator(".timeline").inner_text()
    days = [str(time.get_attribute("datetime")) for time in page.locator(".timeline time").all()]
    assert text.index("13 April 2016") < text.index("8 December 2020") < text.index("3 May 2022")
    assert [day[:7] for day in days] == sorted(day[:7] for day in days)
