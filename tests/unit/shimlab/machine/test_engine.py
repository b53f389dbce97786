"""Which engine there is: none, one that answers, or one that is there and does not, which is an error everywhere."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import command, private_engine
from tests.support.private_engine import Engine

from shimlab import process, waiting
from shimlab.cluster import leftovers, lifecycle
from shimlab.errors import LabError
from shimlab.machine import engine, host, listener, private
from shimlab.waiting import bound, wait

COMMANDS = (("up",), ("status",), ("down",), ("down", "--check"), ("down", "--all"), ("build",), ("doctor",))


@pytest.fixture
def dockerd(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.02)
    # Nothing is installed, and nothing else than docker decides.
    monkeypatch.setattr(host, "ensure_packages", lambda listed: None)
    with private_engine.stand_in(open_folder, monkeypatch) as found:
        yield found


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come is not waited for."""
    monkeypatch.setattr(engine, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(private, "STOP_SECONDS", 0.3)


def kept(dockerd: Engine, of_an_engine: str = "containers/a/config") -> list[Path]:
    """Put files where an engine has what is in it, and where the lab has what can be made again."""
    files = [private.DATA / of_an_engine, dockerd.folder / "cache/shimlab/bin/kind"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    return files


def holds(
    words: list[str],
    *,
    removed_nothing: Engine,
    files: list[Path],
    commands: tuple[tuple[str, ...], ...] = COMMANDS,
) -> None:
    """Every command fails and says so in two lines, and nothing was removed or asked of an engine."""
    for each in commands:
        engine.current.cache_clear()
        done = command.inside(*each)
        assert done.returncode == 1, (each, done)
        # doctor wraps its lines.
        told = " ".join(
            (done.stdout if each == ("doctor",) else "\n".join(done.stderr.splitlines()[-2:])).split()
        )
        assert all(word in told for word in words), (each, done)
        assert "nothing of the lab does" not in done.stderr
        assert "starts one" not in done.stdout, done.stdout
        assert all(file.exists() for file in files), each
    engine.current.cache_clear()
    with pytest.raises(engine.SilentEngineError):
        leftovers.found()
    assert not (removed_nothing.folder / "asked").exists()


def test_where_nobody_is_nothing_runs(dockerd: Engine) -> None:
    done = command.inside("down", "--check")
    assert (done.returncode, "nothing of the lab does" in done.stderr) == (0, True), done
    done = command.inside("status")
    assert (done.returncode, "no Docker engine answers" in done.stderr) == (1, True), done


def test_mounts_of_an_engine_that_stopped_are_undone_by_the_next_down(
    dockerd: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a `down` was killed between the engine's end and its own."""
    undone: list[str] = []
    monkeypatch.setattr(private, "mounts", lambda: ["first", "second"][: 2 - len(undone)])
    monkeypatch.setattr(private, "_unmount", undone.append)
    monkeypatch.setattr(lifecycle.os, "geteuid", lambda: 0)
    private.RUN.mkdir()
    assert command.inside("down").returncode == 0
    assert undone == ["second", "first"]
    assert not private.RUN.exists()


@pytest.mark.parametrize("left", ["socket", "pid file"])
def test_what_a_killed_engine_left_is_no_engine(dockerd: Engine, left: str) -> None:
    private.RUN.mkdir()
    if left == "socket":
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(private.SOCKET.removeprefix("unix://"))
    else:
        private.PIDFILE.write_text(f"{os.getpid()}")
    with pytest.raises(engine.NoEngineError):
        engine.current()
    assert private.was_killed() == (left == "pid file")


def test_a_machine_that_was_started_again_has_an_engine_that_was_killed(dockerd: Engine) -> None:
    """Its pid file is gone with /run; the containers in its data are not, and only an engine can remove them."""
    kept(dockerd)
    assert private.was_killed()
    dockerd.start()
    assert not private.was_killed()


def test_an_engine_that_is_stopped_is_told_at_once_with_what_lets_it_go_on(dockerd: Engine) -> None:
    pid, files = dockerd.start(), kept(dockerd)
    os.kill(pid, signal.SIGSTOP)
    wait(lambda: process.is_stopped(pid), "the stop", 10)
    holds(["is stopped", f"(pid {pid})", f"kill -CONT {pid}"], removed_nothing=dockerd, files=files)
    os.kill(pid, signal.SIGCONT)
    engine.current.cache_clear()
    assert engine.current().ours


@pytest.mark.parametrize("how", ["deaf", "mute", "an error", "without its pid file", "without its socket"])
def test_an_engine_that_does_not_answer_is_there(
    dockerd: Engine, how: str, request: pytest.FixtureRequest
) -> None:
    if how == "an error":
        dockerd.answers("Error response from daemon: input/output error")
    else:
        request.getfixturevalue("hasty")
        dockerd.answers(None)
    if how == "mute":
        dockerd.will_be("mute")
    pid, files = dockerd.start(), kept(dockerd)
    if how == "without its pid file":
        private.PIDFILE.unlink()
    elif how == "without its socket":
        Path(private.SOCKET.removeprefix("unix://")).unlink()
    why = "input/output error" if how == "an error" else ""
    words = ["does not answer", f"pid {pid}", f"kill -KILL {pid}", why]
    commands = COMMANDS if how == "deaf" else (("down", "--all"), ("doctor",))
    holds(words, removed_nothing=dockerd, files=files, commands=commands)


@pytest.mark.usefixtures("hasty")
def test_the_users_engine_that_does_not_answer_is_there_as_well(
    dockerd: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = f"""import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("{dockerd.folder}/deaf"); s.listen()
print("listens", flush=True); time.sleep(600)"""
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True) as theirs:
        assert theirs.stdout is not None
        theirs.stdout.readline()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{dockerd.folder}/deaf")
        try:
            holds(
                ["does not answer", f"pid {theirs.pid}", "DOCKER_HOST"],
                removed_nothing=dockerd,
                files=kept(dockerd, "image/config"),
            )
        finally:
            theirs.kill()


@pytest.mark.parametrize(
    ("fails", "what"),
    [
        ("echo 'context \"far\": context not found' >&2; exit 1", "context not found"),
        ("echo 'Got permission denied while trying to connect' >&2; exit 1", "permission denied"),
        ("exit 0", "is no Docker engine"),
        ("exit 3", "docker said nothing"),
        ("\x7fELF", "cannot be run"),
    ],
    ids=["context", "permission", "says nothing", "fails silently", "not a program"],
)
def test_no_failure_of_docker_is_taken_for_nobody(
    dockerd: Engine, monkeypatch: pytest.MonkeyPatch, fails: str, what: str
) -> None:
    program = dockerd.folder / "bin" / "docker"
    program.write_text(fails if fails.startswith("\x7f") else f"#!/bin/sh\n{fails}\n")
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("PATH", str(program.parent))
    done = command.inside("down")
    assert (done.returncode, what in done.stderr.splitlines()[-2]) == (1, True), done


def test_a_wrong_patience_is_not_taken_for_nobody(dockerd: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    dockerd.start()
    with monkeypatch.context() as wrong:
        wrong.setenv(waiting.PATIENCE, "0")
        with pytest.raises(LabError, match="no number from 1 to 100"):
            engine.current()


def test_an_engine_without_a_docker_command_is_there(
    dockerd: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = kept(dockerd)
    pid = dockerd.start()
    monkeypatch.setenv("PATH", "/nowhere")
    for each in (("down",), ("down", "--all"), ("status",)):
        engine.current.cache_clear()
        done = command.inside(*each)
        assert (done.returncode, f"an engine runs (pid {pid}" in done.stderr) == (1, True), done
    assert all(file.exists() for file in files)


def test_the_cluster_in_the_data_of_an_engine_that_was_stopped_is_not_called_gone(dockerd: Engine) -> None:
    made_from = dockerd.folder / "state/shimlab/made-from"
    made_from.parent.mkdir(parents=True)
    made_from.write_text("deprecated 0\n")
    done = command.inside("down")
    assert (done.returncode, "start it, then `shimlab down` again" in done.stderr) == (1, True), done


def test_an_engine_that_does_not_end_is_named(dockerd: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "STOP_SECONDS", 0.3)
    dockerd.will_be("stubborn")
    pid = dockerd.start()
    with pytest.raises(LabError, match=rf"\(pid {pid}\) does not stop") as caught:
        engine.stop_private()
    assert f"kill -KILL {pid}" in caught.value.remedy
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(LabError, match=rf"\(pid {pid}\) does not stop") as caught:
        private.stop()
    assert f"kill -CONT {pid}" in caught.value.remedy
    assert private.RUN.exists()


def test_an_engine_that_was_stopped_leaves_nothing(dockerd: Engine) -> None:
    pid = dockerd.start()
    assert engine.stop_private()
    assert process.has_ended(pid)
    assert not private.RUN.exists()
    assert not engine.stop_private()


def test_who_listens_is_told(tmp_path: Path, open_folder: Path) -> None:
    path = open_folder / "socket"
    assert listener.at(path) is None
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert listener.at(path) is None
        listening.listen(0)
        assert listener.at(path) == (os.getpid() if sys.platform == "linux" else listener.UNKNOWN)
        # With a full queue as well.
        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
            for each in (one, two):
                each.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    each.connect(str(path))
            assert listener.at(path) is not None
    assert listener.at(path) is None
    assert listener.at(tmp_path / "no" / "folder") is None


def test_the_bound_of_an_answer_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(waiting.PATIENCE, "3")
    assert bound(engine.ANSWER_SECONDS) == 3 * engine.ANSWER_SECONDS
