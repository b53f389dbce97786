"""The table of runtimes and hosts: what was really run where, with its proof; what was not, with the reason.

`facts/tables/hosts.yaml` holds it once for both languages; a page shows it where one of the marks stands. The tables
are made as Markdown, so that facts and links in them are treated like those of any page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimfacts.model import LANGUAGES, FactError, Source, by_language, read, sources

PATH = "tables/hosts.yaml"
TABLE_MARK, NOTES_MARK = "<!-- hosts-table -->", "<!-- hosts-notes -->"
#: What a cell may say. Those of PROVED name the test that shows it.
STATES = {
    "run": {"en": "**run**", "zh": "**跑过**"},
    "partly": {"en": "**in part**", "zh": "**部分跑过**"},
    "refused": {"en": "refused", "zh": "不支持"},
    "not-tried": {"en": "not tried", "zh": "没有试过"},
}
PROVED = ("run", "partly", "refused")
WORDS = {
    "en": {"host": "Host", "proof": "Shown by", "sources": "Sources", "said": "What is known", "and": ", "},
    "zh": {"host": "主机", "proof": "证据", "sources": "来源", "said": "已知情况", "and": "、"},
}
_COLON = {"en": ": ", "zh": "："}


@dataclass(frozen=True)
class Cell:
    """What is known of one runtime on one host."""

    state: str
    proof: str | None = None


@dataclass(frozen=True)
class Host:
    """A kind of host, what was run on it, and what its makers say of it."""

    id: str
    title: Mapping[str, str]
    said: Mapping[str, str]
    sources: tuple[Source, ...]
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Hosts:
    """The whole table: the runtimes in the order of its columns, the hosts in the order of its rows."""

    runtimes: Mapping[str, Mapping[str, str]]
    hosts: tuple[Host, ...]


def load(folder: Path) -> Hosts | None:
    """Read the table below the folder of facts; None where a repository has none.

    Raises:
        FactError: a host or a cell breaks the schema; says which one.
    """
    if not (folder / PATH).is_file():
        return None
    data = read(folder, PATH)
    if not isinstance(data, dict) or set(data) != {"runtimes", "hosts"}:
        raise FactError(PATH, "", "has exactly `runtimes` and `hosts`")
    runtimes = {
        name: _texts(raw, _wrong(PATH, f"runtimes.{name}"), "a runtime's title")
        for name, raw in data["runtimes"].items()
    }
    return Hosts(runtimes, tuple(_host(PATH, name, raw, runtimes) for name, raw in data["hosts"].items()))


def proofs(table: Hosts) -> dict[str, str]:
    """List every proof that the table names, by the host and runtime that it is for."""
    return {
        f"{host.id}.{runtime}": cell.proof
        for host in table.hosts
        for runtime, cell in host.cells.items()
        if cell.proof
    }


def fill(markdown: str, table: Hosts | None, lang: str) -> str:
    """Put the tables where a page's marks stand."""
    if table is None:
        return markdown
    if TABLE_MARK in markdown:
        markdown = markdown.replace(TABLE_MARK, matrix(table, lang))
    if NOTES_MARK in markdown:
        markdown = markdown.replace(NOTES_MARK, notes(table, lang))
    return markdown


def matrix(table: Hosts, lang: str) -> str:
    """Write the table as Markdown: a row for each host, linked to what is known of it."""
    rows = [
        [f"[{host.title[lang]}](#host-{host.id})"]
        + [STATES[host.cells[runtime].state][lang] for runtime in table.runtimes]
        for host in table.hosts
    ]
    head = [WORDS[lang]["host"], *(title[lang] for title in table.runtimes.values())]
    return _table(head, rows)


def notes(table: Hosts, lang: str) -> str:
    """Write as Markdown what stands behind each row: what is known, and the tests or sources that say so."""
    words, rows = WORDS[lang], []
    for host in table.hosts:
        behind = []
        shown: dict[str, list[str]] = {}
        for runtime, cell in host.cells.items():
            if cell.proof:
                shown.setdefault(cell.proof, []).append(table.runtimes[runtime][lang])
        for proof, of in shown.items():
            # All of a row at once need not be told one by one.
            whose = "" if len(of) == len(table.runtimes) else words["and"].join(of) + _COLON[lang]
            behind.append(f"{whose}`{proof}`")
        behind += [f"[{source.title}]({source.url})" for source in host.sources]
        rows.append([f'<a id="host-{host.id}"></a>{host.title[lang]}', host.said[lang], "<br>".join(behind)])
    head = [words["host"], words["said"], f"{words['proof']} / {words['sources']}"]
    return _table(head, rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _host(file: str, name: str, raw: Any, runtimes: Mapping[str, Any]) -> Host:  # noqa: ANN401
    wrong = _wrong(file, name)
    wanted = {"title", "said", "cells", "rest", "source"}
    if not isinstance(raw, dict) or set(raw) - wanted or not {"title", "said"} <= set(raw):
        raise wrong(f"has title and said, and may have cells, rest and source, not {sorted(raw)}")
    given = raw.get("cells") or {}
    if unknown := sorted(set(given) - set(runtimes)):
        raise wrong(f"cells of no runtime: {', '.join(unknown)}")
    rest = {"state": raw["rest"]} if "rest" in raw else None
    cells = {
        runtime: _cell(given.get(runtime, rest), _wrong(file, f"{name}.{runtime}")) for runtime in runtimes
    }
    return Host(
        id=name,
        title=_texts(raw["title"], wrong, "title"),
        # What is not proved by a test has its reason here, and a source where it is somebody else's word.
        said=_texts(raw["said"], wrong, "said"),
        sources=sources(raw["source"], wrong) if raw.get("source") else (),
        cells=cells,
    )


def _cell(raw: Any, wrong: Any) -> Cell:  # noqa: ANN401
    if not isinstance(raw, dict) or set(raw) - {"state", "proof"} or raw.get("state") not in STATES:
        raise wrong(f"a cell has a state ({', '.join(STATES)}), and a proof if it is {' or '.join(PROVED)}")
    if (raw["state"] in PROVED) != isinstance(raw.get("proof"), str):
        raise wrong(f"{raw['state']} {'needs' if raw['state'] in PROVED else 'has no'} proof")
    return Cell(raw["state"], raw.get("proof"))


def _texts(raw: Any, wrong: Any, key: str) -> dict[str, str]:  # noqa: ANN401
    texts = by_language(raw, wrong, key)
    if any("|" in texts[lang] or "\n" in texts[lang] for lang in LANGUAGES):
        raise wrong(f"{key} is one line without `|`: it stands in a table")
    return texts


def _wrong(file: str, name: str) -> Any:  # noqa: ANN401
    return lambda what: FactError(file, name, what)
