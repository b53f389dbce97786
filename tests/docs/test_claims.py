"""Claims on a page: in both languages with links to their cells, and a build that stops where no cell bears one out."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from tests.support import project

from shimfacts import ledger, proofs
from shimsite.checks import built as sitecheck
from shimsite.checks import facts, parity

PAGE = """---
title: Said
---

# Said { #said }

<!-- claims-sum -->

<!-- claims-table -->

See [the first](#claim-s1).
"""
CLAIMS = """
s1:
  claim:
    en: It prints 2.
    zh: 它打印 2。
  verdict: wrong
  holds:
    en: It prints 1, since {{ fact("release") }}, with `{{ fact("the-flag", "bare") }}`.
    zh: 自 {{ fact("release") }} 起打印 1，用 `{{ fact("the-flag", "bare") }}`。
  cells: [01-a.ipynb#prints]
s2:
  claim:
    en: It ends.
    zh: 它会结束。
  verdict: holds
  holds:
    en: It does.
    zh: 是的。
  cells: [01-a.ipynb#prints, 01-a.ipynb#ends]
  source: [{title: "Its makers", url: "https://example.org/x"}]
"""


def make(folder: Path, claims: str = CLAIMS, page: str = PAGE) -> Path:
    notebook = project.notebook(
        project.prose("en", "# A `lab`"),
        project.prose("zh", "# 一个 `lab`"),
        project.code("print(1)", project.printed("1\n"), name="prints"),
        project.code("pass", name="ends"),
    )
    pages = {f"docs/{lang}/deep/said.md": page for lang in ("en", "zh")}
    pages |= {f"docs/{lang}/index.md": "# Home { #home }\n\nHome." for lang in ("en", "zh")}
    return project.make(folder, pages, {"01-a.ipynb": notebook}, tables={"claims.yaml": claims})


def problems(folder: Path) -> list[str]:
    return list(facts.all_problems(folder))


def test_nothing_is_wrong_with_the_claims_there_are(root: Path) -> None:
    assert [problem for problem in problems(root) if "claims.yaml" in problem] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("claims"))
    assert problems(folder) == []
    for lang in ("en", "zh"):
        done = project.build_strictly(folder, lang)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.mark.parametrize(
    ("lang", "title", "said"),
    [("en", "A lab", "passed on 25 November 2026"), ("zh", "一个 lab", "2026 年 11 月 25 日通过")],
)
def test_each_claim_leads_to_its_cells(built: Path, lang: str, title: str, said: str) -> None:
    html = (built / lang / "deep" / "said" / "index.html").read_text("utf-8")
    page = BeautifulSoup(html, "html.parser")
    assert [row["id"] for row in page.select("article tbody tr")] == ["claim-s1", "claim-s2"]
    links = page.select("tr#claim-s2 td:last-child a")
    assert [link["href"] for link in links] == ["../../labs/01-a/#cell-prints", "../../labs/01-a/#cell-ends"]
    assert {link.get_text() for link in links} == {title}
    assert page.select("tr#claim-s2 td:last-child")[0].get_text().count(said) == 2
    assert [link["href"] for link in page.select("tr#claim-s1 a.fact")] == ["https://example.org/release"]
    assert sitecheck.Site(built).problems() == []


def test_a_build_stops_where_a_claim_has_no_cell(tmp_path: Path) -> None:
    for name, cells, complaint in (
        ("none", "[]", "claims.yaml:10: s1: `cells` is a list of at least one"),
        (
            "gone",
            "[01-a.ipynb#gone]",
            "claims.yaml: s1: 01-a.ipynb#gone, which shows it, has no code cell of that id",
        ),
    ):
        folder = make(tmp_path / name, CLAIMS.replace("[01-a.ipynb#prints]", cells))
        done = project.build_strictly(folder)
        assert done.returncode != 0
        assert complaint in done.stdout + done.stderr
        assert any(complaint in problem for problem in problems(folder))


def test_a_build_stops_where_the_last_result_is_no_pass(tmp_path: Path) -> None:
    folder = make(tmp_path)
    cells = proofs.of_cells(folder / "notebooks" / "01-a.ipynb")
    failed = ledger.Entry(ledger.FAILED, "2026-11-26", "deprecated", cells["prints"])
    ledger.merge(folder / ledger.SEEN, {"notebooks/01-a.ipynb#prints": failed})
    complaint = (
        "s1: 01-a.ipynb#prints, which shows it, failed on 2026-11-26 on lab deprecated; validate or record"
    )
    # The second claim has another cell, which passed; one that did not is enough.
    found = [problem for problem in problems(folder) if "which shows it" in problem]
    assert [problem.split(": ")[1] for problem in found] == ["s1", "s2"]
    assert complaint in found[0]
    done = project.build_strictly(folder)
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr


def test_a_build_stops_where_the_results_cannot_be_read(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder / ledger.KEPT).write_text("{", "utf-8")
    done = project.build_strictly(folder)
    assert done.returncode != 0
    assert "facts/outcomes.json is not JSON" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "It prints 2.",
            "It prints on 2020-12-08.",
            "s1: claim in en:1: '8 December 2020' is a copy of the fact release",
        ),
        ('{{ fact("release") }} 起', "2020 年起", "s1: holds: line 9: lacks the fact release"),
        ("它会结束", "它会end", "s2: claim: line 14: a space belongs between Han and Latin in '会e'"),
        (
            "It does.",
            "It [does](said.md).",
            "s2: holds: line 18: lacks the link to said.md of English line 17",
        ),
        ('`{{ fact("the-flag", "bare") }}`', "it", "the-flag: no page and no notebook uses it"),
    ],
)
def test_claims_are_checked_as_pages_are(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in CLAIMS
    folder = make(tmp_path, CLAIMS.replace(old, new))
    found = [*problems(folder), *parity.all_problems(folder)]
    assert any(complaint in problem for problem in found), found


def test_an_unknown_fact_and_a_dead_link_in_a_claim_stop_the_build(tmp_path: Path) -> None:
    claims = CLAIMS.replace("It does.", 'It does, {{ fact("nobody") }} [x](gone.md).')
    done = project.build_strictly(make(tmp_path, claims))
    assert done.returncode != 0
    assert "there is no fact 'nobody'" in done.stdout + done.stderr
    assert "'gone.md'" in done.stdout + done.stderr
