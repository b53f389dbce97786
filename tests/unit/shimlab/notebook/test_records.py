"""Records that notebooks keep: written when they are recorded, compared at every other time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shimlab import paths
from shimlab.errors import LabError
from shimlab.evidence import Module
from shimlab.notebook import records


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    monkeypatch.delenv(records.WRITE, raising=False)
    return tmp_path


def test_it_is_written_when_notebooks_are_recorded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(records.WRITE, "1")
    seen = {"modules": [Module("a", "v1")], "word": "垫片"}
    assert records.keep("x", seen) == "as kept in notebooks/records/x.json"
    kept = (repository / "notebooks/records/x.json").read_text("utf-8")
    assert json.loads(kept) == {"modules": [{"path": "a", "version": "v1"}], "word": "垫片"}
    assert "垫片" in kept
    assert [path.name for path in records.folder().iterdir()] == ["x.json"]
    monkeypatch.delenv(records.WRITE)
    records.keep("x", seen)
    with pytest.raises(
        LabError, match=r'x.json holds something else at modules\[0\].version: "v1", and "v2"'
    ):
        records.keep("x", {**seen, "modules": [Module("a", "v2")]})
    assert (repository / "notebooks/records/x.json").read_text("utf-8") == kept


def test_what_was_never_kept_is_no_success() -> None:
    with pytest.raises(LabError, match="cannot be read"):
        records.keep("x", {})


@pytest.mark.parametrize(
    ("kept", "seen", "said"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "at a[1].b: 2, and 3 is seen"),
        ({"a": 1}, {}, "at a: it is kept, and not"),
        ({}, {"a": 1}, "at a: it is not kept, and seen"),
        ([1], [1, 2], "at the top: [1], and [1, 2] is seen"),
        (1, True, "at the top: 1, and true is seen"),
        ("a" * 99, "b", f'at the top: "{"a" * 78}…, and "b" is seen'),
    ],
)
def test_the_first_difference(kept: Any, seen: Any, said: str) -> None:
    assert records.first_difference(kept, seen) == said
