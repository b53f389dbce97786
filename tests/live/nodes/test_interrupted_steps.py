"""`up` that is ended while it does one thing or another: the next one goes on at once, and nothing is left.

A few moments, each the beginning of the next command; `./run abuse` tries all of them (tests/live/abuse).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support import moments
from tests.support.command import shimlab

from shimlab import paths
from shimlab.cluster import status as cluster

LAB = "shimlab-ended"
RUN = [str(paths.repository() / "run"), "shimlab", "--"]


@pytest.mark.timeout(600)
def test_up_that_is_ended_in_a_row_stands_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    others, volumes = cluster.status(), moments.volumes()
    environment = {**os.environ, "SHIMLAB_NAME": LAB}
    with monkeypatch.context() as context:
        context.setenv("SHIMLAB_NAME", LAB)
        state = paths.state_dir()
    try:
        for moment, way, argv in (
            ("the network is there", "Ctrl-C", RUN),
            ("the first node is there", "SIGTERM twice", RUN),
            ("all nodes are there", "SIGKILL", list(moments.ARGV)),
            # It has to end what the one before left at work, to come as far as this.
            ("kubeadm init", "a reader who leaves", list(moments.ARGV)),
        ):
            _ended(moment, way, argv, state, environment)
            if way != "SIGKILL":
                assert moments.left(LAB, volumes) == [], (moment, way)
    finally:
        down = shimlab("down", "--check", env=environment, seconds=moments.SECONDS)
    assert down.returncode == 0, down.stderr
    assert moments.left(LAB, volumes) == []
    assert cluster.status() == others


def _ended(moment: str, way: str, argv: list[str], state: Path, environment: dict[str, str]) -> None:
    act, status = moments.WAYS[way]
    with moments.begun("up", lab=LAB, state=state, environment=environment, argv=argv) as up:
        up.at(moments.UP[moment])
        act(up)
        assert up.ended() == status, (moment, way, up.text)
        if status == 130:
            assert "shimlab: interrupted; nothing half-made is left" in up.text, up.text
