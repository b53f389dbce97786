"""What people type and paste finds its page: every known line in its raw forms, everyday queries, every synonym."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser import lines
from tests.browser.conftest import window
from tests.browser.walk import violations
from tests.browser.worker import Search, is_among, queries_of

from shimfacts import model
from shimsite import build
from shimsite.search import index
from shimsite.tables import search as leads

Open = Callable[..., Page]
MESSAGES = "reference/messages/"
#: Everyday queries that there are at least.
EVERYDAY = 60


@pytest.fixture(scope="module", params=build.CONFIGS)
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def search(browser: Browser, base: str, lang: str) -> Iterator[Search]:
    """The search of a language, on one page for all questions."""
    with window(browser, base, scheme="light", width=1280) as page:
        page.goto(f"{base}/{lang}/")
        yield Search(page)
        assert page.complaints == []  # type: ignore[attr-defined]


def test_every_message_is_found_however_it_is_pasted(search: Search) -> None:
    facts = model.load(build.ROOT / "facts").values()
    asked = [
        (fact.id, form, text)
        for fact in facts
        if fact.kind == "message"
        for form, text in lines.forms(lines.filled(fact.value("en")))
    ]
    assert len(asked) >= 6 * 26
    missed = []
    for (name, form, text), found in zip(asked, search.found(text for *_, text in asked), strict=True):
        first = found[0][0] if found else ""
        # Of two lines that begin alike, a cut one can be either.
        right = first.startswith(MESSAGES) if form == "cut" else first == f"{MESSAGES}#{name}"
        if not right:
            missed.append(f"{form}: {text!r} finds {first!r} first")
    assert missed == []


def test_everyday_queries_find_their_page(search: Search, lang: str) -> None:
    asked = queries_of(lang)
    assert len(asked) >= EVERYDAY
    missed = [
        f"{query}: wants {target}, finds {[page[0] for page in found[:3]]}"
        for (query, target), found in zip(asked.items(), search.found(asked), strict=True)
        if not is_among(found, target)
    ]
    assert missed == []


def test_every_synonym_leads_to_its_page(search: Search) -> None:
    rows = leads.Search.load(build.ROOT / "facts").rows
    asked = {
        phrase: index.location(lead.see[0])
        for lead in rows
        if lead.see
        for phrases in lead.say.values()
        for phrase in phrases
    }
    missed = [
        f"{phrase}: wants {target}, finds {[page[0] for page in found[:3]]}"
        for (phrase, target), found in zip(asked.items(), search.found(asked), strict=True)
        if not is_among(found, target)
    ]
    assert missed == []


FAMILIES = {
    "migrate": ("migrated", "migrating", "migrates", "Migration", "MIGRATE"),
    "restart": ("restarts", "restarted", "restarting"),
    "pod": ("pods", "Pods"),
    "--cni-bin-dir": (
        "cni-bin-dir",
        "-cni-bin-dir",
        "+cni-bin-dir",
        "cni-bin-dir:",
        "^cni-bin-dir~",
        "*cni-bin-dir*",
    ),
    "kubelet日志": ("kubelet 日志", "Kubelet日志"),
    "CRI接口": ("CRI 接口", "cri接口", "ＣＲＩ接口"),
}


@pytest.mark.parametrize("word", FAMILIES)
def test_forms_of_a_word_find_the_same(search: Search, word: str) -> None:
    first, *others = search.found([f"{word} ", *(f"{other} " for other in FAMILIES[word])])
    assert first
    assert [found[:3] for found in others] == [first[:3]] * len(others)


PARTS = {
    "cni": "reference/flags/#flag-cni-bin-dir",
    "bin-dir": "reference/flags/#flag-cni-bin-dir",
    "containerd": "glossary/#term-containerd",
    "docker.sock": "reference/sockets/#socket-docker",
    "sock": "reference/sockets/#socket-docker",
    "RuntimeService": "reference/messages/#msg-unknown-service",
    "runtime.v1": "reference/messages/#msg-unknown-service",
    "cgroupDriver": "reference/messages/#msg-cgroup-driver-fallback",
}


def test_identifiers_are_found_by_their_parts(search: Search) -> None:
    missed = [
        query
        for (query, target), found in zip(PARTS.items(), search.found(PARTS), strict=True)
        if not any(target in page for page in found)
    ]
    assert missed == []


IN_BOTH = ["dockershim", "containerd", "network-plugin", "dockershim.sock", "containerRuntimeVersion"]


def test_identifiers_are_found_in_both_languages(search: Search) -> None:
    assert [query for query, found in zip(IN_BOTH, search.found(IN_BOTH), strict=True) if not found] == []


#: Words that stand in the middle of sentences, and what stands there before one.
MIDDLE = {
    "en": ("[a-z] ", ["runtime", "shim", "deprecated", "removed", "socket", "namespace"]),
    "zh": ("[\u4e00-\u9fff]", ["容器运行时", "运行时", "垫片", "弃用", "移除", "套接字", "命名空间"]),
}


def test_words_are_found_and_marked_in_the_middle_of_sentences(search: Search, lang: str) -> None:
    before, words = MIDDLE[lang]
    for word, answer in zip(words, search.answers(words), strict=True):
        sections = [item for page in answer["items"] for item in page if item["score"] > 0]
        shown = [f"{item['title']} {item['text']}" for item in sections]
        assert any(re.search(f"{before}<mark>{word}", each) for each in shown), word


def test_a_name_is_no_form_of_a_word(search: Search) -> None:
    """`containerd` is not a past tense, and `docker.sock` not whatever has a docker and a sock."""
    (containers,), (containerd,) = search.found(["containers "])[:1], search.found(["containerd "])[:1]
    assert containers[0] != containerd[0]
    (sockets,) = search.found(["docker.sock "])
    assert sockets[0][0] == "reference/sockets/#socket-docker"


HOSTILE = [
    *"+-*:~^\"'\\|()[]{}<>&%$#@!?/。，？",
    "--",
    "+ - * : ~ ^",
    "title:",
    "nosuchfield:docker",
    "docker^",
    "docker~x",
    "+docker -docker",
    '"unclosed',
    "<script>alert(1)</script>",
    "&amp; &lt;",
    "__proto__ constructor toString",
    "%s %q %v %",
    "\x1b[31m",
    "的",
    "怎么 什么 吗",
    "the of and",
    "😀 🧨",
    "\ud83d",
    "xyzzyplugh",
    "E1128 10:15:02.123456    1742 server.go:161]",
    "x" * 5000,
    "failed to start kubelet \n" * 3000,
    " ".join(f"word{n}" for n in range(5000)),
]


def test_no_query_ends_in_an_error_or_nowhere(search: Search) -> None:
    for query, answer in zip(HOSTILE, search.answers(HOSTILE), strict=True):
        assert answer["items"], query
        for page in answer["items"]:
            assert all(item["title"] and isinstance(item["score"], (int, float)) for item in page), query
    assert search.answers(["", "  "]) == [{"items": [], "suggest": []}] * 2


def test_where_nothing_is_found_pages_lead_on(search: Search, lang: str) -> None:
    (answer,) = search.answers(["xyzzyplugh"])
    ways = [lead for lead in leads.Search.load(build.ROOT / "facts").rows if lead.nothing]
    assert len(ways) >= 3
    assert [(page[0]["location"], page[0]["text"]) for page in answer["items"]] == [
        (index.location(lead.see[0]), f"<p>{lead.nothing[lang]}</p>") for lead in ways if lead.nothing
    ]


def test_what_is_missed_is_told_and_what_is_found_is_marked(search: Search) -> None:
    (answer,) = search.answers(["containerd xyzzyplugh"])
    best = answer["items"][0][0]
    assert best["terms"] == {"containerd": True, "xyzzyplugh": False} | best["terms"]
    assert "<mark>containerd</mark>" in best["title"] + best["text"]


# ---- In the theme's box ------------------------------------------------------------------------------


LINE = "failed to parse kubelet flag: unknown flag: --network-plugin"
PASTE = f'E1128 10:15:02.123456    1742 run.go:74] "command failed" err="{LINE}"'
NOTHING = {"en": "Nothing found. These pages lead on", "zh": "没有找到，可以从这些页面继续"}


def box(page: Page, width: int) -> None:
    """Open the search as a reader does: by its field, or on a phone by its button."""
    if width < 960:
        page.locator("label.md-header__button[for=__search]").click()
    else:
        page.locator(".md-search__input").click()
    expect(page.locator(".md-search__input")).to_be_focused()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("lang", build.CONFIGS)
def test_a_line_is_pasted_without_a_key(open_page: Open, lang: str, width: int) -> None:
    page = open_page(f"{lang}/", width=width)
    box(page, width)
    # As a menu's or a thumb's paste: the text comes with no key, and is one line with spaces for its breaks.
    page.keyboard.insert_text(PASTE)
    first = page.locator(".md-search-result__item").first.locator("h2").first
    expect(first).to_have_text(LINE)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/reference/messages/\?h=.*#msg-unknown-flag"))
    expect(page.locator("#msg-unknown-flag")).to_be_in_viewport()
    # The words are marked where they are read.
    expect(page.locator("#msg-unknown-flag mark").first).to_be_visible()
    assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("lang", build.CONFIGS)
def test_a_box_without_finds_says_so_and_leads_on_by_keyboard(open_page: Open, lang: str) -> None:
    page = open_page(f"{lang}/")
    box(page, 1280)
    page.keyboard.insert_text("xyzzyplugh")
    expect(page.locator(".md-search-result__meta")).to_have_text(NOTHING[lang])
    expect(page.locator(".md-search-result__item")).to_have_count(3)
    page.keyboard.press("Enter")
    expect(page.locator(".md-search__input")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{lang}/{MESSAGES}*")


def test_a_query_is_shared_as_it_was_typed(open_page: Open) -> None:
    page = open_page("en/")
    box(page, 1280)
    page.keyboard.insert_text("unknown flag: --network-plugin")
    expect(page.locator(".md-search-result__item h2").first).to_be_visible()
    page.get_by_title("Share").hover()
    page.mouse.down()
    # The theme makes the address when the field loses the focus, and a hand is slower than that.
    page.wait_for_selector("[data-md-component=search-share][data-clipboard-text*=network-plugin]")
    page.mouse.up()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('?q=')")
    shared = page.evaluate("navigator.clipboard.readText()")
    again = open_page(shared.partition("/en/")[2].join(["en/", ""]))
    expect(again.locator(".md-search__input")).to_have_value("unknown flag: --network-plugin")
    first = again.locator(".md-search-result__item h2").first
    expect(first).to_have_text(LINE)


def test_words_are_completed_while_they_are_typed(open_page: Open) -> None:
    page = open_page("en/")
    box(page, 1280)
    page.locator(".md-search__input").press_sequentially("dockersh")
    expect(page.locator(".md-search__suggest")).to_have_text("dockershim")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".md-search__input")).to_have_value("dockershim")
