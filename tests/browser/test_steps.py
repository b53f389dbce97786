"""Steps one at a time: by mouse and by keyboard, lit up in the map, linked by the address; without scripts the list."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.walk import violations

Open = Callable[..., Page]
URI = "architecture/"
#: For each language the names of the buttons, and of the steps of the dockershim node.
WORDS = {
    "en": (
        "Previous",
        "Next",
        "All steps",
        "One at a time",
        "Steps on the node with dockershim",
        "Step {} of {}",
    ),
    "zh": (
        "上一步",
        "下一步",
        "全部步骤",
        "一次一步",
        "使用 dockershim 的节点上的各个步骤",
        "第 {} 步，共 {} 步",
    ),
}


def steps_of(page: Page, lang: str = "en") -> Locator:
    return page.get_by_role("group", name=WORDS[lang][4], exact=True)


def shown(box: Locator) -> list[str]:
    """Give the ids of the steps that can be seen."""
    return [str(step.get_attribute("id")) for step in box.locator(".step").all() if step.is_visible()]


def lit(box: Locator) -> set[str]:
    """Give the parts of the map that are lit up."""
    return {str(part.get_attribute("data-part")) for part in box.locator(".steps__map .is-lit").all()}


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_mouse_goes_from_step_to_step(open_page: Open, base: str, lang: str, width: int) -> None:
    page = open_page(f"{lang}/{URI}", width=width)
    box = steps_of(page, lang)
    previous, following, *_ = (box.get_by_role("button", name=name, exact=True) for name in WORDS[lang][:2])
    assert shown(box) == ["step-dockershim-1"]
    assert lit(box) == {"kubelet", "dockershim", "kubelet>dockershim"}
    expect(previous).to_have_attribute("aria-disabled", "true")
    following.click()
    assert shown(box) == ["step-dockershim-2"]
    assert lit(box) == {"dockershim", "dockerd", "dockershim>dockerd"}
    assert page.url == f"{base}/{lang}/{URI}#step-dockershim-2"
    expect(box.get_by_role("status")).to_contain_text(WORDS[lang][5].format(2, 15))
    expect(box.get_by_role("status")).to_contain_text("POST /containers/create")
    previous.click()
    # It can be pressed at the end too, and does nothing there.
    previous.click(force=True)
    assert shown(box) == ["step-dockershim-1"]
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_below_moves_when_the_step_changes(open_page: Open, width: int) -> None:
    page = open_page(f"en/{URI}", width=width)
    height = "document.querySelector('#side-by-side').getBoundingClientRect().top + scrollY"
    seen = set()
    for _ in range(15):
        seen.add(round(page.evaluate(height)))
        page.locator(".steps button").nth(1).click(force=True)
    assert shown(steps_of(page)) == ["step-dockershim-15"]
    assert len(seen) == 1


def test_the_keyboard_goes_from_step_to_step(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    box = steps_of(page)
    following = box.get_by_role("button", name="Next", exact=True)
    following.focus()
    page.keyboard.press("Enter")
    assert shown(box) == ["step-dockershim-2"]
    for key, step in (("ArrowRight", 3), ("ArrowLeft", 2), ("End", 15), ("ArrowRight", 15), ("Home", 1)):
        page.keyboard.press(key)
        assert shown(box) == [f"step-dockershim-{step}"], key
    page.keyboard.press("End")
    # The focus stays where it was, at an end too.
    expect(following).to_be_focused()
    expect(following).to_have_attribute("aria-disabled", "true")
    # The other steps were not moved, nor by keys pressed elsewhere.
    following.evaluate("e => e.blur()")
    page.keyboard.press("ArrowLeft")
    assert shown(box) == ["step-dockershim-15"]
    assert shown(page.locator(".steps").nth(1)) == ["step-containerd-1"]


def test_keys_with_another_key_held_are_the_browsers(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    steps_of(page).get_by_role("button", name="Next", exact=True).focus()
    page.keyboard.press("Shift+ArrowRight")
    assert shown(steps_of(page)) == ["step-dockershim-1"]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_step_can_be_linked(open_page: Open, width: int) -> None:
    page = open_page(f"en/{URI}#step-containerd-12", width=width)
    box = page.locator(".steps").nth(1)
    assert shown(box) == ["step-containerd-12"]
    assert lit(box) == {"containerd", "shim-pod", "containerd>shim-pod", "gone-container"}
    assert shown(steps_of(page)) == ["step-dockershim-1"]
    # Who comes by the address sees the map too.
    expect(box.locator(".steps__map")).to_be_in_viewport(ratio=0.9)
    expect(box.locator(".step--shown")).to_be_in_viewport(ratio=0.4)


def test_a_link_within_the_page_goes_to_the_step(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    page.evaluate("location.hash = '#step-dockershim-7'")
    page.wait_for_function("document.querySelector('#step-dockershim-7').classList.contains('step--shown')")
    assert shown(steps_of(page)) == ["step-dockershim-7"]
    page.evaluate("location.hash = '#side-by-side'")
    assert shown(steps_of(page)) == ["step-dockershim-7"]


@pytest.mark.parametrize("lang", WORDS)
def test_all_steps_can_be_shown_at_once(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/{URI}#step-dockershim-3")
    box = steps_of(page, lang)
    box.get_by_role("button", name=WORDS[lang][2], exact=True).click()
    assert len(shown(box)) == 15
    assert lit(box) == set()
    for name in WORDS[lang][:2]:
        expect(box.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-disabled", "true")
    box.get_by_role("button", name=WORDS[lang][3], exact=True).click()
    assert shown(box) == ["step-dockershim-3"]


@pytest.mark.parametrize("lang", WORDS)
def test_without_scripts_there_is_the_whole_list(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/{URI}", script=False)
    assert len(shown(page.locator(".steps").nth(0))) == 15
    assert len(shown(page.locator(".steps").nth(1))) == 13
    assert page.locator(".steps button").count() == 0
    assert not page.locator(".is-lit").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_there_is_the_whole_list_in_dark_letters(open_page: Open, scheme: str) -> None:
    page = open_page(f"en/{URI}", scheme=scheme)
    page.emulate_media(media="print", reduced_motion="reduce")
    assert len(shown(steps_of(page))) == 15
    expect(page.locator(".steps__bar").first).to_be_hidden()
    expect(page.locator(".chains svg").first).to_be_visible()

    def look(part: str, of: str) -> str:
        return str(page.evaluate(f"getComputedStyle(document.querySelector('{part}')).{of}"))

    assert look(".chain .title", "fill") == "rgb(29, 40, 46)"
    assert look(".step__count", "color") == "rgb(81, 94, 102)"
    # Nothing is lit up where all steps are shown.
    assert look(".steps__map .is-lit > rect", "fill") == "rgb(255, 255, 255)"


def test_nothing_moves_for_those_who_want_no_motion(open_page: Open) -> None:
    page = open_page(f"en/{URI}")
    takes = "getComputedStyle(document.querySelector('.chain [data-part] > rect')).transitionDuration"
    assert page.evaluate(takes) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(takes) == "0s"


def test_each_step_leads_to_the_cell_that_shows_it(open_page: Open, base: str) -> None:
    page = open_page(f"zh/{URI}")
    steps_of(page, "zh").locator(".step--shown .step__recorded a").click()
    page.wait_for_url(f"{base}/zh/labs/02-call-chain/#cell-docker-calls")
    expect(page.locator("#cell-docker-calls")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone_at_a_step_and_with_all_of_them(open_page: Open, scheme: str) -> None:
    page = open_page(f"en/{URI}#step-dockershim-15", width=390, scheme=scheme)
    wanted = "slate" if scheme == "dark" else "default"
    page.wait_for_selector(f"body[data-md-color-scheme={wanted}]")
    page.wait_for_timeout(300)  # until the colours have changed
    assert violations(page) == []
    steps_of(page).get_by_role("button", name="All steps", exact=True).click()
    page.locator(".chains summary").click()
    assert violations(page) == []


def test_steps_are_found_by_the_search_and_pictures_are_not(open_page: Open, site: object) -> None:
    page = open_page("en/")
    page.locator(".md-search__input").click()
    page.locator(".md-search__input").press_sequentially("starting signal loop")
    result = page.locator(".md-search-result__item", has_text="On the node with")
    expect(result.first).to_be_visible()
    text = (site / "en/search/search_index.json").read_text("utf-8")  # type: ignore[operator]
    assert not re.search(r"runc: gone|a connection only", text)
