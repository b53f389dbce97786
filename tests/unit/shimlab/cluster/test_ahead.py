"""Node images ahead of `up`: which are built, and that no lab that goes down takes the engine from under a build."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from tests.support import private_engine

from shimlab import cli, lock
from shimlab.cluster import ahead, leftovers, lifecycle
from shimlab.images import image, release
from shimlab.images.release import Release
from shimlab.machine import engine, private
from shimlab.machine.engine import Engine


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The releases whose images are asked for, on a machine that is ready."""
    minors: list[str] = []

    def ensure_all(wanted: Sequence[Release], *, keep: bool) -> dict[str, str]:
        # Meanwhile no lab that goes down may take the engine away.
        with lock.engine_file().open("ab") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        minors.extend(each.minor for each in wanted)
        return {each.minor: each.tag for each in wanted}

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(ahead, "prepare", lambda: None)
    monkeypatch.setattr(image, "ensure_all", ensure_all)
    return minors


@pytest.mark.parametrize(
    ("words", "minors"),
    [
        ([], list(release.known())),
        (["--lab", "deprecated"], ["1.20"]),
        (["--lab", "removed"], ["1.24", "1.23"]),
        (["--lab", "removed", "--lab", "deprecated", "--lab", "removed"], ["1.24", "1.23", "1.20"]),
    ],
)
def test_the_images_of_the_labs_that_are_named_are_built_and_each_once(
    asked: list[str], words: list[str], minors: list[str]
) -> None:
    assert cli.main(["build", *words]) == 0
    assert asked == minors


def test_an_unknown_lab_names_the_known_ones(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["build", "--lab", "moved"]) == 1
    assert "choose one of: deprecated, removed" in capsys.readouterr().err
    assert asked == []


def test_an_engine_in_which_something_is_built_goes_on_and_is_no_leftover(
    asked: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopped: list[bool] = []
    private_engine.moved(tmp_path, monkeypatch)
    monkeypatch.setattr(engine, "current", cache(lambda: Engine(private.SOCKET, "20.10.24")))
    monkeypatch.setattr(engine, "stop_private", lambda: stopped.append(True) or True)
    monkeypatch.setattr(engine, "docker", lambda *_, **__: "")
    monkeypatch.setattr(private, "mounts", lambda: [f"{private.RUN}/docker"])
    monkeypatch.setattr(lifecycle.status, "remove", lambda: None)
    monkeypatch.setattr(lifecycle.status, "remove_network", lambda: None)
    with lock.engine_file().open("ab") as other:
        # As another process does that builds.
        fcntl.flock(other, fcntl.LOCK_SH)
        lifecycle.down()
        assert stopped == []
        assert "goes on" in capsys.readouterr().err
        assert [line for line in leftovers.found() if line.startswith("mount")] == []
    lifecycle.down()
    assert stopped == [True]
    monkeypatch.setattr(leftovers.os, "geteuid", lambda: 0)
    assert f"mount {private.RUN}/docker" in leftovers.found()
