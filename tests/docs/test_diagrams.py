"""Diagrams and steps in the built site: there in both languages, with nothing that the record does not hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from tests.support import project

from shimfacts.model import LANGUAGES
from shimsite import build
from shimsite.diagrams import chain as record
from shimsite.diagrams import steps
from shimsite.diagrams.words import CAPTIONS

KEPT: dict[str, Any] = json.loads((build.ROOT / record.FOLDER / "call-chain.json").read_text("utf-8"))


def architecture(site: Path, lang: str) -> BeautifulSoup:
    return BeautifulSoup((site / lang / "architecture" / "index.html").read_text("utf-8"), "html.parser")


def words_of(text: Tag) -> str:
    """Give a text without what is the record's in it."""
    return "".join(
        str(piece) for piece in text.find_all(string=True) if piece.find_parent(class_="of-record") is None
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_both_chains_and_both_lists_are_on_the_page(site: Path, lang: str) -> None:
    page = architecture(site, lang)
    assert len(page.select("figure.chains--2 > svg[role=img]")) == len(KEPT)
    assert len(page.select(".steps .steps__map > svg[role=img]")) == len(KEPT)
    for runtime, chain in KEPT.items():
        items = page.select(f'.steps__list > li[id^="step-{runtime}-"]')
        assert len(items) == len(chain["steps"])
        for item, step in zip(items, chain["steps"], strict=True):
            assert [value.get_text() for value in item.select("dd")] == [
                value for value in step.values() if value
            ]
            (cell,) = item.select(".step__recorded a")
            assert re.fullmatch(r"\.\./labs/02-call-chain/#cell-[\w-]+", str(cell["href"]))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_the_pictures_name_is_in_the_record(site: Path, lang: str) -> None:
    """A name or a number stands in the record to the letter; the rest is one of the captions."""
    captions = {word for text in CAPTIONS[lang].values() for word in text.split("{}") if word} | {" · "}
    for picture in architecture(site, lang).select("svg.chain"):
        texts = picture.select("text")
        assert texts
        for text in texts:
            for piece in text.select(".of-record"):
                assert any(in_record(piece.get_text(), value) for value in values(KEPT)), piece
            left = words_of(text)
            for caption in sorted(captions, key=len, reverse=True):
                left = left.replace(caption, "", 1)
            assert left == "", text


def values(data: Any) -> list[str]:
    """List every value and key of the record, as text."""
    if isinstance(data, dict):
        return [*data, *(value for each in data.values() for value in values(each))]
    if isinstance(data, list):
        return [value for each in data for value in values(each)]
    return [str(data)]


def in_record(name: str, value: str) -> bool:
    """Tell whether a value is a name, a list with it, or has it as one of the words that it is put together of."""
    return name in (value, *value.split(", "), *value.split("-"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sentences_are_in_the_page_for_those_who_do_not_see_the_picture(site: Path, lang: str) -> None:
    page = architecture(site, lang)
    (figure,) = page.select("figure.chains--2")
    for picture, listed in zip(figure.select("svg"), figure.select("details ul"), strict=True):
        title, description = (picture.select(tag)[0] for tag in ("title", "desc"))
        assert (picture["aria-labelledby"], picture["aria-describedby"]) == (title["id"], description["id"])
        said = (" " if lang == "en" else "").join(item.get_text() for item in listed.select("li"))
        assert said == description.get_text()


def cells(page: str, row: str) -> list[str]:
    """Give the cells of a row of a table, by the words in its first one."""
    (found,) = re.findall(rf"^\| {re.escape(row)} \| (.*) \| (.*) \|$", page, re.MULTILINE)
    return list(found)


NUMBERS = {"en": ("no", "one", "two", "three", "four"), "zh": ("零", "一", "两", "三", "四")}
ROWS = {
    "en": ("Requests that change something, for a pod with one container", "Shims for that pod"),
    "zh": ("启动只有一个容器的 Pod，会改变状态的请求", "这个 Pod 用几个垫片"),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_beside_the_pictures_counts_as_the_record_does(root: Path, lang: str) -> None:
    page = (root / "docs" / lang / "architecture.md").read_text("utf-8")
    requests, shims = (cells(page, row) for row in ROWS[lang])
    for (runtime, chain), said, of_shims in zip(KEPT.items(), requests, shims, strict=True):
        for program, name in (("kubelet", "CRI"), ("dockerd", "Docker API")):
            number = NUMBERS[lang][sum(step["by"] == program for step in chain["steps"])]
            counted = f"{number} of the {name}" if lang == "en" else f"{name} {number}次"
            assert (counted in said) == (name in said) == (program in str(chain["steps"])), (runtime, said)
        assert of_shims.startswith(NUMBERS[lang][chain["shims"]]), runtime


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_the_deprecation_has_no_second_account_of_the_chains(root: Path, lang: str) -> None:
    page = (root / "docs" / lang / "deprecated.md").read_text("utf-8")
    section = page.split("{ #the-two-call-chains }")[1].split("\n## ")[0]
    assert "(architecture.md#the-two-chains)" in section
    assert "socket-" not in section


# ---- What stops a build -------------------------------------------------------------------------------


PAGE = (
    "# Home { #home }\n\n<!-- diagram: call-chain dockershim -->\n\n<!-- steps: call-chain dockershim -->\n"
)


def repository(folder: Path, kept: str, words: str, page: str = PAGE) -> Path:
    """Make a small repository with a record and words for its steps."""
    made = project.make(folder, {"docs/en/index.md": page}, {"02-call-chain.ipynb": project.notebook()})
    (made / record.FOLDER).mkdir()
    (made / record.FOLDER / "call-chain.json").write_text(kept, "utf-8")
    (made / "facts" / "tables").mkdir()
    (made / "facts" / steps.PATH).write_text(words, "utf-8")
    return made


RECORD = (build.ROOT / record.FOLDER / "call-chain.json").read_text("utf-8")
WORDS = (
    (build.ROOT / "facts" / steps.PATH)
    .read_text("utf-8")
    .replace("02-call-chain.ipynb#", "02-call-chain.ipynb#no-")
)
STOPS = {
    "a socket with another name": (
        RECORD.replace('"path": "/run/docker.sock"', '"place": "/run/docker.sock"'),
        WORDS,
        PAGE,
        "notebooks/records/call-chain.json: dockershim.sockets.1.path: is missing",
    ),
    "a step without its Chinese": (
        RECORD,
        re.sub(r"^      zh: kubelet 要求运行这个容器。\n", "", WORDS, flags=re.MULTILINE),
        PAGE,
        "call-chain: lacks `words.2.zh`; it has by, call, en, lights, route, starts, zh",
    ),
    "a step without words": (
        RECORD.replace('"call": "StartContainer"', '"call": "ResumeContainer"'),
        WORDS,
        PAGE,
        "facts/tables/steps.yaml: call-chain: no words for the step 'ResumeContainer' by kubelet on dockershim",
    ),
    "a mark of no record": (
        RECORD,
        WORDS,
        PAGE.replace("call-chain dock", "callchain dock"),
        "no record 'callchain'",
    ),
    "a cell that there is not": (RECORD, WORDS, PAGE, "does not contain an anchor '#cell-no-docker-calls'"),
}


@pytest.mark.parametrize("what", STOPS)
def test_a_strict_build_stops_at(tmp_path: Path, what: str) -> None:
    kept, words, page, complaint = STOPS[what]
    done = project.build_strictly(repository(tmp_path, kept, words, page))
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr
