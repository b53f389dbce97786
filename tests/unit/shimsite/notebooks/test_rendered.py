"""What mkdocs-jupyter keeps of notebooks is used again only where it would make the same."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from shimsite.notebooks import rendered


def kept(root: Path, lang: str = "en", name: str = "a") -> Path:
    settings: dict[str, Any] = {"cache_dir": "elsewhere"}
    folder = rendered.keep(root, lang, settings)
    assert settings == {"cache_dir": str(folder)}
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.json"
    page.write_text('{"content": ""}', "utf-8")
    return page


def test_pages_stay_from_build_to_build_and_each_language_has_its_own(tmp_path: Path) -> None:
    english, chinese = kept(tmp_path), kept(tmp_path, "zh")
    assert english.parent != chinese.parent
    assert kept(tmp_path, name="b").parent == english.parent
    assert english.is_file()
    assert chinese.is_file()


@pytest.mark.parametrize("maker", rendered.MAKERS)
def test_another_version_of_what_makes_them_makes_them_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: str
) -> None:
    before, real = kept(tmp_path), metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0" if name == maker else real(name))
    after = kept(tmp_path)
    assert after.parent != before.parent
    assert not before.exists()


def test_half_a_page_is_none(tmp_path: Path) -> None:
    page = kept(tmp_path)
    page.write_text('{"content": "', "utf-8")
    rendered.keep(tmp_path, "en", {})
    assert not page.exists()
