"""What an interrupted command says of what it leaves: it has looked, and names what is there."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from shimlab.cluster import leftovers
from shimlab.errors import LabError
from shimlab.machine import private


def silent() -> list[str]:
    raise LabError("the engine does not answer", "see")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path))
    monkeypatch.delenv("SHIMLAB_NAME", raising=False)
    monkeypatch.setattr(private, "pid", lambda: None)


def _told(command: str) -> str:
    with pytest.raises(KeyboardInterrupt) as caught, leftovers.told(command):
        raise KeyboardInterrupt
    return str(caught.value)


@pytest.mark.parametrize(
    ("command", "left", "said"),
    [
        ("up", list, "nothing half-made is left"),
        (
            "up",
            lambda: ["container a", "volume b"],
            "still there: container a, volume b; `shimlab down` removes it",
        ),
        (
            "build",
            silent,
            "what is left cannot be told (the engine does not answer): `shimlab down` looks again",
        ),
        ("down", list, "nothing of the lab is left"),
        ("down", lambda: ["cluster a"], "still there: cluster a; `shimlab down` goes on"),
    ],
)
def test_what_is_left(
    command: str, left: Callable[[], list[str]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "found" if command == "down" else "half_made", left)
    assert _told(command) == said


def test_the_command_is_the_one_for_this_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain `shimlab down` would take another lab away."""
    monkeypatch.setenv("SHIMLAB_NAME", "second")
    monkeypatch.setattr(leftovers, "half_made", lambda: ["container second-worker"])
    assert "`SHIMLAB_NAME=second shimlab down` removes it" in _told("up")


def test_an_engine_that_goes_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "half_made", list)
    monkeypatch.setattr(private, "pid", lambda: 1)
    assert _told("up").endswith("(the lab's Docker engine runs on until `shimlab down`)")


def test_a_full_disk_is_an_error_that_can_be_mended() -> None:
    with pytest.raises(LabError) as caught, leftovers.told("up"):
        raise OSError(errno.ENOSPC, "No space left on device", "/state/kind.yaml")
    assert caught.value.what == "/state/kind.yaml cannot be written: No space left on device"
    with pytest.raises(BrokenPipeError), leftovers.told("up"):
        raise BrokenPipeError
