"""Tables in tests: a page for them to stand on, and proofs that ended as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from shimfacts import ledger
from shimfacts.ledger import Result
from shimfacts.model import Fact
from shimfacts.proofs import Proofs
from shimsite.tables.table import Known, Place


class Told(Proofs):
    """Proofs that a test tells of: how each ended, None for one that changed since; any other is not there."""

    def __init__(self, results: Mapping[str, Result | None]) -> None:
        """Take the results by the proofs."""
        super().__init__(Path(), {}, ())
        self._results = results

    def missing(self, proof: str) -> str:
        """Say that a proof is not there of which nothing is told."""
        return "" if proof in self._results else "is not there"

    def last(self, proof: str) -> Result | None:
        """Give what is told."""
        return self._results.get(proof)


def passed(*proofs: str) -> Told:
    return Told(dict.fromkeys(proofs, Result(ledger.PASSED, "2026-11-25", "deprecated")))


def known(facts: Mapping[str, Fact] | None = None, proofs: Proofs | None = None) -> Known:
    return Known(facts or {}, proofs or Told({}))


def place(
    lang: str,
    page: str = "x.md",
    facts: Mapping[str, Fact] | None = None,
    proofs: Proofs | None = None,
    warn: Callable[[str], None] = pytest.fail,
) -> Place:
    """Make a page; the title of a notebook is made of its name."""
    return Place(lang, page, known(facts, proofs), lambda name: f"Title of {name}", warn)
