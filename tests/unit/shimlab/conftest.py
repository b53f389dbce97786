"""What tests of the lab share that need none: a stand-in for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import private_engine, stand_in

from shimlab import paths, waiting
from shimlab.machine import engine

NODES = ("shimlab-control-plane", "shimlab-worker", "shimlab-worker2")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[stand_in.Lab]:
    """A stand-in for the lab of the deprecation: three nodes that are well, none of them there."""
    folder = tmp_path / "stand-in"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.delenv("SHIMLAB_NAME", raising=False)
    private_engine.moved(tmp_path, monkeypatch)
    # What answers is the stand-in, whoever listens on this machine.
    monkeypatch.delenv("DOCKER_HOST")
    # Nothing here takes longer than an answer of a program on this machine.
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "POLL_SECONDS_OF_NODES", 0.01)
    api = stand_in.Api()
    engine.current.cache_clear()
    try:
        found = stand_in.make(folder, api, paths.state_dir(), NODES)
        found.shows(
            stand_in.node(NODES[0], "containerd"),
            stand_in.node(NODES[1], "containerd"),
            stand_in.node(NODES[2], "dockershim"),
        )
        yield found
    finally:
        api.close()
        engine.current.cache_clear()
