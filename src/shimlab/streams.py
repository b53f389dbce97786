"""Standard input, output and error of a command, whatever the shell made of them: closed, full, read by nobody."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

from shimlab.errors import LabError


def prepare() -> None:
    """See that there is an input, an output and a place for errors; the first and the last may be nowhere.

    A descriptor that is closed would be the next file's that is opened, and what is printed would go there.

    Raises:
        LabError: the output is closed.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
    # Python has none where it found none.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, as long as we run
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    # One that keeps nothing back (PYTHONUNBUFFERED) would not tell later that it is the output that does not take it.
    if sys.stdout is None or _keeps_nothing(sys.stdout):
        encoding = "utf-8" if sys.stdout is None else sys.stdout.encoding
        sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # An output without such letters gets their codes, as the place for errors does.
        sys.stdout.reconfigure(errors="backslashreplace")
    if 1 in closed:
        raise LabError("the output is closed", "let it go somewhere: `>/dev/null` where nobody reads it")


def tell(text: str) -> None:
    """Write to the user where the place for errors can take it, and nowhere else."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def flush() -> None:
    """Write what is still to be printed.

    Raises:
        OSError: the output does not take it.
    """
    sys.stdout.flush()


def refused() -> bool:
    """Tell whether the output does not take what is to be printed."""
    try:
        flush()
    except OSError:
        return True
    return False


def settle() -> None:
    """Drop what an output did not take: Python would try once more at its end, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _keeps_nothing(stream: TextIO) -> bool:
    return stream is sys.__stdout__ and not isinstance(stream.buffer, io.BufferedWriter)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
