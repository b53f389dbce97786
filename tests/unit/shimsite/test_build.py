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
