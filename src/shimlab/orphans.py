"""What a command that was killed left running: found by the mark that all of it carries, and ended.

A program that we run, and all that it runs, has the name of our process in its environment (process.MARK). Where a
process of that name does not run any more, nobody waits for the program: kind would go on to make a cluster, a builder
to build. Only Linux tells (proc(5): environ); elsewhere nothing is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from shimlab import process
from shimlab.waiting import soon

#: What an engine is asked to make. It goes on when who asked has been killed, and what it makes comes up seconds later.
#: So he is let live until he has his answer: when he has ended, nothing comes any more.
MAKING = frozenset({"commit", "create", "network", "run", "start", "volume"})
PROC = Path("/proc")
SECONDS = 15
_MARK = f"{process.MARK}=".encode()


@dataclass(frozen=True)
class Program:
    """A running program: its number, and its words."""

    pid: int
    argv: tuple[str, ...]

    @property
    def makes(self) -> bool:
        """Tell whether it is an engine's client that waits for something to be made."""
        for at, word in enumerate(self.argv[:3]):
            # The third word where an interpreter runs it.
            if Path(word).name == "docker":
                return bool(MAKING & set(self.argv[at + 1 : at + 2]))
        return False


def found(job: str = "") -> list[Program]:
    """Return what runs on though its starter has ended, and what this process itself started for ``job``."""
    programs = []
    for folder in PROC.glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            argv = (folder / "cmdline").read_bytes().rstrip(b"\0").decode("utf-8", "replace").split("\0")
        except OSError:
            # It has ended meanwhile, or is somebody else's.
            continue
        mark = next((each for each in environment if each.startswith(_MARK)), b"").removeprefix(_MARK)
        if _is_left(mark.decode("utf-8", "replace"), job) and not process.has_ended(int(folder.name)):
            programs.append(Program(int(folder.name), tuple(argv)))
    return programs


def making(job: str = "") -> list[Program]:
    """Return those of them whom an engine has still to answer that it made something."""
    return [each for each in found(job) if each.makes]


def end(job: str = "", seconds: float = SECONDS) -> int:
    """End all of them but those that are :func:`making`, by force after ``seconds``, and return how many there were."""
    ended: set[int] = set()

    def others() -> list[Program]:
        return [each for each in found(job) if not each.makes]

    def tell(sign: signal.Signals) -> bool:
        left = others()
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, sign)
        ended.update(each.pid for each in left)
        return not left

    # Asked once: what one of them starts then is its own clearing up.
    if not (tell(signal.SIGTERM) or soon(lambda: not others(), seconds)):
        soon(lambda: tell(signal.SIGKILL), seconds)
    return len(ended)


def _is_left(mark: str, job: str) -> bool:
    namespace, _, name = mark.partition(" ")
    here, _, us = process.starter(job).partition(" ")
    # In another namespace (a container) the numbers are others.
    if namespace != here or len(words := name.split(" ")) != len(us.split(" ")):
        return False
    if name == us:
        return bool(job)
    number, start = words[0], words[1]
    return number.isdecimal() and (process.started(int(number)) != start or process.has_ended(int(number)))
