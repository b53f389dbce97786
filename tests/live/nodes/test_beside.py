"""Labs of different names at work at once: what they share stays for the one that needs it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.command import ARGV, shimlab

from shimlab.cluster import status as cluster
from shimlab.machine import engine, kind
from shimlab.waiting import bound, wait

FIRST, SECOND = "shimlab-one", "shimlab-two"
SECONDS = 300


def _as(name: str) -> Mapping[str, str]:
    return {**os.environ, "SHIMLAB_NAME": name}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "log"
    for name in (FIRST, SECOND):
        shimlab("down", seconds=SECONDS, env=_as(name))


def _containers(name: str) -> list[str]:
    of_it = ["--filter", f"label={cluster.KIND_LABEL}={name}"]
    return engine.docker("ps", "--all", *of_it, "--format", "{{.Names}}").split()


@pytest.mark.timeout(600)
def test_what_others_do_meanwhile_takes_nothing_from_a_lab_that_comes_up(log: Path) -> None:
    """Another lab goes down and images are asked for, between the first word of its creation and its last node."""
    with log.open("wb") as sink:
        up = subprocess.Popen([*ARGV, "up"], env=_as(FIRST), stdout=sink, stderr=sink, start_new_session=True)

    def is_at(what: str) -> bool:
        assert up.poll() is None, log.read_text()
        return what in log.read_text()

    wait(lambda: is_at("• Creating the cluster"), "the creation", SECONDS)
    nodes = 0
    while nodes < 3:
        nodes = len(_containers(FIRST))
        with ThreadPoolExecutor() as pool:
            down = pool.submit(shimlab, "down", "--check", seconds=SECONDS, env=_as(SECOND))
            build = pool.submit(shimlab, "build", "--lab", "deprecated", seconds=SECONDS, env=_as(SECOND))
            for done in (down.result(), build.result()):
                assert done.returncode == 0, done.stderr
        assert is_at("• Creating the cluster")
    assert engine.docker("network", "ls", "--quiet", "--filter", f"name=^{kind.NETWORK}$").strip()
    os.killpg(up.pid, signal.SIGINT)
    assert up.wait(bound(SECONDS)) == 130
    down = shimlab("down", "--check", seconds=SECONDS, env=_as(FIRST))
    assert down.returncode == 0, down.stderr
