"""Running a read-only command where the evidence is: on a node, or on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shimlab import process


class Run(Protocol):
    """Runs an argument vector with the given standard input and returns its standard output."""

    def __call__(self, argv: Sequence[str], *, input: str | None = None) -> str:
        """Run it.

        Raises:
            LabError: it failed.
        """


def on(node: str) -> Run:
    """Return the runner of a node of the lab."""

    def run(argv: Sequence[str], *, input: str | None = None) -> str:
        from shimlab.lab import node as nodes

        return nodes.run(node, list(argv), input=input)

    return run


def here(argv: Sequence[str], *, input: str | None = None) -> str:
    """Run a command on this machine.

    Raises:
        LabError: the command failed.
    """
    return process.output(argv, input=input)
