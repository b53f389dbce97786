"""The table of the CRI's versions: what it accepts, what it refuses, and what a page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from bs4 import BeautifulSoup
from tests.support import tables

from shimfacts.schema import FactError
from shimsite.tables import cri_versions

SOURCE = [{"title": "Its code", "url": "https://example.org/x"}]
SPEAKS = {"v1alpha1": False, "v1alpha2": "fallback", "v1": "first"}


def row(**more: Any) -> dict[str, Any]:
    """A row as the file has it; arguments replace parts of it, None takes one away."""
    made = {"component": "kubelet", "releases": "1.23–1.25", "speaks": SPEAKS, "source": SOURCE, **more}
    return {key: value for key, value in made.items() if value is not None}


def load(folder: Path, **rows: Any) -> cri_versions.CriVersions:
    path = folder / cri_versions.CriVersions.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(rows or {"k": row()}, allow_unicode=True, sort_keys=False), "utf-8")
    return cri_versions.CriVersions.load(folder)


def shown(speakers: cri_versions.CriVersions, lang: str) -> BeautifulSoup:
    made = speakers.fill(cri_versions.MARK, tables.place(lang))
    return BeautifulSoup(markdown.markdown(made, extensions=["md_in_html"]), "html.parser")


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    empty = cri_versions.CriVersions.load(tmp_path)
    assert empty.fill(cri_versions.MARK, tables.place("en")) == cri_versions.MARK


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            [
                "kubelet A note.",
                "1.23–1.25",
                "– no",
                "✓ if the first is not there",
                "✓ tried first",
                "Its code",
            ],
        ),
        ("zh", ["kubelet 说明。", "1.23–1.25", "– 不支持", "✓ 没有前者才用", "✓ 优先尝试", "Its code"]),
    ],
)
def test_a_row_in_both_languages(tmp_path: Path, lang: str, said: list[str]) -> None:
    page = shown(load(tmp_path, k=row(note={"en": "A note.", "zh": "说明。"})), lang)
    cells = page.select("tr#k > td")
    assert [" ".join(cell.stripped_strings) for cell in cells] == said
    # Words that say more than the shape are seen; those that only name it are for screen readers.
    assert len(cells[3].select("small")) == len(cells[2].select(".unseen")) == 1


def test_what_is_not_verified_says_so(tmp_path: Path) -> None:
    assert "未经核实" in shown(load(tmp_path, k=row(verified=False)), "zh").get_text()
    assert "未经核实" not in shown(load(tmp_path), "zh").get_text()


def test_its_notes_are_texts_like_those_of_pages(tmp_path: Path) -> None:
    note = {"en": "A note.", "zh": "说明。"}
    assert list(load(tmp_path, k=row(note=note), other=row()).texts()) == [("k: note", note)]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"source": None}, "lacks `source`; it has component, note, releases, source, speaks, verified"),
        ({"source": []}, "`source` is a list of at least one"),
        ({"more": 1}, "unknown key 'more'"),
        ({"releases": 1.2}, "`releases` is text in quotes"),
        ({"releases": "1.25-"}, "'1.25-' is no range of releases"),
        ({"speaks": {"v1": True}}, "`speaks` has exactly v1alpha1, v1alpha2, v1, in this order"),
        ({"speaks": {**SPEAKS, "v1": "often"}}, "true, false, first or fallback, not 'often'"),
        ({"speaks": {**SPEAKS, "v1": 1}}, "not 1"),
        ({"speaks": dict.fromkeys(SPEAKS, False)}, "`speaks` has no version at all"),
        ({"verified": "no"}, "`verified` is true or false"),
        ({"note": "x"}, "`note` is a mapping with exactly en and zh"),
        ({"component": {"en": "x"}}, "`component` is a text, or a mapping"),
    ],
)
def test_what_is_refused(tmp_path: Path, more: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=r"^tables/cri-versions\.yaml:\d+: k: ") as caught:
        load(tmp_path, k=row(**more))
    assert complaint in str(caught.value)
