"""The evidence of a red run: what a test, a cell or a session that failed leaves in `.cache/failed/LANE`.

Nothing is kept unless the environment names the folder, as noxfile.py does. In it:

    again                   the tests and notebooks that failed, a line each
    TEST/                   the lab as it was when that test failed, and what was logged since it began
    lab/                    the lab as it was when the session ended, with all journals (noxfile.py)

Each has a digest.txt (shimlab.cluster.export.digest).
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from shimlab.cluster.export.export import BRIEF, DIGEST
from shimlab.waiting import bound

FOLDER = "EVIDENCE_FOLDER"
AGAIN = "again"
#: A lab that is gone fails every test: of so many failures it is looked at.
MOST = 5
# Python has to start, and a command that hangs to be given up.
SPARE = 10.0


@dataclass(frozen=True)
class Kept:
    """Where it is, and its digest as lines."""

    folder: Path
    digest: list[str]


def folder() -> Path | None:
    """Return where evidence of this session goes; None where none is kept."""
    named = os.environ.get(FOLDER)
    return Path(named) if named else None


def failed(where: Path, name: str) -> None:
    """Note what failed, so that it can be run again by itself: a test's id, or a notebook's path."""
    with contextlib.suppress(OSError):
        where.mkdir(parents=True, exist_ok=True)
        with (where / AGAIN).open("a", encoding="utf-8") as file:
            # A line each: what a test's id has of other lines is written as Python does.
            file.write(name.replace("\n", "\\n") + "\n")


def which(where: Path) -> list[str]:
    """Return what was noted as failed in a folder of evidence, each once and in that order."""
    try:
        return list(dict.fromkeys((where / AGAIN).read_text(encoding="utf-8").splitlines()))
    except OSError:
        return []


def keep(where: Path, name: str, since: datetime) -> Kept | None:
    """Export the lab for something that fails right now, with what was logged since it began; None after the MOST-th.

    It is done by a process of its own, which gets no longer than its own bound, and nothing that goes wrong in it is
    raised here: what failed has to be told.
    """
    target = where / slug(name)
    try:
        if target.exists() or sum(each.is_dir() for each in where.glob("*")) >= MOST:
            return None
        where.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "shimlab", "export", str(target), "--since", since.isoformat()]
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=bound(BRIEF + SPARE),
            check=False,
        )
        said = done.stderr.splitlines() if done.returncode else []
    except (OSError, subprocess.SubprocessError) as error:
        said = [str(error)]
    return Kept(target, [*digest(target), *(f"not exported: {line}" for line in said[:2])])


def digest(where: Path) -> list[str]:
    """Return the digest of an export as lines."""
    try:
        return (where / DIGEST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def slug(name: str) -> str:
    """Return a test's id as the name of a folder: what tells it from others, as long as a file's name may be."""
    last = name.rpartition("/")[2].replace(".py::", "-")
    return re.sub(r"[^\w.-]+", "-", last).strip("-")[:120] or str(time.time_ns())
