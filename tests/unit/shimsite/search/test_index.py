"""The index that the search worker reads: rows after their page, synonyms of both languages, ways on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shimsite.search import index
from shimsite.search.rows import Row
from shimsite.tables.search import Lead


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("index.md", ""),
        ("index.md#a", "#a"),
        ("faq.md", "faq/"),
        ("lab/index.md#a", "lab/#a"),
        ("labs/05-x.ipynb#a-b", "labs/05-x/#a-b"),
        ("reference/index.md", "reference/"),
    ],
)
def test_a_target_is_the_address_of_its_page(target: str, address: str) -> None:
    assert index.location(target) == address


def finished(
    site: Path, leads: list[Lead], lang: str = "en", **rows: list[Row]
) -> tuple[dict[str, Any], list[str]]:
    path = site / index.PATH
    path.parent.mkdir()
    docs = [
        {"location": "a/", "title": "A", "text": "", "boost": 4},
        {"location": "a/#b", "title": "B", "text": ""},
        {"location": "c/", "title": "C", "text": ""},
    ]
    path.write_text(json.dumps({"config": {"separator": "x"}, "docs": docs}), "utf-8")
    complaints: list[str] = []
    index.finish(site, lang, {f"{page}/": found for page, found in rows.items()}, leads, complaints.append)
    return json.loads(path.read_text("utf-8")), complaints


def test_rows_follow_their_page_with_its_boost(tmp_path: Path) -> None:
    found, _ = finished(tmp_path, [], a=[Row("r", "R", "text")], c=[Row("s", "S", "")])
    assert found["docs"][1] == {"location": "a/#r", "title": "R", "text": "text", "boost": 4}
    assert [doc["location"] for doc in found["docs"]] == ["a/", "a/#r", "a/#b", "c/", "c/#s"]
    assert "boost" not in found["docs"][4]


def test_phrases_of_both_languages_and_words_of_one(tmp_path: Path) -> None:
    lead = Lead(
        say={"en": ("roll back",), "zh": ("回滚",)}, means={"en": ("back",), "zh": ("退回",)}, see=("a.md#b",)
    )
    found, complaints = finished(tmp_path, [lead], lang="zh")
    assert found["config"]["synonyms"] == [{"say": ["roll back", "回滚"], "means": ["退回"], "see": ["a/#b"]}]
    assert found["config"]["separator"] == "x"
    assert complaints == []


def test_a_way_on_is_the_first_page_in_the_words_of_the_language(tmp_path: Path) -> None:
    lead = Lead(say={"en": ("x",)}, see=("a.md", "c.md"), nothing={"en": "There.", "zh": "那里。"})
    found, _ = finished(tmp_path, [lead, Lead(say={"en": ("y",)}, see=("c.md",))], lang="zh")
    assert found["config"]["ways"] == [{"location": "a/", "text": "那里。"}]


def test_a_target_that_is_not_there_is_told(tmp_path: Path) -> None:
    _, complaints = finished(tmp_path, [Lead(id="x", say={"en": ("x",)}, see=("a.md#gone", "a.md"))])
    assert complaints == ["facts/tables/search.yaml: x: no page has 'a/#gone'"]
