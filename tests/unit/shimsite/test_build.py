"""The site is built once for each state, by one process at a time."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from shimsite import build

SECONDS = 60
ENSURE = "import pathlib, sys; from shimsite import build; print(build.ensure(pathlib.Path(sys.argv[1])))"


def built(root: Path, *, strict: bool = True) -> None:
    """Leave what a build of the sources as they are leaves."""
    for lang in build.CONFIGS:
        (root / "site" / lang).mkdir(parents=True, exist_ok=True)
        (root / "site" / lang / "sitemap.xml").touch()
        build.stamp(root, lang, build.fingerprint(root), strict=strict)


def test_who_waited_for_another_build_finds_the_site_built(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    with (tmp_path / ".cache" / "site.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        argv = [sys.executable, "-c", ENSURE, str(tmp_path)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1)
            # Meanwhile the other one builds; there is nothing here that could be built a second time.
            built(tmp_path)
            fcntl.flock(handle, fcntl.LOCK_UN)
            said, _ = waiting.communicate(timeout=SECONDS)
    assert said == "True\n"


def test_a_site_that_was_built_in_spite_of_warnings_is_no_checked_one(tmp_path: Path) -> None:
    built(tmp_path, strict=False)
    assert build.is_fresh(tmp_path)
    assert not build.is_fresh(tmp_path, strict=True)
    built(tmp_path)
    assert build.is_fresh(tmp_path, strict=True)


@pytest.mark.parametrize("can_exchange", [True, False])
def test_one_folder_takes_the_place_of_the_other_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(build, "_exchanged", lambda one, other: False)
    for word in ("first", "second", "third"):
        for lang in build.CONFIGS:
            page = tmp_path / build.FRESH / lang / "sitemap.xml"
            page.parent.mkdir(parents=True)
            page.write_text(word, "utf-8")
            build.stamp(tmp_path, lang, build.fingerprint(tmp_path), strict=True, site=tmp_path / build.FRESH)
        assert build.is_fresh(tmp_path, strict=True) == (word != "first")
        build._put_in_place(tmp_path)
        assert {path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.xml")} == {word}
        assert build.is_fresh(tmp_path, strict=True)
        build._remove(tmp_path / build.FRESH)
    assert not (tmp_path / build.FORMER).exists()


def test_this_system_exchanges_two_folders_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert build._exchanged(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one" / "other").exists()
    assert (tmp_path / "other" / "one").exists()


def test_a_site_that_lies_elsewhere_says_nothing_of_this_one(tmp_path: Path) -> None:
    build.stamp(tmp_path, "en", "sources", site=tmp_path / "of-mkdocs-serve")
    assert not (tmp_path / ".cache").exists()


def test_a_copy_stays_when_the_site_is_built_again(tmp_path: Path) -> None:
    built(tmp_path)
    assert build.copied(tmp_path / "copy", tmp_path)
    (tmp_path / "site" / "en" / "sitemap.xml").unlink()
    assert (tmp_path / "copy" / "en" / "sitemap.xml").is_file()


def test_a_run_of_tests_is_of_one_state_whatever_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    built(tmp_path)
    pinned = build.built_from(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("new")
    assert not build.is_fresh(tmp_path)
    monkeypatch.setenv(build.PINNED, pinned)
    assert build.is_fresh(tmp_path, strict=True)
    # A site of another state is not the one that the run is of.
    built(tmp_path)
    assert not build.is_fresh(tmp_path)
    # Nor does the name say anything of another repository, as a test makes one.
    monkeypatch.setattr(build, "ROOT", tmp_path / "elsewhere")
    assert build.is_fresh(tmp_path)
