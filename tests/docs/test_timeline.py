"""The timeline on its page: in both languages, checked like a page, and a build that stops where it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from tests.support import project

from shimfacts import model
from shimsite.checks import facts as fact_checks
from shimsite.checks import parity
from shimsite.tables import data
from shimsite.tables.timeline import Timeline

FACTS = project.FACTS + (
    """
first:
  kind: date
  value: "2016-04-13"
  source: [{title: "Its source", url: "https://example.org/first"}]
"""
)
TIMELINE = """
- fact: first
  subject: docker
  said: {en: It began., zh: 开始了。}
- fact: release
  subject: kubernetes
  said:
    en: It came with `{{ fact("the-flag", "bare") }}`.
    zh: 带有 `{{ fact("the-flag", "bare") }}`。
"""
PAGE = "# T { #t }\n\n<!-- timeline -->\n\nSee [the first](#first).\n"


def make(folder: Path, timeline: str = TIMELINE, page: str = PAGE) -> Path:
    pages = {f"docs/{lang}/index.md": page for lang in model.LANGUAGES}
    return project.make(folder, pages, facts=FACTS, tables={"timeline.yaml": timeline})


@pytest.mark.parametrize("lang", model.LANGUAGES)
def test_the_sites_timeline_has_every_entry(root: Path, site: Path, lang: str) -> None:
    entries = data.load(root, pytest.fail).table(Timeline).entries
    assert len(entries) > 10
    page = BeautifulSoup((site / lang / "timeline" / "index.html").read_text("utf-8"), "html.parser")
    assert [each["id"] for each in page.select(".timeline [data-subject]")] == [each.fact for each in entries]
    assert all(each.get_text().strip() for each in page.select(".timeline time"))


@pytest.mark.parametrize("lang", model.LANGUAGES)
def test_it_builds_in_both_languages(tmp_path: Path, lang: str) -> None:
    folder = make(tmp_path)
    assert list(fact_checks.all_problems(folder)) == []
    done = project.build_strictly(folder, lang)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("fact: first", "fact: gone", "timeline.yaml: gone: there is no such fact"),
        ("subject: docker", "subject: rkt", "timeline.yaml:3: first: unknown subject 'rkt'"),
        (
            "{en: It began., zh: 开始了。}",
            "{en: It began.}",
            "timeline.yaml:4: first: `said` is a text, or a mapping",
        ),
        ("fact: first", "fact: the-flag", "timeline.yaml: the-flag: is a flag, not a date"),
        (
            "- fact: first",
            "- fact: release\n  subject: oci\n  said: {en: a, zh: 甲}\n- fact: first",
            "stands after release",
        ),
    ],
)
def test_what_does_not_fit_stops_the_build(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in TIMELINE
    folder = make(tmp_path, TIMELINE.replace(old, new, 1))
    assert any(complaint in problem for problem in fact_checks.all_problems(folder))
    done = project.build_strictly(folder)
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "It began.",
            "It began on 2020-12-08.",
            "first: said in en:1: '8 December 2020' is a copy of the fact release",
        ),
        ("带有 `{{", "带有`x`和 `{{", "release: said: line 9: a space belongs between Han and Latin"),
        (
            '`{{ fact("the-flag", "bare") }}`。',
            "它。",
            "release: said: line 9: lacks the fact the-flag of English line 8",
        ),
    ],
)
def test_its_words_are_checked_as_pages_are(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in TIMELINE
    folder = make(tmp_path, TIMELINE.replace(old, new))
    found = [*fact_checks.all_problems(folder), *parity.all_problems(folder)]
    assert any(complaint in problem for problem in found), found


def test_a_date_that_neither_the_timeline_nor_prose_tells_of_is_idle(tmp_path: Path) -> None:
    short = TIMELINE[: TIMELINE.index("- fact: release")]
    found = list(fact_checks.all_problems(make(tmp_path, short, PAGE + '\n{{ fact("the-flag") }}\n')))
    assert found == ["facts/all.yaml: release: no page and no notebook uses it"]


def test_a_timeline_that_no_page_shows_is_found(tmp_path: Path) -> None:
    found = list(fact_checks.all_problems(make(tmp_path, page="# T { #t }\n")))
    assert found == ["facts/tables/timeline.yaml: no page shows it; write <!-- timeline --> where it belongs"]
