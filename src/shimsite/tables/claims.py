"""The table of claims: what is said about dockershim, whether it holds, and the cells that show it on the lab.

`facts/tables/claims.yaml` holds them for both languages. A claim that no cell shows, or whose cells did not pass when
they last ran (src/shimfacts/proofs.py), is one that nobody can check: it fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from shimfacts import ledger, model
from shimfacts.ledger import Result
from shimfacts.schema import Lines, Model, Source
from shimsite.notebooks import split
from shimsite.tables import writer
from shimsite.tables.table import Known, Place, Rows

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
_ID = r"s[1-9]\d*"
_CELL = r"[\w.-]+\.ipynb#[A-Za-z0-9-]+"


def _cell(raw: object) -> object:
    if not isinstance(raw, str) or not re.fullmatch(_CELL, raw):
        raise ValueError(f"is written NN-name.ipynb#cell-id, not {raw!r}")
    return raw


Cell = Annotated[str, BeforeValidator(_cell), WithJsonSchema({"type": "string", "pattern": f"^{_CELL}$"})]


class Claim(Model):
    """Something that is said, the verdict on it, what holds instead, and the cells that show it."""

    id: SkipJsonSchema[str] = ""
    claim: Lines
    verdict: Literal["holds", "held-then", "depends", "wrong", "slip"]
    holds: Lines
    cells: tuple[Cell, ...] = Field(
        min_length=1,
        description="a list of at least one NN-name.ipynb#cell-id: a claim that no cell shows is none",
    )
    sources: tuple[Source, ...] = Field((), alias="source", description="a list of {title, url}")

    @property
    def number(self) -> str:
        """Its number among the claims."""
        return self.id.removeprefix("s")


class Claims(Rows[Claim]):
    """The claims."""

    path = "tables/claims.yaml"
    marks = (TABLE_MARK, SUM_MARK)
    schema = dict[Annotated[str, StringConstraints(pattern=f"^{_ID}$")], Claim]
    row = Claim
    what = "s1, s2 … to claims"

    @classmethod
    def wrong_id(cls, name: str) -> str:
        """See that an id is s and a number."""
        return "" if re.fullmatch(_ID, name) else "a claim's id is s and a number: s1"

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what is said, and what holds."""
        for claim in self.rows:
            yield f"{claim.id}: claim", claim.claim
            yield f"{claim.id}: holds", claim.holds

    def shown_proofs(self) -> Iterator[str]:
        """List the cells; that they passed is more than a check of the documentation: `problems` stops the build."""
        yield from (f"notebooks/{cell}" for claim in self.rows for cell in claim.cells)

    def problems(self, known: Known) -> Iterator[str]:
        """Tell which cells of claims do not exist, and which did not pass when they last ran."""
        for claim in self.rows:
            for cell in claim.cells:
                if what := known.proofs.problem(f"notebooks/{cell}"):
                    yield f"{claim.id}: {cell}, which shows it, {what}"

    def render(self, mark: str, place: Place) -> str:
        """Write the table, each row with the claim's anchor, or the sum."""
        lang = place.lang
        if mark == SUM_MARK:
            return total(self.rows, lang)

        def shown_by(cell: str) -> str:
            name, _, cell_id = cell.partition("#")
            link = (
                f"[{place.title_of(name)}]({split.link_to(cell, place.page)}) "
                f"<small><code>{cell_id}</code></small>"
            )
            return f"{link}<br>{_last(place.known.proofs.last(f'notebooks/{cell}'), lang)}"

        rows = []
        for claim in self.rows:
            holds = writer.lines_of(claim.holds[lang], writer.small(writer.sources(claim.sources, lang)))
            shown = "<br>".join(shown_by(cell) for cell in claim.cells)
            number = f"[{claim.number}](#claim-{claim.id})"
            verdict = _verdict(claim.verdict, lang)
            rows.append(writer.Row(f"claim-{claim.id}", (number, claim.claim[lang], verdict, holds, shown)))
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
