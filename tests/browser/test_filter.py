"""The field above a table: rows by what one types, by keyboard, in both languages; without scripts every row."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import go, pages_of

Open = Callable[..., Page]
WORDS = {"en": ("Filter the rows", "{} of {} rows"), "zh": ("筛选各行", "共 {1} 行，显示 {0} 行")}
FLAG = "flag-network-plugin-mtu"


def rows(page: Page) -> list[str]:
    """Give the ids of the rows that can be seen."""
    return [
        str(row.get_attribute("id"))
        for row in page.locator("[data-filter] tbody tr").all()
        if row.is_visible()
    ]


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_typing_leaves_the_rows_with_the_words(open_page: Open, lang: str, width: int) -> None:
    page = open_page(f"{lang}/reference/flags/", width=width)
    label, said = WORDS[lang]
    field = page.get_by_role("searchbox", name=label, exact=True)
    everything = rows(page)
    assert len(everything) > 5
    expect(page.get_by_role("status")).to_have_text("")
    field.focus()
    # Capitals make no difference; words may stand in any column, in any order.
    page.keyboard.type("DOCKERSHIM network-PLUGIN-mtu")
    expect(page.get_by_role("status")).to_have_text(said.format(1, len(everything)))
    assert rows(page) == [FLAG]
    page.keyboard.type(" nonsense")
    expect(page.get_by_role("status")).to_have_text(said.format(0, len(everything)))
    assert rows(page) == []
    page.keyboard.press("Control+a")
    page.keyboard.press("Backspace")
    expect(page.get_by_role("status")).to_have_text("")
    assert rows(page) == everything
    assert page.complaints == []  # type: ignore[attr-defined]


LINES = {
    "Error: failed to parse kubelet flag: unknown flag: --network-plugin": {"msg-unknown-flag"},
    "failed to parse kubelet flag: unknown flag: --cni-conf-dir": {
        "msg-unknown-flag",
        "msg-unknown-runtime-flag",
    },
    'misconfiguration: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs"': {
        "msg-cgroup-mismatch"
    },
    'E1128 10:15:02.123456    1742 run.go:74] "command failed" err="failed to run Kubelet: unable to determine '
    'runtime API version: rpc error: code = Unavailable desc = connection error"': {"msg-missing-address"},
    "Nov 28 10:15:02 worker-3 kubelet[1742]: I1128 10:15:02.1 1742 kubelet.go:9] Using CRI v1 runtime API": {
        "msg-cri-v1-chosen"
    },
}


@pytest.mark.parametrize("lang", WORDS)
def test_a_pasted_line_leaves_the_rows_that_have_most_of_it(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/reference/messages/")
    page.wait_for_load_state("networkidle")
    field = page.get_by_role("searchbox", name=WORDS[lang][0], exact=True)
    left = {}
    for line in LINES:
        field.fill(line)
        left[line] = set(rows(page))
    assert left == LINES


def test_what_only_a_screen_reader_is_told_can_be_typed_too(open_page: Open) -> None:
    page = open_page("en/reference/flags/")
    page.get_by_role("searchbox", name="Filter").fill("deprecated gone")
    found = rows(page)
    assert FLAG in found
    assert "flag-container-runtime-endpoint" not in found


def test_the_count_is_announced_politely(open_page: Open) -> None:
    status = open_page("en/reference/facts/").get_by_role("status")
    # A status is a polite live region; it must be there before it speaks.
    assert status.count() == 1
    assert status.get_attribute("aria-live") in (None, "polite")


def test_the_row_that_the_address_names_is_shown_whatever_is_typed(open_page: Open) -> None:
    page = open_page(f"en/reference/flags/#{FLAG}")
    field = page.get_by_role("searchbox", name="Filter")
    field.fill("docker-endpoint")
    assert set(rows(page)) == {FLAG, "flag-docker-endpoint"}
    page.evaluate("location.hash = 'flag-cni-bin-dir'")
    expect(page.locator("#flag-cni-bin-dir")).to_be_in_viewport()
    assert set(rows(page)) == {"flag-cni-bin-dir", "flag-docker-endpoint"}


def test_a_row_that_was_hidden_far_down_is_scrolled_to(open_page: Open) -> None:
    page = open_page("en/reference/facts/")
    page.wait_for_load_state("networkidle")
    page.get_by_role("searchbox", name="Filter").fill("kubernetes")
    name = str(page.locator("tbody tr[hidden]").last.get_attribute("id"))
    page.evaluate("name => { location.hash = name }", name)
    expect(page.locator(f"[id='{name}']")).to_be_in_viewport()


@pytest.mark.parametrize("lang", WORDS)
def test_without_scripts_there_is_no_field_and_every_row(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/reference/messages/", script=False)
    assert page.locator(".filter, [data-filter] input").count() == 0
    assert len(rows(page)) == page.locator("tbody tr").count() > 5


def test_each_table_of_data_has_one_field(open_page: Open, base: str, site: object) -> None:
    page = open_page("en/")
    seen = 0
    for uri in pages_of(site):  # type: ignore[arg-type]
        if re.search(r"/reference/", uri):
            go(page, f"{base}/{uri}")
            boxes = page.locator("[data-filter]")
            seen += boxes.count()
            for box in boxes.all():
                expect(box.locator("input[type=search]")).to_have_count(1)
    assert seen >= 10


def test_the_themes_keys_do_not_take_what_is_typed(open_page: Open) -> None:
    """The theme opens its search at `/`, `f` and `s`, and turns pages at `n` and `p`."""
    page = open_page("en/reference/sockets/")
    address = page.url
    field = page.get_by_role("searchbox", name="Filter")
    field.focus()
    page.keyboard.type("/fsnp")
    expect(field).to_have_value("/fsnp")
    assert page.url == address
