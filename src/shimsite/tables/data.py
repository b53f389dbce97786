"""All that the site keeps as data: read once, checked together, put where the marks of a page stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from shimfacts import ledger, model, relations
from shimfacts.model import Fact, FactError
from shimfacts.proofs import Proofs
from shimsite import references
from shimsite.tables import registry
from shimsite.tables.table import Known, Place, Table, Warn

_Table = TypeVar("_Table", bound=Table)
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Data:
    """The facts, what must hold between them, the tables beside them, and how proofs ended."""

    facts: Mapping[str, Fact]
    tables: tuple[Table, ...]
    known: Known
    relations: tuple[str, ...] = ()

    def table(self, kind: type[_Table]) -> _Table:
        """Give the table of a kind."""
        return next(each for each in self.tables if isinstance(each, kind))

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over the texts that refer to facts as pages do: where each stands, and it in each language."""
        for table in self.tables:
            yield from ((f"{table.path}: {where}", texts) for where, texts in table.texts())

    def uses(self) -> Iterator[str]:
        """List the facts that tables are made of, beside those that their texts refer to."""
        for table in self.tables:
            yield from table.uses()

    def marks(self) -> dict[str, tuple[str, ...]]:
        """List the marks of the tables that there are: a page has one of them, or nobody sees the table."""
        return {table.path: table.marks for table in self.tables if table and table.marks}

    def proofs(self) -> Iterator[tuple[str, str, Fact | None]]:
        """List the proofs that have to have passed: where each is named, the proof, the fact that it is of."""
        for fact in self.facts.values():
            yield from ((f"facts/{fact.file}: {fact.id}", proof, fact) for proof in fact.proofs)
        for table in self.tables:
            yield from ((f"facts/{table.path}: {where}", proof, None) for where, proof in table.proofs())

    def problems(self) -> Iterator[str]:
        """Tell what does not fit together, and must not be built."""
        yield from self.relations
        for table in self.tables:
            yield from (f"facts/{table.path}: {problem}" for problem in table.problems(self.known))

    def fill(self, markdown: str, lang: str, page: str, title_of: Callable[[str], str], warn: Warn) -> str:
        """Put tables and facts into a page at this path; `title_of` a notebook gives its title."""
        place = Place(lang, page, self.known, title_of, warn)
        # The tables first, for they refer to facts.
        for table in self.tables:
            markdown = table.fill(markdown, place)
        return references.render(markdown, self.facts, lang, warn)


def load(root: Path, complain: Warn) -> Data:
    """Read the data of a repository; a part that cannot be read is told to `complain`, and empty."""
    folder = root / "facts"

    def read(load: Callable[[], _Part], empty: Callable[[], _Part]) -> _Part:
        try:
            return load()
        except FactError as error:
            complain(f"facts/{error}")
        except ledger.ResultError as error:
            complain(str(error))
        return empty()

    facts: dict[str, Fact] = read(lambda: model.load(folder), dict)
    tables = []
    for kind in registry.kinds():
        table = read(lambda kind=kind: kind.load(folder), kind)  # type: ignore[misc]
        for what in table.complaints():
            complain(what)
        tables.append(table)
    proofs = read(lambda: Proofs(root, facts), lambda: Proofs(root, facts, ()))
    held: list[str] = read(lambda: list(relations.problems(root, facts)) if facts else [], list)
    return Data(facts, tuple(tables), Known(facts, proofs), tuple(held))
