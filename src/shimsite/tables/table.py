"""What a table is: a file below facts/ with the words of both languages, shown where its marks stand on a page.

Each module of this package that declares a `Table` is one: `registry` finds it, and everything else (checks, schemas,
the ledger of outcomes) asks the registry. Adding a table is adding a module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from shimfacts.model import Fact
from shimfacts.proofs import Proofs
from shimfacts.schema import File, Model

Warn = Callable[[str], None]
_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True)
class Known:
    """What tables may ask: the facts, and how proofs ended."""

    facts: Mapping[str, Fact]
    proofs: Proofs


@dataclass(frozen=True)
class Place:
    """The page on which a table stands: its language, its path among the pages, the titles of notebooks by name."""

    lang: str
    page: str
    known: Known
    title_of: Callable[[str], str]
    warn: Warn


class Table(ABC):
    """One table of the site."""

    #: The file, below facts/; what an error and the check of languages call it.
    path: ClassVar[str]
    #: What a page writes where it belongs. One of them has to be on some page, or nobody sees the table.
    marks: tuple[str, ...] = ()
    #: What the file holds, for its JSON Schema.
    schema: ClassVar[Any]

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read the table below the folder of facts; an empty one where a repository has none.

        Raises:
            FactError: a row breaks the schema; says which one, and the line.
        """

    @abstractmethod
    def __bool__(self) -> bool:
        """Tell whether there is anything in it."""

    def complaints(self) -> Iterator[str]:
        """Tell what could not be read beside the file itself."""
        yield from ()

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over what is written for readers: whose it is, and the text in each language."""
        yield from ()

    def uses(self) -> Iterator[str]:
        """List the facts that the table is made of, beside those that its texts refer to."""
        yield from ()

    def proofs(self) -> Iterator[tuple[str, str]]:
        """List the proofs that have to have passed: whose each is, and the proof."""
        yield from ()

    def shown_proofs(self) -> Iterator[str]:
        """List further proofs of which the table says how they ended, if that is known."""
        yield from ()

    def problems(self, known: Known) -> Iterator[str]:
        """Tell what does not fit together, and must not be built."""
        yield from ()

    @abstractmethod
    def fill(self, markdown: str, place: Place) -> str:
        """Put the table where it belongs on a page."""


class Marked(Table):
    """A table that stands where a page has one of its marks to the letter."""

    def fill(self, markdown: str, place: Place) -> str:
        """Put the table where the marks of a page stand."""
        for mark in self.marks if self else ():
            if mark in markdown:
                markdown = markdown.replace(mark, self.render(mark, place))
        return markdown

    @abstractmethod
    def render(self, mark: str, place: Place) -> str:
        """Write as Markdown what belongs at a mark."""


class Listed(Table, Generic[_Row]):
    """A table whose file maps an id to each row."""

    row: ClassVar[Any]
    #: What a file maps to what, for the error about one that does not.
    what: ClassVar[str]

    def __init__(self, rows: tuple[_Row, ...] = ()) -> None:
        """Keep the rows in their order."""
        self.rows = rows

    def __bool__(self) -> bool:
        """Tell whether there are rows."""
        return bool(self.rows)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the rows; each is told its id.

        Raises:
            FactError: a row breaks the schema; says which one, and the line.
        """
        if not (folder / cls.path).is_file():
            return cls()
        file = File(folder, cls.path)
        rows = []
        for name, raw in file.mapping(cls.what).items():
            if wrong := cls.wrong_id(name):
                raise file.wrong(wrong, name, name)
            rows.append(file.read(cls.row, raw, name, name).model_copy(update={"id": name}))
        return cls(tuple(rows))

    @classmethod
    def wrong_id(cls, name: str) -> str:
        """Say what is wrong with an id; nothing where it is right."""
        return ""


class Rows(Listed[_Row], Marked):
    """A table whose file maps an id to each row, and that stands at its marks."""
