"""Parts of the node image side by side: the first failure and Ctrl-C end the others, and nothing of them runs on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shimlab import process
from shimlab.errors import LabError
from shimlab.images import build, image
from shimlab.images.recipe import Part
from shimlab.machine import engine
from shimlab.waiting import bound, soon

# In docker's place: the stage `etcd` does not build, `busybox` builds at once, all others build until they are ended.
DOCKER = """#!/bin/sh
[ "$1" = build ] || { echo 20.10.24; exit; }
case $* in
*"--target etcd "*) echo "Step 1/2 : RUN something"; while [ ! -e FOLDER/pause ]; do sleep 0.1; done; exit 3 ;;
*"--target busybox "*) echo busybox >>FOLDER/built; exit 0 ;;
esac
echo $$ >FOLDER/pause.new
mv FOLDER/pause.new FOLDER/pause
while sleep 0.1; do echo still here; done
"""


def part(target: str) -> Part:
    return Part(target, "a test", f"shimlab-build/{target}:test", (), ())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose docker is the stand-in; what it started is gone afterwards, or the test fails."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.replace("FOLDER", str(tmp_path)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    engine.current.cache_clear()
    yield tmp_path
    engine.current.cache_clear()
    assert process.has_ended(int((tmp_path / "pause").read_text()))


def test_the_first_failure_ends_the_others_and_is_the_one_that_is_told(folder: Path) -> None:
    with pytest.raises(LabError, match=r"failed \(3\)") as caught:
        build.side_by_side([part("pause"), part("etcd"), part("busybox")])
    assert "build-etcd-test.log" in caught.value.remedy
    # What had not begun does not begin.
    assert not (folder / "built").exists()


def test_ctrl_c_ends_all_of_them(folder: Path) -> None:
    def interrupt() -> None:
        soon((folder / "pause").exists, 20)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        build.side_by_side([part("busybox"), part("pause"), part("roots")])
    assert (folder / "built").read_text() == "busybox\n"


def test_while_one_builds_nobody_clears_up_after_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not build.goes_on()
    with build.alone():
        assert build.goes_on()
        # No engine is asked: its containers are at work.
        assert image.workshop() == []
        with pytest.raises(LabError, match="is being built"):
            image.remove_all()
    assert not build.goes_on()


def test_who_comes_second_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    order: list[str] = []

    def second() -> None:
        with build.alone():
            order.append("second")

    with build.alone():
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        order.append("first")
    waiting.join(timeout=bound(20))
    assert order == ["first", "second"]
    assert "Waiting for another build" in capsys.readouterr().err


def test_what_runs_for_another_lab_is_not_cleared_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SHIMLAB_NAME", "second")
    rows = [
        "half-built||toolchain|",
        "stores|build||",
        "second-worker|node|node|",
        "tests-of-the-first|conformance|conformance-e2e|shimlab",
        "tests-of-ours|conformance|conformance-e2e|second",
        "somebody-elses|||",
    ]
    monkeypatch.setattr(image.engine, "docker", lambda *_: "\n".join(rows))
    assert image.workshop() == ["half-built", "stores", "tests-of-ours"]
