"""Evidence as plain text, which reads the same on a terminal, in a notebook and on a page; and as JSON to be kept."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from shimlab.evidence.containers import ContainerTree
from shimlab.node.procfs import Process
from shimlab.node.sockets import Owner

NOTHING = "–"
# Ids and digests are cut to as much as docker shows of them.
_DIGEST = re.compile(r"((?:sha256:)?[0-9a-f]{12})[0-9a-f]{52}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set rows in columns as kubectl does, three spaces apart and nothing trailing."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def listing(records: Iterable[Any], *columns: str) -> str:
    """Set records of one kind in a table.

    The columns are the attributes that are named (dotted ones too), or else those that the kind itself names. Long
    ids are cut, processes are shown by name, and what is empty as a dash.
    """
    lines = list(records)
    if not columns:
        columns = _columns(lines[0]) if lines else ("nothing",)
    rows = [[cell(attrgetter(name)(each)) for name in columns] for each in lines]
    return table([name.replace(".", " ").replace("_", " ").upper() for name in columns], rows)


def cell(value: object) -> str:
    """Say a value in few words."""
    match value:
        case None | "" | ():
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case Owner() | Process():
            return value.comm
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case float():
            return f"{value:.2f}".removesuffix(".00")
        case Mapping():
            return ", ".join(f"{key}={cell(each)}" for key, each in value.items()) or NOTHING
        case tuple():
            return ", ".join(dict.fromkeys(cell(each) for each in value))
    words = str(value).splitlines()
    return _DIGEST.sub(r"\1", words[0] + (" …" if len(words) > 1 else ""))


def plain(record: Any) -> Any:  # noqa: ANN401 - a record in, JSON out
    """Return a record, or a list of them, as what JSON can hold: to be saved, or drawn from."""
    match record:
        case datetime():
            return record.isoformat()
        case Mapping():
            return {str(key): plain(each) for key, each in record.items()}
        case list() | tuple():
            return [plain(each) for each in record]
    if dataclasses.is_dataclass(record):
        return {field.name: plain(getattr(record, field.name)) for field in dataclasses.fields(record)}
    return record


def _columns(record: Any) -> tuple[str, ...]:  # noqa: ANN401 - any record
    named: tuple[str, ...] = getattr(record, "columns", ()) or tuple(
        each.name for each in dataclasses.fields(record)
    )
    return named


def drawing(tree: ContainerTree) -> str:
    """Draw a pod's processes under their parents, by name and in the order in which they were started.

    A shim is shown with its containerd namespace. PIDs are left out: they say nothing and never come again.
    """
    children: dict[int, list[Process]] = {}
    everyone: dict[int, Process] = {}
    for chain in tree.chains:
        line = [chain.process, *chain.parents]
        everyone.update((each.pid, each) for each in line)
        for child, parent in itertools.pairwise(line):
            if child not in children.setdefault(parent.pid, []):
                children[parent.pid].append(child)
    inside = {child.pid for group in children.values() for child in group}
    roots = [each for pid, each in sorted(everyone.items()) if pid not in inside]
    lines: list[str] = []
    for root in roots:
        lines.append(_name(root))
        lines += _below(root, children, "")
    return "\n".join(lines)


def _below(parent: Process, children: dict[int, list[Process]], indent: str) -> list[str]:
    lines: list[str] = []
    group = sorted(children.get(parent.pid, []), key=lambda child: (child.started, child.pid))
    for number, child in enumerate(group, 1):
        corner, bar = ("└─ ", "   ") if number == len(group) else ("├─ ", "│  ")
        lines.append(f"{indent}{corner}{_name(child)}")
        lines += _below(child, children, indent + bar)
    return lines


def _name(process: Process) -> str:
    namespace = process.option("-namespace")
    return f"{process.name} -namespace {namespace}" if namespace else process.name
