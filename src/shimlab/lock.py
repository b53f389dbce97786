"""Who may change what at a time: the whole of a lab, one node of it, or what all labs of this machine share.

Locks are the kernel's (flock(2)): one ends with the process that holds it, however that ends. Three kinds of files:

- one for each lab. `up` and `down` hold it alone; whatever changes a node shares it, so that labs do not come or go
  meanwhile, and the control plane is not broken meanwhile, which all nodes need.
- one for each node, held alone by what changes it.
- three for what labs of different names share, which is the engine, its network `shimlab` and kind: whoever brings a
  lab up or takes it down shares the first; who wants to remove the network or stop the engine has to hold it alone, and
  the second is held by who tries. The third is for making the machine ready, one lab at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from shimlab import paths
from shimlab.errors import LabError
from shimlab.progress import step

LOCKS = Path("/proc/locks")
WAIT = "wait for it to end"
#: This process's own hold of what labs share, while it brings one up.
_using: list[IO[bytes]] = []


def lab_file() -> Path:
    """Return the file that `up` and `down` hold locked, and that commands which change a node share."""
    return paths.state_dir() / "lock"


def node_file(name: str) -> Path:
    """Return the file that a command which changes this node holds locked."""
    folder = paths.state_dir() / "nodes"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.lock"


def engine_file() -> Path:
    """Return the file that everybody shares who brings a lab up, whatever its name."""
    return paths.cache_dir() / "engine.lock"


def turn_file() -> Path:
    """Return the file that is held by who wants to be alone with what labs share, or is."""
    return paths.cache_dir() / "engine-turn.lock"


def machine_file() -> Path:
    """Return the file that is held while the machine is made ready for a lab, whatever its name."""
    return paths.cache_dir() / "machine.lock"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let nobody else change this lab or a node of it.

    Raises:
        LabError: somebody is at work already.
    """
    with _held(lab_file(), fcntl.LOCK_EX, lambda: LabError(f"{at_work() or OTHER} is at work", WAIT)):
        yield


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Let this lab be as it is, with all its nodes, while others may change a node of it.

    Raises:
        LabError: it comes up or goes down, or its control plane is broken or repaired.
    """
    with _held(lab_file(), fcntl.LOCK_SH, lambda: LabError(f"{ALL} is at work", WAIT)):
        yield


@contextlib.contextmanager
def node(name: str) -> Iterator[None]:
    """Let nobody else change this node; others of the lab may be changed meanwhile.

    Raises:
        LabError: somebody is at work on it, or on the whole lab.
    """
    with together(), _held(node_file(name), fcntl.LOCK_EX, lambda: LabError(f"{on(name)} is at work", WAIT)):
        yield


ALL = "another command that changes the whole lab"
OTHER = "another command that changes the lab or a node"


def on(name: str) -> str:
    """Name what holds the lock of a node."""
    return f"another command that changes {name}"


def at_work(locks: Path = LOCKS) -> str:
    """Name what is at work on this lab; empty if nothing is, or where the kernel does not tell (Linux only).

    The kernel is asked, since trying a lock would take it.
    """
    try:
        file = lab_file()
    except LabError:
        # Where the folder cannot be made nobody holds a lock in it; another check says so.
        return ""
    if not locks.is_file():
        return ""
    rows = [line.split() for line in locks.read_text(encoding="utf-8").splitlines()]
    # proc(5): number, FLOCK, ADVISORY, READ or WRITE, process, device:inode, range.
    held = {row[5].rpartition(":")[2]: row[3] for row in rows if len(row) > 5 and row[1] == "FLOCK"}
    if held.get(_inode(file)) == "WRITE":
        return ALL
    nodes = sorted((file.parent / "nodes").glob("*.lock"))
    if busy := [each.stem for each in nodes if _inode(each) in held]:
        return on(" and ".join(busy))
    return OTHER if _inode(file) in held else ""


@contextlib.contextmanager
def using_engine() -> Iterator[None]:
    """Let no other lab remove the network or stop the engine while this one comes up; who does so now is waited for.

    It is held until the lab's nodes are there: from then on it is they who keep both.
    """
    with _held(engine_file(), fcntl.LOCK_SH, waiting="Waiting for another lab's end") as handle:
        _using.append(handle)
        try:
            yield
        finally:
            _using.remove(handle)


@contextlib.contextmanager
def engine_alone(*, leave: bool = False) -> Iterator[bool]:
    """Tell whether no other lab comes up or goes down, and if so let none begin: only then may what labs share go.

    Within :func:`using_engine` it is this process's own hold that becomes one alone, and what it was again afterwards;
    with ``leave`` it ends. Of labs that go down at once each leaves, and the last of them is alone.
    """
    with contextlib.ExitStack() as held:
        # flock(2): who converts a lock has none for a moment, and another could be alone just then. So who wants to be
        # alone asks for a turn first, and gives it back when all is as it stays.
        held.enter_context(_held(turn_file(), fcntl.LOCK_EX, waiting="Waiting for another lab's end"))
        handle = _using[-1] if _using else held.enter_context(engine_file().open("ab"))
        afterwards = fcntl.LOCK_SH if _using and not leave else fcntl.LOCK_UN
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(handle, afterwards)
        else:
            try:
                yield True
            finally:
                fcntl.flock(handle, afterwards)
            return
    yield False


@contextlib.contextmanager
def machine() -> Iterator[None]:
    """Make the machine ready for one lab at a time; who comes second waits, and finds it ready."""
    with _held(
        machine_file(), fcntl.LOCK_EX, waiting="Waiting until another lab's `up` has made the machine ready"
    ):
        yield


@contextlib.contextmanager
def _held(
    file: Path, kind: int, refusal: Callable[[], LabError] | None = None, *, waiting: str = ""
) -> Iterator[IO[bytes]]:
    """Hold a lock; where somebody else does, wait as a step of that name, or fail with the refusal.

    Raises:
        LabError: the refusal.
        BlockingIOError: somebody else holds it, and there is neither.
    """
    while True:
        with file.open("ab") as handle:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if refusal is not None:
                    raise refusal() from error
                if not waiting:
                    raise
                with step(waiting):
                    fcntl.flock(handle, kind)
            # `down --all` removes the folder: then what was waited for is no lock of anybody's any more.
            if _inode(file) != str(os.fstat(handle.fileno()).st_ino):
                file.parent.mkdir(parents=True, exist_ok=True)
                continue
            yield handle
            return


def _inode(file: Path) -> str:
    try:
        return str(file.stat().st_ino)
    except FileNotFoundError:
        return ""
