"""A node of the lab is a container: run a command in it."""

from __future__ import annotations

from collections.abc import Sequence

from shimlab import process
from shimlab.errors import LabError
from shimlab.lab import engine


def run(node: str, argv: Sequence[str], *, input: str | None = None, timeout: float = 60) -> str:
    """Run a command in a node and return its stdout.

    Raises:
        LabError: if there is no such node, or the command fails; its stderr is quoted.
    """
    command = ["docker", "exec", *(["--interactive"] if input is not None else []), node, *argv]
    try:
        return process.output(command, env=engine.current().environment, input=input, timeout=timeout)
    except LabError as error:
        raise LabError(f"{node}: {error.what}", "`shimlab status` lists the nodes") from error


def exists(name: str) -> bool:
    """Tell whether a node of this name runs."""
    return name in engine.docker("ps", "--format", "{{.Names}}").split()
