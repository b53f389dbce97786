"""Ctrl-C while an engine is asked for something."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shimlab import interruption
from shimlab.machine import engine
from shimlab.waiting import bound, soon

DOCKER = """#!/bin/sh
case $1 in
version) echo 20.10.24 ;;
create) touch FOLDER/begun; sleep 1; touch FOLDER/made ;;
*) touch FOLDER/begun; exec sleep 60 ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.replace("FOLDER", str(tmp_path)), "utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    engine.current.cache_clear()
    yield tmp_path
    engine.current.cache_clear()


def _interrupted(folder: Path, *words: str) -> float:
    """Press Ctrl-C when it has begun, and return how long it takes from there."""
    pressed = []

    def press() -> None:
        soon((folder / "begun").exists, 20, 0.02)
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with interruption.heard(), pytest.raises(KeyboardInterrupt):
        engine.docker(*words)
    return time.monotonic() - pressed[0]


def test_what_an_engine_makes_is_waited_for_since_it_would_come_up_later(folder: Path) -> None:
    _interrupted(folder, "create", "it")
    assert (folder / "made").exists()


def test_a_question_is_broken_off(folder: Path) -> None:
    assert _interrupted(folder, "ps") < bound(20)
