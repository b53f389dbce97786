"""Evidence as plain text: it reads the same on a terminal, in a notebook and on a page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from shimlab.evidence.containers import ContainerTree
from shimlab.evidence.procfs import Process


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Set rows in columns as kubectl does, three spaces apart and nothing trailing."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


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
