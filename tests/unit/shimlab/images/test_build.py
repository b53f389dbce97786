"""Parts of the node image side by side: the first failure and Ctrl-C end the others, and nothing of them runs on."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.images import build, image, recipe, release
from shimlab.images.build import Job
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


def jobs(*targets: str) -> list[Job]:
    """All of them compile, so that no more than COMPILERS of them begin at once."""
    parts = [Part(target, "a test", f"shimlab-build/{target}:test", (), ()) for target in targets]
    return [dataclasses.replace(build.job(part), compiles=True) for part in parts]


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
        build.side_by_side(jobs("pause", "etcd", "busybox"))
    assert "build-etcd-test.log" in caught.value.remedy
    # What had not begun does not begin.
    assert not (folder / "built").exists()


def test_ctrl_c_ends_all_of_them(folder: Path) -> None:
    def interrupt() -> None:
        soon((folder / "pause").exists, 20)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        build.side_by_side(jobs("busybox", "pause", "roots"))
    assert (folder / "built").read_text() == "busybox\n"


def test_a_job_begins_when_what_it_waits_for_is_done_and_there_is_room() -> None:
    """Each job ends when all have begun that can, so what is seen at once is what may run at once."""
    order: list[str] = []
    begun: dict[str, set[str]] = {}
    running: set[str] = set()
    change = threading.Condition()

    def job(name: str, *after: str, compiles: bool = False, beside: int) -> Job:
        def work(stop: threading.Event) -> None:
            with change:
                order.append(name)
                running.add(name)
                change.notify_all()
                assert change.wait_for(lambda: len(running | begun.get(name, set())) >= beside, 20)
                for each in running:
                    begun.setdefault(each, set()).update(running)
            with change:
                running.discard(name)

        return Job(name, work, frozenset(after), compiles)

    build.side_by_side(
        [
            job("fetch one", beside=3),
            job("compile one", "fetch one", compiles=True, beside=1),
            job("fetch two", "is there already", beside=3),
            job("fetch three", beside=3),
            job("compile two", "fetch two", "compile one", compiles=True, beside=1),
            job("node", "compile one", "compile two", beside=1),
        ]
    )
    assert set(order[:3]) == {"fetch one", "fetch two", "fetch three"}
    assert order[3:] == ["compile one", "compile two", "node"]


@pytest.mark.parametrize(("compiles", "room"), [(True, build.COMPILERS), (False, build.WAITERS)])
def test_no_more_run_at_once_than_there_is_room_for(compiles: bool, room: int) -> None:
    most, now = 0, 0
    lock = threading.Lock()
    full = threading.Barrier(room)

    def work(stop: threading.Event) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        full.wait(20)
        with lock:
            now -= 1

    build.side_by_side([Job(str(number), work, compiles=compiles) for number in range(3 * room)])
    assert most == room


def test_a_file_that_changes_while_a_part_is_built_leaves_no_part_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(paths.repository() / "lab", tmp_path / "lab")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    docker = tmp_path / "docker"
    docker.write_text(
        "#!/bin/sh\n"
        f"case $1 in build) echo changed >>{tmp_path}/lab/node/build/node-root ;; version) echo 20.10.24 ;;\n"
        f'*) echo "$@" >>{tmp_path}/said ;; esac\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    engine.current.cache_clear()
    part = recipe.programs(release.load("1.20"))[-1]
    with pytest.raises(LabError, match="changed while it was built"):
        build.part(part)
    assert (tmp_path / "said").read_text() == f"rmi {part.reference}\n"
    engine.current.cache_clear()


def test_the_contents_that_were_not_used_for_longest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    used = release.load("1.23")
    (current,) = recipe.programs(used)
    mine = recipe.kind_of(current.reference)
    times = {
        f"{mine}{'a' * 12}": "2026-11-01T00:00:00Z",
        f"{mine}{'b' * 12}": "2026-11-03T00:00:00Z",
        f"{mine}{'c' * 12}": "2026-11-02T00:00:00Z",
        f"{recipe.KEPT}roots:1.20-{'d' * 12}": "2020-01-01T00:00:00Z",
        current.reference: "2026-10-01T00:00:00Z",
    }
    gone: list[str] = []

    def docker(command: str, *words: str, **_: object) -> str:
        match command:
            case "tag":
                assert words == (current.reference, current.reference)
                times[words[0]] = "2026-11-04T00:00:00Z"
            case "images":
                return "\n".join(times)
            case "image":
                return "".join(f'"{times[name]}"\n' for name in words[3:])
            case "rmi":
                gone.append(words[0])
        return ""

    monkeypatch.setattr(image.engine, "docker", docker)
    image._forget_older([used])
    assert sorted(gone) == [f"{mine}{'a' * 12}", f"{mine}{'c' * 12}"]


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
