"""Facts for live tests: a test that proves one reads its value here, and so fails where facts/ says something else.

What a test reads is kept with its outcome (tests/support/outcomes.py): shimfacts.proofs takes it for a proof of that.
"""

from __future__ import annotations

import re
from functools import cache

from shimfacts import model
from shimfacts.model import Fact
from shimlab.paths import repository

_PLACE = re.compile(r"%[qsvd]|<\w+>")
_read: list[set[str]] = []


@cache
def known() -> dict[str, Fact]:
    """Read the facts, once: a test that needs none does not fail where one of them is wrong."""
    return model.load(repository() / "facts")


def begin() -> set[str]:
    """Note from now on what the test that begins reads."""
    _read[:] = [set()]
    return _read[0]


def end() -> None:
    """Note no more: what is read outside of a test proves nothing."""
    _read.clear()


def whole(name: str) -> Fact:
    """Give a fact to the test that runs, which thereby proves it if it passes."""
    if not _read:
        raise RuntimeError(f"{name} is read outside of a test: then no test proves it")
    _read[0].add(name)
    return known()[name]


def fact(name: str) -> str:
    """Give the value of a fact to the test that runs."""
    return whole(name).values["en"]


def pattern(name: str) -> re.Pattern[str]:
    """Give the value of a fact as a pattern: %q, %v and the like stand for anything on one line."""
    return re.compile(".+?".join(re.escape(part) for part in _PLACE.split(fact(name))))


def of_kind(*kinds: str) -> list[str]:
    """List the facts of some kinds; that reads none."""
    return [name for name, each in known().items() if each.kind in kinds]
