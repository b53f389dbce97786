"""A lab that is interrupted while it comes up leaves nothing, and a lab that is up is not touched by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shimlab.cluster import status as cluster
from shimlab.machine import engine

SECOND = "shimlab-half"
SECONDS = 120


@pytest.fixture
def environment() -> Iterator[Mapping[str, str]]:
    yield {**os.environ, "SHIMLAB_NAME": SECOND}
    _shimlab("down", environment={**os.environ, "SHIMLAB_NAME": SECOND})


def _shimlab(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "shimlab", *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)


def _containers(state: str = "") -> list[str]:
    only = ["--filter", f"status={state}"] if state else []
    of_ours = ["--filter", f"label={cluster.KIND_LABEL}={SECOND}"]
    return engine.docker("ps", "--all", *of_ours, *only, "--format", "{{.Names}}").split()


def _half_up(environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `up` and return it when its control plane runs and kubeadm is at work in it."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "shimlab", "up"],
            env=environment,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    deadline = time.monotonic() + SECONDS
    control_plane = f"{SECOND}-control-plane"
    while time.monotonic() < deadline and process.poll() is None:
        if control_plane in _containers("running"):
            top = subprocess.run(
                ["docker", "exec", control_plane, "pgrep", "-x", "kubeadm"],
                capture_output=True,
                check=False,
                env={**os.environ, **engine.current().environment},
            )
            if top.returncode == 0:
                return process
        time.sleep(0.2)
    raise AssertionError(f"kubeadm was never seen at work\n{log.read_text()}")


def test_ctrl_c_leaves_nothing_and_says_so(environment: Mapping[str, str], tmp_path: Path) -> None:
    others = cluster.status()
    process = _half_up(environment, tmp_path / "log")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(SECONDS) == 130
    assert "nothing half-made is left" in (tmp_path / "log").read_text()
    assert _containers() == []
    down = _shimlab("down", "--check", environment=environment)
    assert down.returncode == 0, down.stderr
    assert cluster.status() == others


def test_a_lab_whose_up_was_killed_is_found_and_taken_away(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    process = _half_up(environment, tmp_path / "log")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(SECONDS)
    assert _containers()
    status = _shimlab("status", environment=environment)
    assert (status.returncode, "the lab is not up" in status.stderr) == (1, True)
    down = _shimlab("down", "--check", environment=environment)
    assert down.returncode == 0, down.stderr
    assert _containers() == []
