"""A node of the lab is a container: run a command in it.

Where the container is a process of this machine, in an engine of our own, the command goes into its namespaces by
itself (nsenter): the same as `docker exec`, at a thirtieth of its time. Questions to nodes are most of what the lab
does, and the engine would be busy with them all the while.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

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
    shown = " ".join(command[:6])
    try:
        if init := _init(node):
            # As the engine does, whatever the caller's is.
            return process.data(
                [*init.entering, *argv], input=input, timeout=timeout, shown=shown, umask=0o022
            )
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


@dataclass(frozen=True)
class _Init:
    """The first process of a node as this machine sees it, and the environment that commands get there."""

    pid: int
    #: When it was started, in the kernel's own words (proc(5), stat, field 22): with the PID it names one process.
    started: str
    environment: tuple[str, ...]

    @property
    def entering(self) -> list[str]:
        """Return the words before a command that runs it in the node: all namespaces, and the node's environment."""
        return ["nsenter", "--target", str(self.pid), "--all", "--", "env", "-i", *self.environment]


#: The nodes that were asked so far.
_inits: dict[str, _Init] = {}


def _init(node: str) -> _Init | None:
    """Return a node's first process; None where it is not one of this machine's, or there is no such node."""
    if not engine.current().ours or shutil.which("nsenter") is None:
        return None
    known = _inits.get(node)
    if known is not None and process.started(known.pid) == known.started:
        return known
    _inits.pop(node, None)
    try:
        told = engine.docker("inspect", "--format", "{{.State.Pid}} {{json .Config.Env}}", node)
    except LabError:
        return None
    pid, _, environment = told.partition(" ")
    if int(pid) == 0 or not (started := process.started(int(pid))):
        return None
    # A name without a value is one that the engine takes away.
    given = [each for each in json.loads(environment) if "=" in each]
    return _inits.setdefault(node, _Init(int(pid), started, (*given, f"HOSTNAME={node}", "HOME=/root")))
