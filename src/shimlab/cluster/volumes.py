"""The volumes of the lab: kind gives a node's neither a name nor a label, so they are noted while the node has them.

A volume that was not noted and has no name of the lab's is somebody else's, also in an engine of the lab's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shimlab import paths
from shimlab.images import stores
from shimlab.machine import engine

# What the engine calls a volume that was given no name; what is bound begins with a slash.
ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def note(containers: Sequence[str]) -> None:
    """Note the volumes of containers that are the lab's.

    Raises:
        LabError: the engine does not answer.
    """
    told = (
        engine.docker("ps", "--all", "--no-trunc", "--format", "{{.Names}}|{{.Mounts}}") if containers else ""
    )
    rows = (line.partition("|") for line in told.splitlines())
    mounts = [each for name, _, mounted in rows if name in containers for each in mounted.split(",")]
    if found := set(filter(ANONYMOUS.fullmatch, mounts)) - set(_noted()):
        found.update(_noted())
        paths.state_dir()
        _file().write_text("".join(f"{each}\n" for each in sorted(found)), encoding="ascii")


def left() -> list[str]:
    """Return the lab's volumes that are in the engine: noted ones, and those of a build that broke off.

    Raises:
        LabError: the engine does not answer.
    """
    there = engine.docker("volume", "ls", "--quiet").split()
    noted = set(_noted())
    return [name for name in there if name in noted] + stores.broken_off(there)


def remove() -> None:
    """Remove what :func:`left` names, whose containers are gone.

    Raises:
        LabError: one cannot be removed.
    """
    if found := left():
        engine.docker("volume", "rm", "--force", *found, timeout=120)
    _file().unlink(missing_ok=True)


def _noted() -> list[str]:
    return _file().read_text(encoding="ascii").split() if _file().is_file() else []


def _file() -> Path:
    return paths.state_file("volumes")
