"""Tables for readers: what they are made of, those of facts, and the matrix of flags over the releases."""

from __future__ import annotations

import re
from pathlib import Path

import markdown
import pytest
from bs4 import BeautifulSoup
from tests.support import tables
from yaml import YAMLError

from shimfacts import releases, yaml_files
from shimfacts.model import Fact, Source
from shimfacts.proofs import Proofs
from shimsite.tables import facts as fact_tables
from shimsite.tables import flag_matrix, writer

SOURCES = tuple(
    Source(title=f"Source *{number}*", url=f"https://example.org/?a={number}&b") for number in (1, 2, 3)
)

CELL, TEST = "notebooks/01-a.ipynb#c", "tests/live/t.py::test_it"


def fact(fact_id: str, kind: str, value: str = "v", **more: object) -> Fact:
    """Make a fact of a kind; what its table needs is there unless given otherwise."""
    given: dict[str, object] = {"sources": SOURCES[:1], **more}
    if kind in ("flag", "socket", "message"):
        given = {"component": {"en": "kubelet", "zh": "kubelet"}, **given}
    if kind == "socket":
        given = {"protocol": {"en": "CRI", "zh": "CRI"}, **given}
    return Fact(id=fact_id, file="f.yaml", kind=kind, values={"en": value, "zh": value}, **given)


def rendered(text: str) -> BeautifulSoup:
    """Render Markdown as the site does."""
    return BeautifulSoup(markdown.markdown(text, extensions=["md_in_html", "attr_list"]), "html.parser")


def shown(
    text: str,
    *facts: Fact,
    lang: str = "en",
    page: str = "reference/x.md",
    proofs: Proofs | None = None,
) -> BeautifulSoup:
    place = tables.place(lang, page, {each.id: each for each in facts}, proofs)
    return rendered(fact_tables.Facts().fill(text, place))


def texts(row: BeautifulSoup) -> list[str]:
    return [cell.get_text("\n", strip=True) for cell in row.select("td")]


# ---- Tables ------------------------------------------------------------------------------------------


def test_a_row_has_its_anchor_and_a_cell_its_column() -> None:
    rows = [writer.Row("one", ["*a* `<b>` [c](d.md)", writer.Cell("x", "look")])]
    made = rendered(writer.table("kind", ["A & B", "C"], rows, "en"))
    first, second = made.select("tr#one > td")
    assert str(first.decode_contents()) == '<em>a</em> <code>&lt;b&gt;</code> <a href="d.md">c</a>'
    assert (first["data-label"], second["data-label"], second["class"]) == ("A & B", "C", ["look"])
    assert not made.select("[markdown]")


def test_what_is_shown_as_a_card_is_still_called_a_table() -> None:
    made = rendered(writer.table("kind", ["A"], [writer.Row("one", ["a"])], "en"))
    for tag, role in {
        "table": "table",
        "thead": "rowgroup",
        "tbody": "rowgroup",
        "tr": "row",
        "td": "cell",
    }.items():
        assert {element["role"] for element in made.select(tag)} == {role}
    # The theme would take it for a table that can be sorted.
    assert not made.select("[role=columnheader]")


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        writer.table("kind", ["A", "B"], [writer.Row("one", ["a"])], "en")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_the_filter_says_is_in_the_readers_language(lang: str) -> None:
    box = rendered(writer.table("kind", ["A"], [], lang)).select_one("[data-filter]")
    assert box is not None
    assert bool(re.search(r"[\u4e00-\u9fff]", f"{box['data-filter']}")) == (lang == "zh")
    assert {"{shown}", "{all}"} <= set(re.findall(r"\{\w+\}", str(box["data-count"])))


def test_many_sources_are_folded() -> None:
    assert writer.sources(SOURCES[:2], "en").count("<br>") == 1
    made = rendered(f"<p>{writer.sources(SOURCES, 'zh')}</p>")
    assert [each.get_text() for each in made.select("details > summary")] == ["3 处来源"]
    assert [each.get_text() for each in made.select("details > a")] == [
        "Source *1*",
        "Source *2*",
        "Source *3*",
    ]
    assert made.select("a")[0]["href"] == "https://example.org/?a=1&b"


# ---- Tables of facts -----------------------------------------------------------------------------------


def test_the_list_of_all_has_each_fact_once_in_order_of_ids() -> None:
    made = shown("<!-- facts-table -->", fact("b", "text"), fact("a", "flag", verified=False), lang="zh")
    assert [row["id"] for row in made.select("tbody tr")] == ["a", "b"]
    assert "未经核实" in made.select("tr#a")[0].get_text()
    assert made.select('[data-search-exclude="true"]')


def test_a_value_sets_off_neither_markdown_nor_html() -> None:
    hard = "<a> *b* _c_ `d` [e](f) | & \\ %q {#x}"
    made = shown("<!-- facts-table: message -->", fact("m", "message", hard, note={"en": hard, "zh": hard}))
    assert made.select("tr#m code")[0].get_text() == hard
    assert made.select("tr#m small")[0].get_text() == hard


def test_a_proof_is_a_link_to_its_cell_from_wherever_the_page_is() -> None:
    proved, proofs = fact("m", "message", proofs=(CELL,)), tables.passed(CELL)
    for page, href in {
        "reference/x.md": "../labs/01-a.ipynb#cell-c",
        "x.md": "labs/01-a.ipynb#cell-c",
        "labs/y.md": "01-a.ipynb#cell-c",
    }.items():
        links = shown("<!-- facts-table: message -->", proved, page=page, proofs=proofs).select("td a")
        assert [link["href"] for link in links][1:] == [href]


@pytest.mark.parametrize(
    ("lang", "passed", "changed", "none"),
    [
        (
            "en",
            "proved on 25 November 2026 by 01#c, test_it",
            "not proved as it stands now: 01#c, test_it",
            "from the source only",
        ),
        (
            "zh",
            "2026 年 11 月 25 日实测通过：01#c、test_it",
            "现在的写法还没有实测：01#c、test_it",
            "仅据来源，未实测",
        ),
    ],
)
def test_a_fact_says_when_it_was_proved_and_by_what(lang: str, passed: str, changed: str, none: str) -> None:
    proved = fact("m", "message", proofs=(CELL, TEST))

    def said(of: Fact, proofs: Proofs | None = None) -> str:
        return (
            shown("<!-- facts-table: message -->", of, lang=lang, proofs=proofs).select("td")[-1].get_text()
        )

    assert said(proved, tables.passed(CELL, TEST)).removeprefix("Source *1*") == passed
    # One proof that does not hold any more is enough.
    assert said(proved, tables.passed(CELL)).removeprefix("Source *1*") == changed
    assert said(fact("m", "message")).removeprefix("Source *1*") == none


def test_a_day_is_nothing_that_a_lab_could_show() -> None:
    made = shown("<!-- facts-table: date -->", fact("d", "date", "2020-12-08"))
    assert made.select("td")[-1].get_text() == "Source *1*"


@pytest.mark.parametrize(
    ("versions", "english", "chinese"),
    [
        (None, "any", "不限"),
        ("1.20", "1.20", "1.20"),
        ("–1.23", "up to 1.23", "至 1.23"),
        ("1.24–", "from 1.24", "1.24 起"),
    ],
)
def test_sockets_and_messages_say_whose_they_are_and_since_when(
    versions: str | None, english: str, chinese: str
) -> None:
    socket = fact("s", "socket", "/run/x.sock", versions=versions)
    for lang, said in (("en", english), ("zh", chinese)):
        [row] = shown("<!-- facts-table: socket -->", socket, lang=lang).select("tbody tr")
        assert texts(row)[:4] == ["/run/x.sock", "kubelet", "CRI", said]
        message = fact("m", "message", "line", versions=versions)
        [row] = shown("<!-- facts-table: message -->", message, lang=lang).select("tbody tr")
        assert texts(row)[:3] == ["line", "kubelet", said]


def test_dates_stand_in_their_order() -> None:
    days = {"later": "2020-12-08", "month": "2016-12", "first": "2016-04-13"}
    made = shown("<!-- facts-table: date -->", *(fact(name, "date", day) for name, day in days.items()))
    assert [row["id"] for row in made.select("tbody tr")] == ["first", "month", "later"]
    assert made.select("tr#month td")[0].get_text() == "December 2016"


def test_a_kind_without_a_table_is_told() -> None:
    complaints: list[str] = []
    text = "<!-- facts-table: colour -->"
    assert fact_tables.Facts().fill(text, tables.place("en", warn=complaints.append)) == text
    assert complaints == [
        "there is no table of the kind 'colour'; there are flag, socket, message, date, name"
    ]


def test_kinds_that_a_text_shows() -> None:
    text = "<!-- facts-table -->\n<!-- facts-table: flag -->\n<!--facts-table: name-->\n<!-- facts-table:date -->"
    assert list(fact_tables.kinds_shown(text)) == ["flag", "date"]


# ---- Flags over the releases --------------------------------------------------------------------------


def test_a_flag_over_the_releases() -> None:
    flag = fact("f", "flag", versions="1.21–1.25", deprecated="1.23")
    states = [flag_matrix.state(flag, when) for when in flag_matrix.RELEASES]
    assert states == ["not-yet", "there", "there", "deprecated", "deprecated", "deprecated", "gone", "gone"]
    forever = fact("f", "flag")
    assert {flag_matrix.state(forever, when) for when in flag_matrix.RELEASES} == {"there"}


@pytest.mark.parametrize(("lang", "words"), [("en", ["there", "gone"]), ("zh", ["可用", "已移除"])])
def test_the_matrix_can_be_read_by_eye_and_by_ear(lang: str, words: list[str]) -> None:
    today = fact(flag_matrix.TODAY, "version", "1.37.2")
    made = shown("<!-- facts-table: flag -->", fact("f", "flag", "--f", versions="–1.23"), today, lang=lang)
    assert [head.get_text() for head in made.select("th")][1:] == [*flag_matrix.RELEASES, "1.37"]
    cells = made.select("tr#f td")[1:]
    assert [cell.select(".unseen")[0].get_text() for cell in cells] == [words[0]] * 4 + [words[1]] * 5
    assert [cell.select("[aria-hidden=true]")[0].get_text() for cell in cells] == ["●"] * 4 + ["○"] * 5
    # The key names the shapes that there are, and no other.
    assert [part.strip() for part in made.select(".key")[0].get_text().split("\u2002")] == [
        f"● {words[0]}",
        f"○ {words[1]}",
    ]


def test_the_shapes_differ_without_their_colour() -> None:
    assert len(set(flag_matrix.SHAPES.values())) == len(flag_matrix.SHAPES)
    assert set(flag_matrix.SHAPES) <= set(flag_matrix.WORDS["en"]) & set(flag_matrix.WORDS["zh"])


def test_whose_flag_it_is_is_said_where_it_is_not_the_kubelets() -> None:
    other = {"en": "kubeadm", "zh": "kubeadm"}
    made = shown("<!-- facts-table: flag -->", fact("k", "flag"), fact("o", "flag", component=other))
    assert "kubelet" not in made.select("tr#k td")[0].get_text()
    assert "kubeadm" in made.select("tr#o td")[0].get_text()


# ---- Ranges of releases, and YAML ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("versions", "within"),
    [
        ("1.20", ["1.20", "1.20.15"]),
        ("1.21–1.23", ["1.21", "1.22", "1.23", "1.23.17"]),
        ("1.24–", ["1.24", "1.37.2"]),
        ("–1.20", ["1.9", "1.20", "1.20.15"]),
        ("1.23.5–", ["1.23", "1.23.17", "1.24", "1.37.2"]),
        (None, ["1.9", "1.20", "1.20.15", "1.21", "1.22", "1.23", "1.23.17", "1.24", "1.37.2"]),
    ],
)
def test_ranges_of_releases(versions: str | None, within: list[str]) -> None:
    every = ["1.9", "1.20", "1.20.15", "1.21", "1.22", "1.23", "1.23.17", "1.24", "1.37.2"]
    assert [when for when in every if releases.is_within(releases.release(when), versions)] == within


@pytest.mark.parametrize(
    "versions", ["", "–", "1.20-1.23", "1,20", "1.20–1.22–1.23", "v1.20", "1", "1.23–1.20"]
)
def test_what_is_no_range_of_releases(versions: str) -> None:
    with pytest.raises(ValueError, match=r"no range of releases|ends before it begins"):
        releases.ends(versions)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &x {b: 1}\nc: {<<: *x, b: 2}\n", "utf-8")
    assert yaml_files.load(path) == {"a": {"b": 1}, "c": {"b": 2}}
    path.write_text("a: 1\nb:\n  c: 1\n  c: 2\n", "utf-8")
    with pytest.raises(
        YAMLError, match=r"the key 'c' is here(?s:.*)line 3(?s:.*)and here again(?s:.*)line 4"
    ):
        yaml_files.load(path)
