"""`up` and `down` of a second lab that are ended in a row, at all moments and in all ways in turn."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support import moments
from tests.support.command import shimlab

from shimlab import paths

LAB = "shimlab-abused"


@pytest.fixture
def lab() -> Mapping[str, str]:
    return {**os.environ, "SHIMLAB_NAME": LAB}


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as context:
        context.setenv("SHIMLAB_NAME", LAB)
        return paths.state_dir()


def _end(command: moments.Command, way: str) -> int:
    moments.WAYS[way][0](command)
    status = command.ended()
    assert status == moments.WAYS[way][1], (way, command.text)
    return status


def _down(lab: Mapping[str, str], volumes_before: set[str]) -> None:
    down = shimlab("down", "--check", env=lab, seconds=moments.SECONDS)
    assert down.returncode == 0, down.stderr
    assert moments.left(LAB, volumes_before) == []


@pytest.mark.timeout(900)
def test_up(round_: int, lab: Mapping[str, str], state: Path) -> None:
    """Each round at the next moment, and in another way; every third is followed by a whole `up`."""
    moment = list(moments.UP)[round_ % len(moments.UP)]
    way = list(moments.WAYS)[(round_ + round_ // len(moments.UP)) % len(moments.WAYS)]
    before = moments.volumes()
    with moments.begun("up", lab=LAB, state=state, environment=lab) as up:
        up.at(moments.UP[moment])
        status = _end(up, way)
        print(f"round {round_ + 1}: {way}, {moment}: {status}, {up.text.splitlines()[-1:]}")
        if status == 130:
            assert "interrupted; nothing half-made is left" in up.text, up.text
        if status > 0:
            assert moments.left(LAB, before) == []
    if round_ % 3 == 2:
        again = shimlab("up", env=lab, seconds=2 * moments.SECONDS)
        assert again.returncode == 0, again.stderr
        assert len(moments.containers(LAB)) == 3
    _down(lab, before)


DOWN = {
    "it begins": moments.says("• Removing the cluster"),
    "a node is gone": lambda command: len(moments.containers(LAB)) < 3,
    "all nodes are gone": lambda command: not moments.containers(LAB),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", ["Ctrl-C", "SIGKILL", "a reader who leaves"])
@pytest.mark.parametrize("moment", DOWN)
def test_down(moment: str, way: str, lab: Mapping[str, str], state: Path) -> None:
    before = moments.volumes()
    with moments.begun("up", lab=LAB, state=state, environment=lab) as up:
        up.at(moments.UP["the nodes are configured"])
        _end(up, "SIGKILL")
    with moments.begun("down", lab=LAB, state=state, environment=lab) as down:
        down.at(DOWN[moment])
        moments.WAYS[way][0](down)
        status = down.ended()
        # What comes at the very end may find it done.
        assert status in (moments.WAYS[way][1], 0), down.text
        print(f"{way}, {moment}: {status}, {down.text.splitlines()[-1:]}")
        if status == 130:
            left = moments.containers(LAB)
            assert all(name in down.text.splitlines()[-1] for name in left), (left, down.text)
        elif status >= 0:
            assert moments.containers(LAB) == []
    _down(lab, before)


@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk that is small enough to be full")
@pytest.mark.parametrize("moment", ["the first node is there", "kubeadm init"])
def test_a_full_disk(moment: str, lab: Mapping[str, str], tmp_path: Path) -> None:
    """The disk of the lab's state and logs is full in the middle of `up`."""
    before = moments.volumes()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(tmp_path)], check=True)
    environment = {**lab, "XDG_STATE_HOME": str(tmp_path)}
    state = tmp_path / "shimlab" / "labs" / LAB
    try:
        with moments.begun("up", lab=LAB, state=state, environment=environment) as up:
            up.at(moments.UP[moment])
            _fill(tmp_path / "much")
            assert up.ended() == 1, up.text
            what, remedy = up.text.splitlines()[-2:]
            # Who notices first, the command by its log or kind by its kubeconfig, depends on what fits into a page.
            assert re.match(r"shimlab: (.* cannot be written: No space|\S*kind failed \(1\))", what), up.text
            assert remedy.startswith("  → "), up.text
            assert "Traceback" not in up.text
        assert moments.left(LAB, before) == []
        down = shimlab("down", "--check", env=environment, seconds=moments.SECONDS)
        assert down.returncode == 0, down.stderr
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as much:
        while True:
            try:
                much.write(b"x" * 4096)
            except OSError:
                return
