"""The catalogue of faults as a page shows it: its table in both languages, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup
from tests.support import tables

from shimfacts import ledger
from shimfacts.ledger import Result
from shimfacts.proofs import Proofs
from shimfacts.schema import FactError
from shimsite.tables import faults

TOLD = {"title": "the x is gone", "does": "Takes `x`.", "shows": "No x.", "undone": "x is back."}
TOLD_ZH = {"title": "x 不见了", "does": "拿走 `x`。", "shows": "没有 x。", "undone": "放回 x。"}
DOCKERSHIM, CONTAINERD = (f"{faults.TEST}[x-gone-{runtime}]" for runtime in ("dockershim", "containerd"))


def load(folder: Path, **fault: Any) -> faults.Faults:
    (folder / "tables").mkdir()
    data = {"x-gone": {"nodes": ["dockershim", "containerd"], "en": TOLD, "zh": TOLD_ZH, **fault}}
    (folder / faults.Faults.path).write_text(
        yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8"
    )
    return faults.Faults.load(folder)


def row(found: faults.Faults, lang: str, proofs: Proofs | None = None) -> list[str]:
    made = found.fill(faults.MARK, tables.place(lang, proofs=proofs))
    page = BeautifulSoup(markdown.markdown(made, extensions=["md_in_html"]), "html.parser")
    assert page.select("[data-filter]")
    return [cell.get_text("\n", strip=True) for cell in page.select("tr#fault-x-gone > td")]


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert faults.Faults.load(tmp_path).fill(faults.MARK, tables.place("en")) == faults.MARK


def test_a_row_in_both_languages(tmp_path: Path) -> None:
    found = load(tmp_path)
    name, does, shows, undone = row(found, "en", tables.passed(DOCKERSHIM, CONTAINERD))
    assert name.split("\n") == ["x-gone", "the x is gone", "on dockershim and containerd"]
    assert (does, shows) == ("Takes\nx\n.", "No x.")
    assert undone.split("\n") == ["x is back.", "broken and repaired on 25 November 2026"]
    chinese = row(found, "zh", tables.passed(DOCKERSHIM, CONTAINERD))
    assert "用于 dockershim、containerd" in chinese[0]
    assert "2026 年 11 月 25 日注入并恢复通过" in chinese[3]


def test_the_day_is_that_of_the_runtime_that_was_broken_longest_ago(tmp_path: Path) -> None:
    older = Result(ledger.PASSED, "2026-10-01", "deprecated")
    proofs = tables.Told({DOCKERSHIM: Result(ledger.PASSED, "2026-11-25", "deprecated"), CONTAINERD: older})
    assert "broken and repaired on 1 October 2026" in row(load(tmp_path), "en", proofs)[3]


@pytest.mark.parametrize("result", [None, Result(ledger.FAILED, "2026-11-25", "deprecated")])
def test_one_runtime_on_which_it_was_not_repaired_is_enough(tmp_path: Path, result: Result | None) -> None:
    proofs = tables.Told({DOCKERSHIM: Result(ledger.PASSED, "2026-11-25", "x"), CONTAINERD: result})
    assert "not yet broken and repaired as it stands" in row(load(tmp_path), "en", proofs)[3]


def test_the_control_plane_has_a_name_in_each_language(tmp_path: Path) -> None:
    found = load(tmp_path, nodes=["control-plane"])
    assert "on the control plane" in row(found, "en")[0]
    assert "用于控制平面" in row(found, "zh")[0]


def test_its_texts_are_given_to_the_checks_of_prose(tmp_path: Path) -> None:
    texts = dict(load(tmp_path).texts())
    assert list(texts) == [f"x-gone: {text}" for text in ("title", "does", "shows", "undone")]
    assert texts["x-gone: does"] == {"en": "Takes `x`.", "zh": "拿走 `x`。"}


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"nodes": "dockershim"}, "x-gone: `nodes` is a list of the runtimes"),
        ({"nodes": []}, "x-gone: `nodes` is a list of the runtimes"),
        ({"more": 1}, "x-gone: unknown key 'more'; there are en, nodes, zh"),
        ({"zh": {**TOLD_ZH, "shows": ""}}, "x-gone: `zh.shows` is empty"),
        ({"zh": {"title": "x"}}, "x-gone: lacks `zh.does`; it has does, shows, title, undone"),
        ({"en": {**TOLD, "does": "a\nb"}}, "x-gone: `en.does` is one line"),
    ],
)
def test_what_is_refused(tmp_path: Path, fault: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError) as caught:
        load(tmp_path, **fault)
    assert complaint in str(caught.value)
