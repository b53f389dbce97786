"""A node of the lab is a container: run a command in it."""

from __future__ import annotations

from collections.abc import Sequence

from shimlab import process
from shimlab.errors import LabError
from shimlab.machine import engine


def run(node: str, argv: Sequence[str], *, input: str | None = None, timeout: float = 60) -> str:
    """Run a command in a node and return its stdout as text.

    Raises:
        LabError: if there is no such node, or the command fails; its stderr is quoted.
    """
    return data(node, argv, input=None if input is None else input.encode(), timeout=timeout).decode()


def data(node: str, argv: Sequence[str], *, input: bytes | None = None, timeout: float = 60) -> bytes:
    """Run a command in a node and return its stdout as bytes.

    Raises:
        LabError: as ``run`` says.
    """
    command = ["docker", "exec", *(["--interactive"] if input is not None else []), node, *argv]
    try:
        return process.data(command, env=engine.current().environment, input=input, timeout=timeout)
    except LabError as error:
        raise LabError(f"{node}: {error.what}", "`shimlab status` lists the nodes") from error


def read(node: str, path: str) -> bytes:
    """Return the bytes of a file in a node.

    Raises:
        LabError: if there is no such node or file.
    """
    return data(node, ["cat", path])


def exists(name: str) -> bool:
    """Tell whether a node of this name runs."""
    return name in engine.docker("ps", "--format", "{{.Names}}").split()
