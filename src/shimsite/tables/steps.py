"""Diagrams, and the words for the steps of what they are drawn from: shimsite.diagrams draws, this is their table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from shimsite.diagrams import directives, steps
from shimsite.diagrams.directives import Diagrams
from shimsite.notebooks import split
from shimsite.tables.table import Known, Place, Table


class Steps(Table):
    """The records that diagrams are drawn from, and the words for their steps."""

    path = steps.PATH
    schema = dict[str, steps.Words]

    def __init__(self, diagrams: Diagrams | None = None, complaints: tuple[str, ...] = ()) -> None:
        """Keep what was read, and what was wrong with it."""
        self.diagrams = diagrams or Diagrams()
        self._complaints = complaints
        self.marks = self.diagrams.marks()

    def __bool__(self) -> bool:
        """Tell whether there are records with words."""
        return bool(self.diagrams.records)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the words, and the records that they are for."""
        complaints: list[str] = []
        return cls(directives.load(folder.parent, complaints.append), tuple(complaints))

    def complaints(self) -> Iterator[str]:
        """Tell which words and records could not be read; one that could not does not hide the others."""
        yield from self._complaints

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what is said of the steps."""
        yield from self.diagrams.texts()

    def proofs(self) -> Iterator[tuple[str, str]]:
        """List the cells that show the steps of each runtime."""
        for record, words in self.diagrams.words.items():
            for runtime, cell in words.proofs.items():
                yield f"{record}: proof of {runtime}", f"notebooks/{cell}"

    def problems(self, known: Known) -> Iterator[str]:
        """Tell which words and records do not fit together."""
        yield from self.diagrams.problems()

    def fill(self, markdown: str, place: Place) -> str:
        """Put diagrams and steps where the marks of a page stand, and tell of marks that nothing is for."""
        return self.diagrams.fill(
            markdown, place.lang, lambda part: split.link_to(part, place.page), place.warn
        )
