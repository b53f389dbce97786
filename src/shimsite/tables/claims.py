"""The table of claims: what is said about dockershim, whether it holds, and the cells that show it on the lab.

`facts/tables/claims.yaml` holds them for both languages. A claim that no cell shows, or whose cells did not pass when
they last ran (src/shimfacts/ledger.py), is one that nobody can check: it fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimfacts import ledger, model
from shimfacts.ledger import Result
from shimfacts.model import FactError, Source
from shimsite.notebooks import split
from shimsite.tables import writer

PATH = "tables/claims.yaml"
TABLE_MARK, SUM_MARK = "<!-- claims-table -->", "<!-- claims-sum -->"
#: A shape for the eye, the class of its colour, and the word, which is enough without either.
VERDICTS = {
    "holds": ("✓", "is-good", {"en": "holds", "zh": "成立"}),
    "held-then": ("◔", "is-gone", {"en": "held then", "zh": "当时成立"}),
    "depends": ("◐", "is-ending", {"en": "depends", "zh": "视情况而定"}),
    "wrong": ("✗", "is-bad", {"en": "wrong", "zh": "不成立"}),
    "slip": ("✎", "is-bad", {"en": "a slip of the pen", "zh": "笔误"}),
}
_OUTCOMES = {
    ledger.PASSED: ("✓", "is-good"),
    ledger.FAILED: ("✗", "is-bad"),
    ledger.SKIPPED: ("–", "is-ending"),
}
HEAD = {
    "en": ("No.", "What is said", "Verdict", "What holds", "Shown by"),
    "zh": ("编号", "说法", "判断", "实际情况", "由哪里演示"),
}
WORDS = {
    "en": {
        ledger.PASSED: "passed on {date}, lab `{lab}`",
        ledger.FAILED: "failed on {date}, lab `{lab}`",
        ledger.SKIPPED: "not run on {date}, lab `{lab}`",
        "none": "no result: it changed since it last ran",
        "sum": "{count} claims: ",
    },
    "zh": {
        ledger.PASSED: "{date}通过，实验环境 `{lab}`",
        ledger.FAILED: "{date}失败，实验环境 `{lab}`",
        ledger.SKIPPED: "{date}没有运行，实验环境 `{lab}`",
        "none": "没有结果：上次运行之后有改动",
        "sum": "共 {count} 条：",
    },
}
_KEYS = {"claim", "verdict", "holds", "cells"}
_ID = re.compile(r"s[1-9]\d*")
_CELL = re.compile(r"[\w.-]+\.ipynb#[A-Za-z0-9-]+")

#: The last result of every cell that there is, as results.last() tells it.
Last = Mapping[str, Result | None]


@dataclass(frozen=True)
class Claim:
    """Something that is said, the verdict on it, what holds instead, and the cells that show it."""

    id: str
    claim: Mapping[str, str]
    verdict: str
    holds: Mapping[str, str]
    cells: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def number(self) -> str:
        """Its number among the claims."""
        return self.id.removeprefix("s")


def load(folder: Path) -> tuple[Claim, ...]:
    """Read the claims below the folder of facts; none where a repository has none.

    Raises:
        FactError: a claim breaks the schema; says which one.
    """
    if not (folder / PATH).is_file():
        return ()
    data = model.read(folder, PATH)
    if not isinstance(data, dict):
        raise FactError(PATH, "", "is not a mapping of s1, s2 … to claims")
    return tuple(_claim(PATH, str(name), raw) for name, raw in data.items())


def texts(claims: tuple[Claim, ...]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over what is written for readers: where it stands, and the text in each language."""
    for claim in claims:
        yield f"{PATH}: {claim.id}: claim", claim.claim
        yield f"{PATH}: {claim.id}: holds", claim.holds


def problems(claims: tuple[Claim, ...], last: Last) -> Iterator[str]:
    """Tell which cells of claims do not exist, and which did not pass when they last ran."""
    for claim in claims:
        where = f"facts/{PATH}: {claim.id}"
        if missing := [cell for cell in claim.cells if cell not in last]:
            yield f"{where}: there is no code cell {', '.join(missing)} in notebooks/"
        for cell in claim.cells:
            result = last.get(cell)
            if cell in last and (result is None or result.outcome != ledger.PASSED):
                yield f"{where}: {cell}, which shows it, {_outcome(result)}; validate or record again"


def _outcome(result: Result | None) -> str:
    return f"{result.outcome} on {result.date} on lab {result.lab}" if result else "changed since it last ran"


def fill(
    markdown: str, claims: tuple[Claim, ...], last: Last, lang: str, page: str, title_of: Callable[[str], str]
) -> str:
    """Put the table and the sum where the marks of a page stand; `title_of` a notebook gives its title."""
    if not claims:
        return markdown
    if TABLE_MARK in markdown:
        markdown = markdown.replace(TABLE_MARK, table(claims, last, lang, page, title_of))
    return markdown.replace(SUM_MARK, total(claims, lang))


def table(claims: tuple[Claim, ...], last: Last, lang: str, page: str, title_of: Callable[[str], str]) -> str:
    """Write the table as Markdown, each row with the claim's anchor."""

    def shown_by(cell: str) -> str:
        name, _, cell_id = cell.partition("#")
        link = f"[{title_of(name)}]({split.link_to(cell, page)}) <small><code>{cell_id}</code></small>"
        return f"{link}<br>{_last(last.get(cell), lang)}"

    rows = []
    for claim in claims:
        holds = writer.lines_of(claim.holds[lang], writer.small(writer.sources(claim.sources, lang)))
        shown = "<br>".join(shown_by(cell) for cell in claim.cells)
        number = f"[{claim.number}](#claim-{claim.id})"
        rows.append(
            writer.Row(
                f"claim-{claim.id}", (number, claim.claim[lang], _verdict(claim.verdict, lang), holds, shown)
            )
        )
    return writer.table("claims", HEAD[lang], rows, lang)


def total(claims: tuple[Claim, ...], lang: str) -> str:
    """Say how many claims there are, and of each verdict how many."""
    counts = {verdict: sum(claim.verdict == verdict for claim in claims) for verdict in VERDICTS}
    said = [f"{_verdict(verdict, lang)} {count}" for verdict, count in counts.items() if count]
    return WORDS[lang]["sum"].format(count=len(claims)) + " &ensp; ".join(said)


def _verdict(verdict: str, lang: str) -> str:
    shape, look, words = VERDICTS[verdict]
    return f'<span class="verdict {look}"><span aria-hidden="true">{shape}</span> {words[lang]}</span>'


def _last(result: Result | None, lang: str) -> str:
    """Say how a cell ended when it last ran."""
    if result is None:
        return f'<small class="is-ending">{WORDS[lang]["none"]}</small>'
    shape, look = _OUTCOMES[result.outcome]
    said = WORDS[lang][result.outcome].format(date=model.spell_date(result.date, lang), lab=result.lab)
    return f'<small class="{look}"><span aria-hidden="true">{shape}</span> {said}</small>'


def _claim(file: str, name: str, raw: Any) -> Claim:  # noqa: ANN401 - whatever the YAML holds
    """Check one entry and make a claim of it."""

    def wrong(what: str) -> FactError:
        return FactError(file, name, what)

    if not _ID.fullmatch(name):
        raise wrong("a claim's id is s and a number: s1")
    if not isinstance(raw, dict) or not _KEYS <= set(raw) <= _KEYS | {"source"}:
        raise wrong(f"has exactly {', '.join(sorted(_KEYS))}, and may have source")
    if not isinstance(raw["verdict"], str) or raw["verdict"] not in VERDICTS:
        raise wrong(f"unknown verdict {raw['verdict']!r}; there are {', '.join(VERDICTS)}")
    cells = raw["cells"]
    if not isinstance(cells, list) or not cells:
        raise wrong(
            "`cells` is a list of at least one NN-name.ipynb#cell-id: a claim that no cell shows is none"
        )
    if odd := [cell for cell in cells if not isinstance(cell, str) or not _CELL.fullmatch(cell)]:
        raise wrong(f"a cell is written NN-name.ipynb#cell-id, not {odd[0]!r}")
    return Claim(
        id=name,
        claim=model.lines(raw["claim"], wrong, "claim"),
        verdict=raw["verdict"],
        holds=model.lines(raw["holds"], wrong, "holds"),
        cells=tuple(cells),
        sources=model.sources(raw["source"], wrong) if raw.get("source") else (),
    )
