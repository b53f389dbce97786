"""The files that prose names are there."""

from __future__ import annotations

from pathlib import Path

from shimsite.checks import paths


def test_every_file_that_prose_names_is_there(root: Path) -> None:
    assert list(paths.problems(root)) == []


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "docs" / "en").mkdir(parents=True)
    (tmp_path / "docs" / "en" / "a.md").write_text(
        "See `tests/a.py` and `docs/en/a.md`,\nor `src/NAME.py`.\n"
    )
    (tmp_path / "README.md").write_text("`lab/node` is\n")
    assert list(paths.problems(tmp_path)) == [
        "README.md:1: names lab/node, which is not there",
        "docs/en/a.md:1: names tests/a.py, which is not there",
    ]
