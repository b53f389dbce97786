"""What leads readers from their words to our pages: what the file accepts, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import tables

from shimfacts.schema import FactError
from shimsite.tables.search import Search


def load(folder: Path, **leads: Any) -> Search:
    path = folder / Search.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(leads, allow_unicode=True, sort_keys=False), "utf-8")
    return Search.load(folder)


def test_leads_keep_their_order_and_say_what_they_offer(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        b={"say": {"en": ["x"]}, "see": ["a.md"], "nothing": {"en": "There.", "zh": "那里。"}},
        a={"say": {"zh": ["甲"]}, "means": {"zh": ["乙"]}},
    )
    assert [each.id for each in found.rows] == ["b", "a"]
    assert dict(found.texts()) == {"b: nothing": {"en": "There.", "zh": "那里。"}}


def test_no_page_shows_them(tmp_path: Path) -> None:
    assert (
        load(tmp_path, a={"say": {"en": ["x"]}, "see": ["a.md"]}).fill("Text.", tables.place("en")) == "Text."
    )


@pytest.mark.parametrize(
    ("lead", "complaint"),
    [
        ({"see": ["a.md"]}, "say"),
        ({"say": {"en": []}, "see": ["a.md"]}, "say"),
        ({"say": {"de": ["x"]}, "see": ["a.md"]}, "phrases in de"),
        ({"say": {"en": ["x"]}}, "leads nowhere"),
        ({"say": {"en": ["x"]}, "means": {"en": ["y"]}, "nothing": {"en": "a", "zh": "b"}}, "leads nowhere"),
        ({"say": {"en": ["x"]}, "see": ["a.html"]}, "see"),
        ({"say": {"en": ["x"]}, "see": ["a.md"], "nothing": {"en": "a"}}, "nothing"),
        ({"say": {"en": ["x"]}, "see": ["a.md"], "sees": []}, "sees"),
    ],
)
def test_a_lead_that_leads_nowhere_is_refused(tmp_path: Path, lead: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=complaint):
        load(tmp_path, a=lead)
