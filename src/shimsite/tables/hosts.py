"""The table of runtimes and hosts: what was really run where, with its proof; what was not, with the reason.

`facts/tables/hosts.yaml` holds it once for both languages; a page shows it where one of the marks stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from shimfacts import model
from shimfacts.schema import Both, File, Lines, Model, Source
from shimsite.tables import writer
from shimsite.tables.table import Marked, Place

TABLE_MARK, NOTES_MARK = "<!-- hosts-table -->", "<!-- hosts-notes -->"
#: What a cell may say. Those of PROVED name the test that shows it.
State = Literal["run", "partly", "refused", "not-tried"]
STATES = {
    "run": {"en": "**run**", "zh": "**跑过**"},
    "partly": {"en": "**in part**", "zh": "**部分跑过**"},
    "refused": {"en": "refused", "zh": "不支持"},
    "not-tried": {"en": "not tried", "zh": "没有试过"},
}
PROVED = ("run", "partly", "refused")
WORDS = {
    "en": {
        "host": "Host",
        "proof": "Shown by",
        "sources": "Sources",
        "said": "What is known",
        "and": ", ",
        "on": "{proof}, {date}",
    },
    "zh": {
        "host": "主机",
        "proof": "证据",
        "sources": "来源",
        "said": "已知情况",
        "and": "、",
        "on": "{proof}，{date}",
    },
}
_COLON = {"en": ": ", "zh": "："}


class Cell(Model):
    """What is known of one runtime on one host."""

    state: State
    proof: model.Proof | None = None

    @model_validator(mode="after")
    def _is_proved(self) -> Cell:
        if (self.state in PROVED) != (self.proof is not None):
            raise ValueError(f"{self.state} {'needs' if self.state in PROVED else 'has no'} proof")
        return self


class Host(Model):
    """A kind of host, what was run on it, and what its makers say of it."""

    title: Lines
    said: Lines
    sources: tuple[Source, ...] = Field((), alias="source", description="a list of {title, url}")
    cells: Mapping[str, Cell] = {}
    #: What is known of the runtimes that `cells` does not name.
    rest: State | None = None

    def cell(self, runtime: str) -> Cell:
        """Tell what is known of a runtime."""
        return self.cells.get(runtime) or Cell(state=self.rest or "not-tried")


class Written(Model):
    """The file: the runtimes in the order of the columns, the hosts in that of the rows."""

    runtimes: Mapping[str, Both]
    hosts: Mapping[str, Host]


class Hosts(Marked):
    """The hosts."""

    path = "tables/hosts.yaml"
    marks = (TABLE_MARK, NOTES_MARK)
    schema = Written

    def __init__(self, written: Written | None = None) -> None:
        """Keep what is written."""
        self.runtimes = written.runtimes if written else {}
        self.hosts = written.hosts if written else {}

    def __bool__(self) -> bool:
        """Tell whether there are hosts."""
        return bool(self.hosts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the table.

        Raises:
            FactError: a host or a cell breaks the schema; says which one, and the line.
        """
        if not (folder / cls.path).is_file():
            return cls()
        file = File(folder, cls.path)
        table = cls(file.read(Written, file.data, ""))
        for name, host in table.hosts.items():
            where = ("hosts", name)
            if unknown := sorted(set(host.cells) - set(table.runtimes)):
                raise file.wrong(
                    f"cells of no runtime: {', '.join(unknown)}", name, *where, "cells", unknown[0]
                )
            for runtime in table.runtimes:
                if runtime not in host.cells and host.rest is None:
                    raise file.wrong(
                        f"{runtime}: neither `cells` nor `rest` says what is known", name, *where
                    )
                if runtime not in host.cells and host.rest in PROVED:
                    raise file.wrong(f"{runtime}: {host.rest} needs proof", name, *where, "rest")
        return table

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over titles, and what is known."""
        for name, host in self.hosts.items():
            yield f"{name}: title", host.title
            yield f"{name}: said", host.said

    def proofs(self) -> Iterator[tuple[str, str]]:
        """List every proof by the host and the runtime that it is for."""
        for name, host in self.hosts.items():
            yield from ((f"{name}.{each}", cell.proof) for each, cell in host.cells.items() if cell.proof)

    def render(self, mark: str, place: Place) -> str:
        """Write the table of states, or what stands behind each row."""
        return self._states(place.lang) if mark == TABLE_MARK else self._notes(place)

    def _states(self, lang: str) -> str:
        rows = [
            writer.Row(
                "",
                (
                    f"[{host.title[lang]}](#host-{name})",
                    *(STATES[host.cell(runtime).state][lang] for runtime in self.runtimes),
                ),
            )
            for name, host in self.hosts.items()
        ]
        head = [WORDS[lang]["host"], *(title[lang] for title in self.runtimes.values())]
        return writer.table("hosts", head, rows, lang)

    def _notes(self, place: Place) -> str:
        lang, rows = place.lang, []
        words = WORDS[lang]
        for name, host in self.hosts.items():
            shown: dict[str, list[str]] = {}
            for runtime in self.runtimes:
                if proof := host.cell(runtime).proof:
                    shown.setdefault(proof, []).append(self.runtimes[runtime][lang])
            behind = []
            for proof, of in shown.items():
                # All of a row at once need not be told one by one.
                whose = "" if len(of) == len(self.runtimes) else words["and"].join(of) + _COLON[lang]
                behind.append(f"{whose}{_shown_by(proof, place)}")
            behind.append(writer.sources(host.sources, lang))
            rows.append(
                writer.Row(f"host-{name}", (host.title[lang], host.said[lang], writer.lines_of(*behind)))
            )
        head = [words["host"], words["said"], f"{words['proof']} / {words['sources']}"]
        return writer.table("host-notes", head, rows, lang)


def _shown_by(proof: str, place: Place) -> str:
    link, last = writer.proof(proof, place.page), place.known.proofs.last(proof)
    if last is None:
        return link
    return WORDS[place.lang]["on"].format(proof=link, date=model.spell_date(last.date, place.lang))
