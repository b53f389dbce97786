"""The parts of the search that are pure: what is cleaned off a paste, what a word is, what is shown of a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import window

_CALL = """async ([file, name, given]) => {
  const module = await import(new URL(`assets/javascripts/search/${file}.js`, location))
  const made = module[name](...given)
  return made?.[Symbol.iterator] && typeof made !== "string" ? [...made] : made
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, base: str) -> Iterator[Page]:
    with window(browser, base, scheme="light", width=1280) as opened:
        opened.goto(f"{base}/en/")
        yield opened


def call(page: Page, file: str, name: str, *given: Any) -> Any:
    return page.evaluate(_CALL, [file, name, list(given)])


LINE = "failed to parse kubelet flag: unknown flag: --network-plugin"
CLEANED = {
    f"Error: {LINE}": LINE,
    f"[ERROR CRI]: {LINE}": LINE,
    f"FATA[0000] {LINE}": LINE,
    f"E1128 10:15:02.123456    1742 server.go:161] {LINE}": LINE,
    f"server.go:161] {LINE}": LINE,
    f"Nov 28 10:15:02 worker-3 kubelet[1742]: {LINE}": LINE,
    f"11月 28 10:15:02 worker-3 kubelet[1742]: Error: {LINE}": LINE,
    f"2026-11-28T10:15:02+0000 worker-3 kubelet[1742]: {LINE}": LINE,
    f"2026-11-28T10:15:02.123456789Z stderr F {LINE}": LINE,
    f"Warning  Failed  3m2s (x14 over 6m)  kubelet  {LINE}": LINE,
    f"Warning  Failed  <unknown>  kubelet, worker-3  {LINE}": LINE,
    f"12s  Warning  Failed pod/web {LINE}": f"Failed pod/web {LINE}",
    f'time="2026-11-28T10:15:02Z" level=error msg="{LINE}"': f'"{LINE}"',
    f'E1128 10:15:02.123456    1742 run.go:74] "command failed" err="{LINE}"': f'"{LINE}"',
    f'"Failed" err="{LINE}" pod="kube-system/web-5d6b" node="worker-3"': f'"Failed" "{LINE}"',
    f"\x1b[0;31m{LINE}\x1b[0m": LINE,
    f"^[[31m{LINE}^[[0m": LINE,
    f"#033[31m{LINE}#033[0m": LINE,
    f"[0;31m{LINE}[0m": LINE,
    r"driver: \"systemd\" is \\\"cgroupfs\\\"": 'driver: "systemd" is "cgroupfs"',
    "failed\nto  parse\r\n\tkubelet": "failed to parse kubelet",
    r"failed to\nparse": "failed to parse",
    "dial tcp 10.0.0.7:6443 of 3f2a9c41-0b7e-4d1c-9a55-1c2d3e4f5a6b": "dial tcp of",
    "container 8d9f0a1b2c3d4e5f8d9f0a1b2c3d4e5f failed": "container failed",
    "ｋｕｂｅｌｅｔ：日志": "kubelet:日志",
    "报错：kubelet 起不来": "报错:kubelet 起不来",
}
#: What somebody types has to stay as it is.
TYPED = [
    "--network-plugin",
    "error message",
    "warning at start",
    "docker.sock",
    "runtime.v1alpha2.RuntimeService",
    "1.24",
    "port 80",
    "cgroup v2",
    "kubelet日志",
    "Error:",
    "err",
]


def test_what_a_log_puts_around_a_line_goes(page: Page) -> None:
    cleaned = {text: call(page, "clean", "clean", text) for text in CLEANED}
    assert {text: each["text"] for text, each in cleaned.items()} == CLEANED


def test_what_is_typed_stays(page: Page) -> None:
    cleaned = {text: call(page, "clean", "clean", text) for text in TYPED}
    assert cleaned == {text: {"text": text, "hadNoise": False} for text in TYPED}


def test_a_paste_is_known_by_its_noise(page: Page) -> None:
    assert call(page, "clean", "clean", f"Error: {LINE}")["hadNoise"]


WORDS = {
    "--cni-bin-dir": ["cni-bin-dir", "cni", "bin", "dir"],
    "/var/run/docker.sock": ["var", "run", "docker.sock", "docker", "sock"],
    "runtime.v1alpha2.RuntimeService": [
        "runtime.v1alpha2.RuntimeService",
        "runtime",
        "v1alpha2",
        "RuntimeService",
        "Runtime",
        "Service",
    ],
    "base_runtime_spec": ["base_runtime_spec", "base", "runtime", "spec"],
    "containerRuntimeVersion": ["containerRuntimeVersion", "container", "Runtime", "Version"],
    "v1.24.17": ["1.24.17", "1.24"],
    "1.20–1.23": ["1.20", "1.23"],
    "the kubelet's flags won't": ["the", "kubelet", "flags"],
    "driver: %q is": ["driver", "is"],
    "<code>a-b</code> &lt;c&gt;": ["a-b", "c"],
    "容器运行时": ["容器", "器运", "运行", "行时"],
    "kubelet日志": ["kubelet", "日志"],
    "用 Docker": ["用", "Docker"],
}


def test_identifiers_are_words_and_have_parts_and_chinese_is_pairs(page: Page) -> None:
    found = {}
    for text in WORDS:
        pieces = call(page, "words", "pieces", text)
        found[text] = [word["text"] for piece in pieces for word in call(page, "words", "words", piece)]
        for piece in pieces:
            for word in call(page, "words", "words", piece):
                assert text[word["at"] :].startswith(word["text"])
    assert found == WORDS


MARKED = [
    ("a kubelet", [[2, 9]], "a <mark>kubelet</mark>"),
    ("运行时", [[0, 2], [1, 3]], "<mark>运行时</mark>"),
    ("a b", [], "a b"),
    ("cni-bin", [[0, 7], [0, 3]], "<mark>cni-bin</mark>"),
]


@pytest.mark.parametrize(("text", "places", "html"), MARKED)
def test_places_are_marked_once(page: Page, text: str, places: list[list[int]], html: str) -> None:
    assert call(page, "teaser", "mark", text, places) == html


def test_a_teaser_is_the_stretch_with_most_of_what_was_found(page: Page) -> None:
    text = "word " * 100 + "kubelet &lt;none&gt; kubelet " + "word " * 100
    at = text.index("kubelet")
    places = [[0, 4], [at, at + 7], [text.rindex("kubelet"), text.rindex("kubelet") + 7]]
    shown = call(page, "teaser", "teaser", text, places)
    assert shown.count("<mark>kubelet</mark>") == 2
    assert shown.startswith("… word ")
    assert shown.endswith(" …")
    assert len(shown) < 340
    assert "&lt;none&gt;" in shown


def test_a_teaser_cuts_no_entity_and_no_word(page: Page) -> None:
    text = "x&amp;" * 200
    shown = call(page, "teaser", "teaser", text, [[600, 601]])
    assert json.dumps(shown).count("&amp;") == shown.count("&")


def test_markup_goes_from_a_text_and_code_stays_with_its_word(page: Page) -> None:
    html = "<p>The <code>docker.sock</code>s of\n<strong>all</strong></p><ul><li>one</li></ul>"
    assert call(page, "teaser", "plain", html) == "The docker.socks of all one"
