"""What must hold between facts: each date and each release that is named is held to others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from shimfacts import model, relations
from shimfacts.model import Fact
from shimfacts.schema import FactError
from shimlab.paths import repository

ROOT = repository()
FACTS = model.load(ROOT / "facts")
DECLARED = relations.load(ROOT / "facts")


def changed(name: str, **fields: object) -> Mapping[str, Fact]:
    return {**FACTS, name: FACTS[name].model_copy(update=fields)}


def found(facts: Mapping[str, Fact]) -> list[str]:
    return list(relations.problems(ROOT, facts))


def others(value: str, *, near: bool = False) -> list[str]:
    """Values that somebody might have mistyped for this one: years and releases beside it, and far away."""
    if re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", value):
        year, rest = int(value[:4]), value[4:]
        return [f"{other}{rest}" for other in (year - 10, year + 10)]
    *front, last = value.split(".")
    beside = [".".join([*front, str(int(last) + by)]) for by in (-1, 1) if int(last) + by >= 0]
    return beside if near else [*beside, f"0.{last}", f"{int(front[0]) + 30}.{last}"]


def test_what_is_declared_holds() -> None:
    assert found(FACTS) == []


@pytest.mark.parametrize("name", sorted(relations.named(DECLARED)))
def test_a_date_or_a_release_that_is_changed_alone_is_found(name: str) -> None:
    values = others(FACTS[name].values["en"])
    reds = [value for value in values if found(changed(name, values=dict.fromkeys(model.LANGUAGES, value)))]
    assert reds, f"{name} can be any of {values}: no relation holds it"


#: Releases whose neighbours are held as well: each has one just before or after it, or a file of the lab.
EXACT = sorted(
    {*DECLARED.follows, *DECLARED.follows.values(), *DECLARED.series.values(), *DECLARED.files}
    | {*DECLARED.begins, *DECLARED.ends, *DECLARED.ends_before, *DECLARED.deprecates}
)


@pytest.mark.parametrize("name", EXACT)
def test_a_release_is_held_to_the_one(name: str) -> None:
    for value in others(FACTS[name].values["en"], near=True):
        assert found(changed(name, values=dict.fromkeys(model.LANGUAGES, value))), value


@pytest.mark.parametrize("name", sorted(relations.ranged(DECLARED)))
def test_a_range_that_is_changed_alone_is_found(name: str) -> None:
    fact, reds = FACTS[name], []
    ends = (fact.versions or "").split("–")
    for number, end in enumerate(ends):
        # Outwards, so that the range stays one.
        other = others(end, near=True)[number == len(ends) - 1] if end else ""
        reds += found(changed(name, versions="–".join([*ends[:number], other, *ends[number + 1 :]])))
    if fact.deprecated:
        reds += found(changed(name, deprecated=others(fact.deprecated, near=True)[1]))
    assert reds


def test_the_removal_is_in_the_release_after_the_last_with_dockershim() -> None:
    what = found(changed("k8s-removed", values={"en": "1.23", "zh": "1.23"}))
    assert "k8s-removed (1.23) is not the release after k8s-last-with-dockershim (1.23)" in " ".join(what)
    assert any("flag-network-plugin holds for –1.23, which does not end just before" in each for each in what)


def test_a_fact_that_is_named_and_gone_is_told() -> None:
    without = {name: fact for name, fact in FACTS.items() if name != "k8s-lab"}
    assert found(without) == ["facts/relations.yaml: there is no fact k8s-lab"]


def test_the_labs_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "relations.yaml").write_text("files: {k8s-lab: ['a/release: K={}']}\n", "utf-8")
    assert list(relations.problems(tmp_path, FACTS)) == [
        "facts/relations.yaml: k8s-lab: there is no a/release"
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "release").write_text("K=1.20\n", "utf-8")
    assert "does not say 'K=1.20.15'" in next(relations.problems(tmp_path, FACTS))
    (tmp_path / "a" / "release").write_text("K=1.20.15\n", "utf-8")
    assert list(relations.problems(tmp_path, FACTS)) == []


def test_what_is_no_relation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "relations.yaml").write_text("order: []\nfollow: {a: b}\n", "utf-8")
    with pytest.raises(FactError, match=r"^relations\.yaml:2: unknown key 'follow'; there are begins, "):
        relations.load(tmp_path)
