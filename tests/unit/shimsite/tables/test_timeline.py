"""The timeline: what it accepts, what it refuses, what does not fit the facts, and what a page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup
from tests.support import tables

from shimfacts.model import Fact, FactError, Source
from shimsite import references
from shimsite.tables import timeline

SOURCE = (Source(title="The source", url="https://example.org/x"),)


def fact(fact_id: str, kind: str, value: str, **more: Any) -> Fact:
    both = {"en": value, "zh": value}
    return Fact(id=fact_id, file="f.yaml", kind=kind, values=both, sources=SOURCE, **more)


KUBERNETES = {"en": "Kubernetes", "zh": "Kubernetes"}
FACTS = {
    each.id: each
    for each in (
        fact("date-first", "date", "2016-04-13"),
        fact("date-month", "date", "2016-12"),
        fact("date-in-it", "date", "2016-12-24"),
        fact("date-later", "date", "2020-12-08"),
        fact("release", "version", "1.20", component=KUBERNETES),
        fact("of-nobody", "version", "1.20"),
    )
}


def entry(name: str = "date-first", **more: Any) -> dict[str, Any]:
    """An entry as the file has it; arguments replace parts of it, None takes one away."""
    made = {"fact": name, "subject": "docker", "said": {"en": "It `was`.", "zh": "有过 `它`。"}, **more}
    return {key: value for key, value in made.items() if value is not None}


def load(folder: Path, *entries: Any) -> timeline.Timeline:
    path = folder / timeline.Timeline.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(list(entries), allow_unicode=True), "utf-8")
    return timeline.Timeline.load(folder)


def shown(entries: timeline.Timeline, lang: str) -> BeautifulSoup:
    made = references.render(
        entries.fill(timeline.MARK, tables.place(lang, facts=FACTS)), FACTS, lang, pytest.fail
    )
    return BeautifulSoup(markdown.markdown(made, extensions=["md_in_html"]), "html.parser")


ALL = (
    entry(),
    entry("date-month"),
    entry("date-in-it", subject="oci"),
    entry("date-later", subject="kubernetes", release="release"),
)


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert timeline.Timeline.load(tmp_path).fill(timeline.MARK, tables.place("en")) == timeline.MARK


@pytest.mark.parametrize(
    ("lang", "first", "said"), [("en", "13 April 2016", "It was."), ("zh", "2016 年 4 月 13 日", "有过 它。")]
)
def test_it_is_a_list_of_years_and_days(tmp_path: Path, lang: str, first: str, said: str) -> None:
    page = shown(load(tmp_path, *ALL), lang)
    assert [year.get_text() for year in page.select(".timeline__year")] == ["2016", "2020"]
    days = page.select("ol ol > li")
    assert [day["id"] for day in days] == ["date-first", "date-month", "date-in-it", "date-later"]
    assert [time["datetime"] for time in page.select("time")] == [
        "2016-04-13",
        "2016-12",
        "2016-12-24",
        "2020-12-08",
    ]
    assert [line.get_text() for line in days[0].select("p")] == [f"{first} Docker", said]
    assert days[0].select("time a.fact")[0]["href"] == "https://example.org/x"
    assert days[3].select(".timeline__when")[0].get_text().endswith("Kubernetes Kubernetes 1.20")
    # What a script needs is there, and no button without one.
    assert [day["data-subject"] for day in days] == ["docker", "docker", "oci", "kubernetes"]
    assert not page.select("button, [markdown]")
    assert {"{shown}", "{all}"} <= {*page.select("[data-toggles]")[0]["data-count"].split()}  # type: ignore[union-attr]


def test_what_fits_the_facts(tmp_path: Path) -> None:
    entries = load(tmp_path, *ALL)
    assert list(entries.problems(tables.known(FACTS))) == []
    # A month and a day in it may stand in either order.
    other = load(tmp_path, ALL[0], ALL[2], ALL[1], ALL[3])
    assert list(other.problems(tables.known(FACTS))) == []
    assert list(entries.uses()) == ["date-first", "date-month", "date-in-it", "date-later", "release"]


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([entry("date-gone")], "date-gone: there is no such fact"),
        ([entry("release")], "release: is a version, not a date"),
        ([entry(), entry()], "date-first: stands in the timeline twice"),
        ([entry("date-later"), entry()], "date-first (2016-04-13) stands after date-later (2020-12-08)"),
        ([entry("date-in-it"), entry()], "date-first (2016-04-13) stands after date-in-it (2016-12-24)"),
        ([entry(release="gone")], "its release 'gone' is no fact of the kind version with a component"),
        ([entry(release="date-later")], "its release 'date-later' is no fact of the kind version"),
        ([entry(release="of-nobody")], "its release 'of-nobody' is no fact of the kind version"),
    ],
)
def test_what_does_not_fit_the_facts(tmp_path: Path, entries: list[Any], complaint: str) -> None:
    found = list(load(tmp_path, *entries).problems(tables.known(FACTS)))
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (entry(said=None), "date-first: lacks `said`; it has fact, release, said, subject"),
        (entry(more=1), "date-first: unknown key 'more'; there are fact, release, said, subject"),
        (entry(subject="podman"), "date-first: unknown subject 'podman'; there are kubernetes, cri, docker"),
        (entry(said={"en": "x"}), "date-first: `said` is a text, or a mapping with exactly en and zh"),
        (entry(said="x"), "date-first: `said` is a mapping with exactly en and zh"),
        (entry(said={"en": "a\nb", "zh": "c"}), "date-first: `said` is one line"),
        (entry(release="a b"), "date-first: `release` is the id of a fact, not 'a b'"),
        (entry(["x"]), "entry 2: `fact` is the id of a fact"),  # type: ignore[arg-type]
        ("words", "entry 2: is a mapping with fact, release, said, subject, not 'words'"),
    ],
)
def test_what_is_refused(tmp_path: Path, bad: Any, complaint: str) -> None:
    with pytest.raises(FactError, match=r"^tables/timeline\.yaml:\d+: ") as caught:
        load(tmp_path, entry("date-later"), bad)
    assert complaint in str(caught.value)


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / timeline.Timeline.path).write_text("a: 1", "utf-8")
    with pytest.raises(FactError, match="is not a list of entries"):
        timeline.Timeline.load(tmp_path)
