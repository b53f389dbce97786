"""Waiting: the answer is handed on, the bound holds, and the last reason is told."""

from __future__ import annotations

import itertools

import pytest

from shimlab import waiting
from shimlab.errors import LabError


def refuse() -> bool:
    raise LabError("the node is away", "start it")


def test_the_answer_is_returned() -> None:
    assert waiting.wait(lambda: [3], "never told") == [3]


def test_it_asks_again_and_what_cannot_be_asked_is_not_so_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    answers = itertools.chain([refuse, lambda: False], itertools.repeat(lambda: "now"))
    assert waiting.wait(lambda: next(answers)(), "the answer") == "now"


def test_the_bound_and_the_last_reason_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    with pytest.raises(LabError) as caught:
        waiting.wait(refuse, "the node", 0)
    assert caught.value.what == "not within 0 s: the node (the node is away)"


def test_a_reason_of_long_ago_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    answers = itertools.chain([refuse], itertools.repeat(lambda: False))
    with pytest.raises(LabError) as caught:
        waiting.wait(lambda: next(answers)(), "the node", 0.05)
    assert caught.value.what == "not within 0 s: the node"


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        waiting.wait(lambda: 1 // 0, "never told")


def test_a_slow_machine_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting.bound(20) == 20
    monkeypatch.setenv(waiting.PATIENCE, "2.5")
    assert waiting.bound(20) == 50
    monkeypatch.setenv(waiting.PATIENCE, "100")
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    with pytest.raises(LabError, match="not within 1 s"):
        waiting.wait(refuse, "the node", 0.01)


@pytest.mark.parametrize("told", ["0.5", "soon", "nan", "101", "-3", "inf"])
def test_a_patience_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv(waiting.PATIENCE, told)
    with pytest.raises(LabError) as caught:
        waiting.bound(20)
    assert caught.value.what == f"SHIMLAB_PATIENCE={told} is no number from 1 to 100"


def test_what_is_soon_so_is_told_and_what_is_not_is_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)
    assert waiting.soon(iter([0, 0, 3]).__next__, 20) == 3
    assert waiting.soon(lambda: "", 0.01) == ""
    with pytest.raises(LabError, match="the node is away"):
        waiting.soon(refuse, 20)


def test_all_that_is_missing_is_told_while_it_is_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS_OF_NODES", 0)
    told: list[str] = []
    current = type("Step", (), {"note": staticmethod(told.append)})()
    waiting.until(current, 20, iter([["a", "b"], ["b"], []]).__next__)
    assert told == ["waiting: a; b", "waiting: b"]
    with pytest.raises(LabError) as caught:
        waiting.until(current, 0.01, lambda: ["a", "b"])
    assert caught.value.what == "not within 0 s: a; b"
    with pytest.raises(LabError, match="not within 0 s: the node is away"):
        waiting.until(current, 0.01, lambda: [str(refuse())])
