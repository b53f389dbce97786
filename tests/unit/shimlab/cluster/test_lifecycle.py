"""`shimlab up` beside a lab that is there."""

from __future__ import annotations

import pytest
from tests.support import command
from tests.support.stand_in import Lab

from shimlab.cluster import ahead, lifecycle, status


@pytest.fixture(autouse=True)
def _ready_machine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is as `up` makes it; and what would take minutes or another lab away fails."""
    monkeypatch.setattr(lifecycle, "prepare", lambda: None)
    for module, name in ((lifecycle, "_images"), (status, "remove")):
        monkeypatch.setattr(module, name, lambda *given, **more: pytest.fail("went on"))


@pytest.mark.parametrize("words", [["--lab", "removed"], ["--image", "kindest/node:v1.20.15"]])
def test_up_does_not_take_the_place_of_another_lab(lab: Lab, words: list[str]) -> None:
    done = command.inside("up", *words)
    assert done.returncode == 1
    wanted = "removed" if "removed" in words else "containerd"
    assert f"the lab that is up is 'deprecated', and '{wanted}' would take its place" in done.stderr
    assert "SHIMLAB_NAME" in done.stderr


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (["up", "--image", "kindest/node v1"], "is no name of an image", "kindest/node"),
        (
            ["up", "--lab", "containerd"],
            "the lab containerd is made of somebody else's node image",
            "--image",
        ),
        (["build", "--lab", "containerd"], "the lab containerd is made of somebody else's", "deprecated"),
    ],
)
def test_what_makes_no_lab_is_refused_before_anything_begins(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, words: list[str], what: str, remedy: str
) -> None:
    monkeypatch.setattr(ahead, "prepare", lambda: pytest.fail("went on"))
    done = command.inside(*words)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert what in first
    assert remedy in second
