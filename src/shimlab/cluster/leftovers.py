"""What would be left of the lab after `shimlab down`: looked for where it would be, not where we put it.

Only what is known to be the lab's, by label, name or note, is called left: an engine may hold somebody else's as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shimlab import interruption, lock, paths
from shimlab.cluster import contents, status, volumes
from shimlab.errors import LabError
from shimlab.machine import engine, kind, private

PROC = Path("/proc")


def found() -> list[str]:
    """Return a line for each container, network, volume, mount and process of the lab that still exists.

    Raises:
        LabError: an engine is there and does not answer, so what is in it is not known.
    """
    with lock.engine_alone() as last:
        return _found(last=last)


def half_made() -> list[str]:
    """Return a line for each thing that a command which makes a lab or an image has left; its engine is none of them.

    A lab that was made to its end is not half made.

    Raises:
        LabError: an engine is there and does not answer.
    """
    try:
        there = contents.look()
    except engine.NoEngineError:
        return []
    lines = [
        f"container {name}" for name in (*([] if status.made_from() else there.nodes), *there.broken_off)
    ]
    lines += [f"volume {name}" for name in ([] if status.made_from() else volumes.left())]
    with lock.engine_alone() as last:
        if last and not there.labs and not there.nodes and status.has_unused_network():
            lines.append(f"network {kind.NETWORK}")
    return lines


@contextmanager
def told(command: str) -> Iterator[None]:
    """Say when the block is interrupted or fails what of the lab is left by then, and what removes it.

    ``command`` is what was typed. What cannot be written because a disk is full is an error to be mended as well.

    Raises:
        KeyboardInterrupt: with what is left.
        LabError: it failed.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        with interruption.cleaning_up():
            raise KeyboardInterrupt(_said(command)) from interrupt
    except BrokenPipeError:
        raise
    except OSError as error:
        where = error.filename or f"{paths.state_dir()} or {paths.cache_dir()}"
        raise LabError(
            f"{where} cannot be written: {error.strerror}",
            "free space there, then run the same command again",
        ) from error


def _said(command: str) -> str:
    again = f"`{paths.typed('down')}`"
    try:
        left = found() if command == "down" else half_made()
    except LabError as error:
        return f"what is left cannot be told ({error.what}): {again} looks again"
    if left:
        return f"still there: {', '.join(left)}; {again} {'goes on' if command == 'down' else 'removes it'}"
    if command == "down":
        return "nothing of the lab is left"
    runs = f" (the lab's Docker engine runs on until {again})" if private.pid() else ""
    return f"nothing half-made is left{runs}"


def _found(*, last: bool) -> list[str]:
    # The private engine is root's; for others what is left of it is somebody else's.
    ours = os.geteuid() == 0
    try:
        there = contents.look()
        lines = [f"cluster {name}" for name in there.nodes]
        lines += [f"container {name}" for name in there.broken_off]
        lines += [f"volume {name}" for name in volumes.left()]
    except engine.NoEngineError:
        there, lines = None, []
        if ours and last and private.was_killed():
            lines.append(f"what an engine of the lab's that was killed left in {private.DATA}")
    if not last or (there and there.labs):
        # Another lab is up, or comes or goes right now. The network is that lab's too.
        return [*lines, *_processes(private_ones=False)]
    if there and status.has_unused_network():
        lines.append(f"network {kind.NETWORK}")
    # An engine of ours that holds somebody else's containers goes on for them.
    goes_on = bool(there and there.foreign) and engine.current().ours
    private_ones = ours and not goes_on
    return [
        *lines,
        *(f"mount {at}" for at in (private.mounts() if private_ones else [])),
        *_processes(private_ones=private_ones),
    ]


def _processes(*, private_ones: bool) -> list[str]:
    """Find processes of our engine and of the lab's nodes by their command line, in /proc (Linux only)."""
    lines = []
    for folder in PROC.glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        program = Path(os.fsdecode(argv[0])).name
        names_us = private_ones and any(str(private.RUN).encode() in word for word in argv)
        # What runs in a container that some engine has is that container's, which is named above or is not ours.
        is_left = program in {"kubelet", "kube-proxy"} and _is_of_a_node(argv) and not _has_a_shim(folder)
        if is_left or (
            program in {"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy"} and names_us
        ):
            lines.append(f"process {folder.name} {program}")
    return lines


def _is_of_a_node(argv: list[bytes]) -> bool:
    """Tell by what kind has them told whether a kubelet or kube-proxy is of one of this lab's nodes."""
    lab = paths.name()
    begins = (f"--provider-id=kind://docker/{lab}/", f"--hostname-override={lab}-")
    return any(os.fsdecode(word).startswith(begins) for word in argv)


def _has_a_shim(folder: Path) -> bool:
    """Tell whether a process has a containerd-shim above it, as all have that run in a container."""
    while True:
        try:
            # proc(5), stat: the name in parentheses may hold anything; the parent is the second field after it.
            name, _, rest = (folder / "stat").read_text("utf-8", "replace").rpartition(")")
        except OSError:
            return False
        if "(containerd-shim" in name:
            return True
        parent = rest.split()[1]
        if parent == "0":
            return False
        folder = folder.with_name(parent)
