"""A site that is built again while somebody reads it, by real builds of a small one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.support import project

from shimsite import build

LANGUAGES = tuple(build.CONFIGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = {
        f"docs/{lang}/{name}.md": "# Page { #page }\n\nState one.\n"
        for lang in LANGUAGES
        for name in ("index", "more")
    }
    folder = project.make(tmp_path_factory.mktemp("replaced"), pages)
    project.complete(folder)
    assert build.build(folder)
    return folder


def write(folder: Path, text: str) -> None:
    for page in (folder / "docs").rglob("*.md"):
        page.write_text(f"# Page {{ #page }}\n\n{text}\n", "utf-8")


def states(site: Path) -> list[str]:
    """Read a state from each page, in the order in which they lie."""
    texts = [
        (site / lang / uri / "index.html").read_text("utf-8") for lang in LANGUAGES for uri in ("", "more")
    ]
    return [next(word for word in ("one", "two", "three") if f"State {word}." in text) for text in texts]


def test_a_reader_sees_the_one_site_or_the_other_and_always_a_whole_one(folder: Path) -> None:
    """Pages are read one after the other: the new site may be seen from one of them on, never the old one again."""
    seen: set[tuple[str, ...]] = set()
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                found = states(folder / "site")
                assert (folder / "site" / "index.html").is_file()
                seen.add(tuple(found))
            except (OSError, StopIteration, AssertionError) as error:
                wrong.append(repr(error))

    with (folder / "site" / "en" / "index.html").open("r", encoding="utf-8") as held:
        thread = threading.Thread(target=read)
        thread.start()
        write(folder, "State two.")
        try:
            assert build.build(folder)
        finally:
            stop.set()
            thread.join()
        # Who has a page of the former site open reads it to its end.
        assert "State one." in held.read()
    assert wrong == []
    assert all(list(each) == sorted(each) for each in seen)
    assert ("one",) * 4 in seen
    assert states(folder / "site") == ["two"] * 4
    assert build.is_fresh(folder, strict=True)
    assert sorted(path.name for path in (folder / ".cache").glob("site*")) == [
        *("site-en.stamp", "site-zh.stamp", "site.lock"),
    ]


def test_a_build_that_fails_changes_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = states(folder / "site")
    write(folder, "State three. [nowhere](nowhere.md)")
    assert not build.build(folder)
    assert "nowhere.md" in capfd.readouterr().out
    assert states(folder / "site") == before
    # Nor is it taken for the site of what is there now.
    assert not build.is_fresh(folder)
