"""What nobody reads: a reader who has gone ends a command, but never what has to be done whole."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from shimlab import progress


@pytest.fixture
def nobody() -> Iterator[TextIO]:
    """A pipe whose reader has gone."""
    read, write = os.pipe()
    os.close(read)
    out = os.fdopen(write, "w")
    yield out
    with pytest.raises(BrokenPipeError):
        out.close()


def test_a_reader_who_has_gone_ends_a_step_before_it_begins(nobody: TextIO) -> None:
    with pytest.raises(BrokenPipeError), progress.step("Working", nobody):
        pytest.fail("went on")


def test_what_has_to_be_done_whole_is_done_and_then_it_is_told(nobody: TextIO) -> None:
    @progress.unheard()
    def work() -> None:
        with progress.step("Working", nobody) as current:
            current.note("half")
            progress.say("more", nobody)
            done.append("all")
        done.append("of it")

    done: list[str] = []
    with pytest.raises(BrokenPipeError):
        work()
    assert done == ["all", "of it"]


def test_what_is_put_in_order_is_not_ended_and_does_not_end_what_comes_after(nobody: TextIO) -> None:
    with progress.dropped(), progress.step("Removing", nobody):
        pass
    with progress.unheard():
        pass
    with pytest.raises(BrokenPipeError):
        progress.say("again", nobody)


class Leaving(io.StringIO):
    """A reader who goes after the first line."""

    def write(self, text: str) -> int:
        """Take the first line alone."""
        if self.getvalue():
            raise BrokenPipeError
        return super().write(text)


def test_why_a_step_failed_is_not_lost() -> None:
    with pytest.raises(ValueError, match="the reason"), progress.step("Working", Leaving()):
        raise ValueError("the reason")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_ends_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        with progress.step("Working", full):
            progress.say("more", full)
        # What is left in its buffer is nobody's any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
