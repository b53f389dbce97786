"""The glossary: what it accepts, what it refuses, and how a page shows it in each language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup
from tests.support import tables

from shimfacts.schema import FactError
from shimsite.tables import glossary


def word(en: str, zh: str, see: str = "x.md#there", **more: Any) -> dict[str, Any]:
    return {
        "term": {"en": en, "zh": zh},
        "means": {"en": f"What `{en}` is.", "zh": f"`{zh}` 是什么。"},
        "see": see,
        **more,
    }


def load(folder: Path, **words: Any) -> glossary.Glossary:
    path = folder / glossary.Glossary.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(words, allow_unicode=True, sort_keys=False), "utf-8")
    return glossary.Glossary.load(folder)


def shown(words: glossary.Glossary, lang: str, page: str = "words.md") -> BeautifulSoup:
    text = words.fill(glossary.MARK, tables.place(lang, page))
    return BeautifulSoup(markdown.markdown(text, extensions=["md_in_html"]), "html.parser")


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert glossary.Glossary.load(tmp_path).fill(glossary.MARK, tables.place("en")) == glossary.MARK


def test_a_page_without_the_mark_stays_as_it_is(tmp_path: Path) -> None:
    assert load(tmp_path, a=word("a", "甲")).fill("Text.", tables.place("en")) == "Text."


def test_a_row_has_both_words_the_meaning_and_the_way_on(tmp_path: Path) -> None:
    words = load(tmp_path, shim=word("shim", "垫片"))
    term, other, means = shown(words, "en").select("tr#term-shim > td")
    assert term.decode_contents() == "<strong>shim</strong>"
    assert other.decode_contents() == '<span lang="zh">垫片</span>'
    assert means.select("code")[0].get_text() == "shim"
    assert [(link["href"], link.get_text()) for link in means.select("a")] == [("x.md#there", "more")]
    term, other, means = shown(words, "zh").select("tr#term-shim > td")
    assert term.get_text() == "垫片"
    assert other.decode_contents() == '<span lang="en">shim</span>'
    assert means.select("a")[0].get_text() == "详见"


def test_each_language_sorts_by_its_own_words(tmp_path: Path) -> None:
    words = load(tmp_path, one=word("Zebra", "a"), two=word("ant", "z"))
    assert [row["id"] for row in shown(words, "en").select("tbody tr")] == ["term-two", "term-one"]
    assert [row["id"] for row in shown(words, "zh").select("tbody tr")] == ["term-one", "term-two"]


def test_links_hold_wherever_the_page_is(tmp_path: Path) -> None:
    words = load(tmp_path, a=word("a", "甲", see="labs/01-a.ipynb#cell-x"))
    (link,) = shown(words, "en", "reference/deep/words.md").select("td a")
    assert link["href"] == "../../labs/01-a.ipynb#cell-x"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (word("a", "甲", also="b"), "a: unknown key 'also'; there are means, see, term"),
        ({"term": {"en": "a", "zh": "甲"}}, "a: lacks `means`; it has means, see, term"),
        ("a", "a: is a mapping with means, see, term, not 'a'"),
        (word("a", "甲", see="labs/"), "a: `see` is a page"),
        (word("a", "甲", see="#here"), "a: `see` is a page"),
        (word("a", "甲", see=3), "a: `see` is a page"),
        (word("a", "甲", means={"en": "Only this."}), "means"),
    ],
)
def test_an_entry_that_breaks_the_form_is_named(tmp_path: Path, wrong: Any, complaint: str) -> None:
    with pytest.raises(FactError) as caught:
        load(tmp_path, a=wrong)
    assert complaint in str(caught.value)


def test_a_file_that_is_no_mapping_is_named(tmp_path: Path) -> None:
    path = tmp_path / glossary.Glossary.path
    path.parent.mkdir(parents=True)
    path.write_text("- a\n", "utf-8")
    with pytest.raises(FactError, match="not a mapping"):
        glossary.Glossary.load(tmp_path)


def test_its_texts_are_given_to_the_checks_of_prose(tmp_path: Path) -> None:
    ((where, text),) = load(tmp_path, a=word("a", "甲")).texts()
    assert where == "a: means"
    assert text == {"en": "What `a` is.", "zh": "`甲` 是什么。"}
