"""The table of claims: what it accepts, what it refuses, what a page shows, and what no cell bears out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from tests.support import tables

from shimfacts.ledger import OUTCOMES, Result
from shimfacts.schema import FactError
from shimsite.tables import claims

SOURCE = [{"title": "Its source", "url": "https://example.org/x"}]
PASSED = Result("passed", "2026-11-25", "deprecated")
LAST = {
    "01-a.ipynb#good": PASSED,
    "01-a.ipynb#bad": Result("failed", "2026-11-25", "deprecated"),
    "01-a.ipynb#left-out": Result("skipped", "2026-11-25", "deprecated"),
    "01-a.ipynb#changed": None,
}
PROOFS = tables.Told({f"notebooks/{cell}": result for cell, result in LAST.items()})


def claim(**more: Any) -> dict[str, Any]:
    """A claim as the file has it; arguments replace parts of it, None takes one away."""
    made = {
        "claim": {"en": "It is `so`.", "zh": "它是 `so`。"},
        "verdict": "wrong",
        "holds": {"en": "It is [not](x.md).", "zh": "它[不是](x.md)。"},
        "cells": ["01-a.ipynb#good"],
        **more,
    }
    return {key: value for key, value in made.items() if value is not None}


def load(folder: Path, **told: Any) -> claims.Claims:
    path = folder / claims.Claims.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(told or {"s1": claim()}, allow_unicode=True, sort_keys=False), "utf-8")
    return claims.Claims.load(folder)


def filled(text: str, told: claims.Claims, lang: str, page: str = "said.md") -> BeautifulSoup:
    made = told.fill(text, tables.place(lang, page, proofs=PROOFS))
    return BeautifulSoup(markdown.markdown(made, extensions=["md_in_html"]), "html.parser")


def row(told: claims.Claims, lang: str, **more: Any) -> list[Tag]:
    return list(filled(claims.TABLE_MARK, told, lang, **more).select("tr#claim-s1 > td"))


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    text = f"{claims.TABLE_MARK} {claims.SUM_MARK}"
    assert claims.Claims.load(tmp_path).fill(text, tables.place("en")) == text


def test_a_row_in_both_languages(tmp_path: Path) -> None:
    told = load(tmp_path, s1=claim(source=SOURCE))
    number, said, verdict, holds, shown = row(told, "en")
    assert number.decode_contents() == '<a href="#claim-s1">1</a>'
    assert said.decode_contents() == "It is <code>so</code>."
    assert verdict.get_text() == "✗ wrong"
    assert [link["href"] for link in holds.select("a")] == ["x.md", "https://example.org/x"]
    link = shown.select("a")[0]
    assert (link["href"], link.get_text()) == ("labs/01-a.ipynb#cell-good", "Title of 01-a.ipynb")
    assert shown.select("small > code")[0].get_text() == "good"
    assert shown.select("small")[1].get_text() == "✓ passed on 25 November 2026, lab deprecated"
    chinese = row(told, "zh")
    assert chinese[1].get_text() == "它是 so。"
    assert chinese[2].get_text() == "✗ 不成立"
    assert chinese[4].select("small")[1].get_text() == "✓ 2026 年 11 月 25 日通过，实验环境 deprecated"


def test_links_to_cells_hold_wherever_the_page_is(tmp_path: Path) -> None:
    told = load(tmp_path)
    assert row(told, "en", page="a/b.md")[4].select("a")[0]["href"] == "../labs/01-a.ipynb#cell-good"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_end_of_a_cell_is_said_in_words(tmp_path: Path, lang: str) -> None:
    shown = row(load(tmp_path, s1=claim(cells=list(LAST))), lang)[4]
    said = [small.get_text().lstrip("✓✗– ") for small in shown.select("small")[1::2]]
    assert len(set(said)) == len(LAST) == len(OUTCOMES) + 1
    assert all(said)


def test_verdicts_differ_without_their_colour() -> None:
    assert len({shape for shape, _, _ in claims.VERDICTS.values()}) == len(claims.VERDICTS)
    for lang in ("en", "zh"):
        assert len({words[lang] for _, _, words in claims.VERDICTS.values()}) == len(claims.VERDICTS)


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "3 claims: ✓ holds 1   ✗ wrong 2"), ("zh", "共 3 条：✓ 成立 1   ✗ 不成立 2")]
)
def test_the_sum_counts_each_verdict_that_there_is(tmp_path: Path, lang: str, said: str) -> None:
    told = load(tmp_path, s1=claim(), s2=claim(verdict="holds"), s10=claim())
    assert filled(claims.SUM_MARK, told, lang).get_text().replace("\u2002", " ") == said


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"cells": None}, "lacks `cells`; it has cells, claim, holds, source, verdict"),
        ({"cells": []}, "a claim that no cell shows is none"),
        ({"cells": "01-a.ipynb#x"}, "`cells` is a list of at least one"),
        ({"cells": ["01-a.ipynb"]}, "`cells.0` is written NN-name.ipynb#cell-id, not '01-a.ipynb'"),
        ({"cells": ["notebooks/01-a.ipynb#x"]}, "not 'notebooks/01-a.ipynb#x'"),
        ({"verdict": "true"}, "unknown verdict 'true'; there are holds, held-then, depends, wrong, slip"),
        ({"verdict": ["holds"]}, "unknown verdict ['holds']"),
        ({"claim": {"en": "x"}}, "`claim` is a text, or a mapping with exactly en and zh"),
        ({"claim": "x"}, "`claim` is a mapping with exactly en and zh"),
        ({"holds": {"en": "a\nb", "zh": "c"}}, "`holds` is one line"),
        ({"source": [{"title": "x", "url": "http://x"}]}, "begins with https"),
        ({"more": 1}, "unknown key 'more'; there are cells, claim"),
    ],
)
def test_what_is_refused(tmp_path: Path, more: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=r"^tables/claims\.yaml:\d+: s1: ") as caught:
        load(tmp_path, s1=claim(**more))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("name", ["1", "s0", "s01", "t1", "s1a"])
def test_an_id_is_s_and_a_number(tmp_path: Path, name: str) -> None:
    with pytest.raises(FactError, match=f"{name}: a claim's id is s and a number"):
        load(tmp_path, **{name: claim()})


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (["01-a.ipynb#good"], None),
        (["01-a.ipynb#good", "01-a.ipynb#bad"], "01-a.ipynb#bad, which shows it, failed on 2026-11-25"),
        (["01-a.ipynb#gone"], "01-a.ipynb#gone, which shows it, is not there"),
        (["01-a.ipynb#good", "02-b.ipynb#good"], "02-b.ipynb#good, which shows it, is not there"),
        (["01-a.ipynb#bad"], "01-a.ipynb#bad, which shows it, failed on 2026-11-25 on lab deprecated"),
        (["01-a.ipynb#left-out"], "01-a.ipynb#left-out, which shows it, skipped on 2026-11-25"),
        (["01-a.ipynb#changed"], "01-a.ipynb#changed, which shows it, has not run as it stands now"),
    ],
)
def test_every_cell_of_a_claim_passed(tmp_path: Path, cells: list[str], complaint: str | None) -> None:
    found = list(load(tmp_path, s1=claim(cells=cells)).problems(tables.known(proofs=PROOFS)))
    if complaint is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith("s1: ")
        assert complaint in found[0]
