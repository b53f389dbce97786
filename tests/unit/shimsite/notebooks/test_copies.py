from __future__ import annotations

from pathlib import Path

import pytest

from shimsite.notebooks import copies


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A built site of one notebook in both languages."""
    for lang in ("en", "zh"):
        page = tmp_path / "site" / lang / "labs" / "01-a"
        page.mkdir(parents=True)
        (page / "01-a.ipynb").write_text(f'"{lang}"')
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_each_language_gets_its_own_copy_and_the_source_is_beside_them(root: Path) -> None:
    folder = root / "lab"
    assert copies.lay_out(folder, root) == []
    assert (folder / "en" / "01-a.ipynb").read_text() == '"en"'
    assert (folder / "zh" / "01-a.ipynb").read_text() == '"zh"'
    assert (folder / "source").resolve() == (root / "notebooks").resolve()


def test_a_new_recording_replaces_a_copy_that_nobody_changed(root: Path) -> None:
    folder = root / "lab"
    copies.lay_out(folder, root)
    (root / "site/en/labs/01-a/01-a.ipynb").write_text('"newer"')
    assert copies.lay_out(folder, root) == []
    assert (folder / "en" / "01-a.ipynb").read_text() == '"newer"'


def test_what_the_reader_changed_stays(root: Path) -> None:
    folder = root / "lab"
    copies.lay_out(folder, root)
    mine = folder / "en" / "01-a.ipynb"
    mine.write_text('"mine"')
    (root / "site/en/labs/01-a/01-a.ipynb").write_text('"newer"')
    assert copies.lay_out(folder, root) == [mine]
    assert mine.read_text() == '"mine"'


def test_without_a_site_there_is_nothing_to_lay_out(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="build the site first"):
        copies.lay_out(tmp_path / "lab", tmp_path)
