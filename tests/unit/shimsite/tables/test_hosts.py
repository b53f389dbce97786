"""The table of runtimes and hosts: what it accepts, what it refuses, and what a page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup
from tests.support import tables

from shimfacts.schema import FactError
from shimsite.checks import facts
from shimsite.tables import hosts

SOURCE = [{"title": "Its makers", "url": "https://example.org/x"}]
PROOF = "tests/live/t.py::test_it"
RUN = {"state": "run", "proof": PROOF}


def table(**host: Any) -> dict[str, Any]:
    """One host and two runtimes; arguments replace what the host says."""
    here = {
        "title": {"en": "Here `x`", "zh": "这里 `x`"},
        "said": {"en": "All of it.", "zh": "全部。"},
        "cells": {"a": RUN, "b": {"state": "not-tried"}},
    }
    return {"runtimes": {"a": "A", "b": {"en": "B", "zh": "乙"}}, "hosts": {"here": {**here, **host}}}


def load(folder: Path, data: Any) -> hosts.Hosts:
    (folder / "facts" / "tables").mkdir(parents=True)
    (folder / "facts" / hosts.Hosts.path).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return hosts.Hosts.load(folder / "facts")


def page(found: hosts.Hosts, lang: str) -> BeautifulSoup:
    made = found.fill(
        f"{hosts.TABLE_MARK}\n\n{hosts.NOTES_MARK}", tables.place(lang, proofs=tables.passed(PROOF))
    )
    return BeautifulSoup(markdown.markdown(made, extensions=["md_in_html"]), "html.parser")


def texts(found: hosts.Hosts, lang: str) -> list[list[str]]:
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in page(found, lang).select("tr")
    ]


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    empty = hosts.Hosts.load(tmp_path)
    assert not empty
    assert empty.fill(hosts.TABLE_MARK, tables.place("en")) == hosts.TABLE_MARK


def test_both_tables_in_both_languages(tmp_path: Path) -> None:
    found = load(tmp_path, table(source=SOURCE))
    assert texts(found, "en") == [
        ["Host", "A", "B"],
        ["Here x", "run", "not tried"],
        ["Host", "What is known", "Shown by / Sources"],
        ["Here x", "All of it.", "A: test_it , 25 November 2026 Its makers"],
    ]
    assert texts(found, "zh")[:2] == [["主机", "A", "乙"], ["这里 x", "跑过", "没有试过"]]
    html = page(found, "en")
    assert [link["href"] for link in html.select("a")] == ["#host-here", "https://example.org/x"]
    # A row can be linked to once, filtered, and read as a card.
    assert len(html.select("#host-here")) == 1
    assert len(html.select("[data-filter]")) == 2
    assert html.select("td[data-label=A]")


def test_the_rest_of_a_row_need_not_be_named(tmp_path: Path) -> None:
    found = load(tmp_path, table(cells={}, rest="not-tried"))
    assert texts(found, "en")[1] == ["Here x", "not tried", "not tried"]
    assert list(found.proofs()) == []


def test_a_proof_of_the_whole_row_stands_alone(tmp_path: Path) -> None:
    found = load(tmp_path, table(cells={"a": RUN, "b": RUN}))
    assert texts(found, "en")[3][2] == "test_it , 25 November 2026"
    assert list(found.proofs()) == [("here.a", PROOF), ("here.b", PROOF)]


def test_its_texts_are_given_to_the_checks_of_prose(tmp_path: Path) -> None:
    assert list(load(tmp_path, table()).texts()) == [
        ("here: title", {"en": "Here `x`", "zh": "这里 `x`"}),
        ("here: said", {"en": "All of it.", "zh": "全部。"}),
    ]


@pytest.mark.parametrize(
    ("host", "complaint"),
    [
        ({"cells": {"a": {"state": "run"}}, "rest": "not-tried"}, "`hosts.here.cells.a` run needs proof"),
        (
            {"cells": {"a": {"state": "refused"}}, "rest": "not-tried"},
            "`hosts.here.cells.a` refused needs proof",
        ),
        (
            {"cells": {"a": {"state": "not-tried", "proof": PROOF}}, "rest": "not-tried"},
            "`hosts.here.cells.a` not-tried has no proof",
        ),
        ({"cells": {"a": {"state": "run", "proof": "x.py"}}}, "`hosts.here.cells.a.proof` is notebooks/"),
        (
            {"cells": {"a": {"state": "surely"}}, "rest": "not-tried"},
            "unknown hosts.here.cells.a.state 'surely'",
        ),
        ({"cells": {}}, "here: a: neither `cells` nor `rest` says what is known"),
        ({"rest": "run", "cells": {}}, "here: a: run needs proof"),
        ({"cells": {"c": {"state": "not-tried"}}}, "here: cells of no runtime: c"),
        ({"said": {"en": "Only this."}}, "`hosts.here.said` is a text, or a mapping"),
        ({"said": {"en": "", "zh": ""}}, "`hosts.here.said` is empty"),
        ({"title": {"en": "a\nb", "zh": "c"}}, "`hosts.here.title` is one line"),
        ({"more": 1}, "unknown key 'hosts.here.more'; there are cells, rest, said, source, title"),
        ({"source": [{"title": "x", "url": "http://x"}]}, "url` begins with https"),
    ],
)
def test_what_is_refused(tmp_path: Path, host: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=r"^tables/hosts\.yaml:\d+: ") as caught:
        load(tmp_path, table(**host))
    assert complaint in str(caught.value)


def test_a_proof_that_is_not_there_is_found(tmp_path: Path) -> None:
    load(tmp_path, table())
    (tmp_path / "docs" / "en").mkdir(parents=True)
    (tmp_path / "docs" / "en" / "hosts.md").write_text(hosts.NOTES_MARK, "utf-8")
    assert list(facts.all_problems(tmp_path)) == [
        f"facts/tables/hosts.yaml: here.a: its proof {PROOF} is not there"
    ]


def test_a_table_that_no_page_shows_is_found(tmp_path: Path) -> None:
    load(tmp_path, table(cells={}, rest="not-tried"))
    assert list(facts.all_problems(tmp_path)) == [
        "facts/tables/hosts.yaml: no page shows it; write <!-- hosts-table --> where it belongs"
    ]
