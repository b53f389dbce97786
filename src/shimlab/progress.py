"""What the user sees of long work: a line when a step begins, its last sign of life, and how long it took."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TextIO

# Without a terminal a sign of life goes out this often, in seconds, so that a log stays readable.
QUIET_INTERVAL = 15.0
# The colours and cursor moves that programs write even into a pipe.
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
#: How many blocks are under way that go on without a reader, and how it was noticed that he has gone.
_dropping = 0
_lost: list[BrokenPipeError] = []


class Step:
    """One running step; ``note`` shows what it is at."""

    def __init__(self, title: str, out: TextIO) -> None:
        """Start the clock."""
        self.title = title
        self.began = time.monotonic()
        self._out = out
        self._noted = self.began

    @property
    def seconds(self) -> float:
        """Return how long the step has run."""
        return time.monotonic() - self.began

    def note(self, text: str) -> None:
        """Show a detail: in place on a terminal, now and then elsewhere."""
        text = " ".join(ANSI.sub("", text).split())
        if self._out.isatty():
            line = f"  … {self.title}: {text}"
            _write(self._out, f"\r\x1b[K{line[:110]}")
        elif time.monotonic() - self._noted >= QUIET_INTERVAL:
            self._noted = time.monotonic()
            _write(self._out, f"  … {text[:140]} ({self.seconds:.0f} s)\n")


@contextmanager
def step(title: str, out: TextIO | None = None) -> Iterator[Step]:
    """Announce a step on stderr, and say at its end how long it took or that it failed."""
    out = out or sys.stderr
    current = Step(title, out)
    clear = "\r\x1b[K" if out.isatty() else ""
    _write(out, f"• {title}\n")
    try:
        yield current
    except BaseException:
        # Why it failed matters more than that nobody reads this.
        _write(out, f"{clear}✗ {title} ({current.seconds:.0f} s)\n", drop=True)
        raise
    _write(out, f"{clear}✓ {title} ({current.seconds:.0f} s)\n")


@contextmanager
def quiet() -> Iterator[None]:
    """Show no steps while the block runs: for a notebook, whose output is what came of them."""
    with redirect_stderr(io.StringIO()):
        yield


def say(text: str, out: TextIO | None = None) -> None:
    """Write one line that belongs to no step."""
    _write(out or sys.stderr, f"{text}\n")


@contextmanager
def dropped() -> Iterator[None]:
    """Go on though the reader of stderr has gone, while the block runs: what is done there is to be done whole."""
    global _dropping
    _dropping += 1
    try:
        yield
    finally:
        _dropping -= 1


@contextmanager
def unheard() -> Iterator[None]:
    """Do what is in the block to its end, whoever listens, and only then say that the reader has gone.

    Raises:
        BrokenPipeError: he has.
    """
    _lost.clear()
    with dropped():
        yield
    if _lost:
        raise _lost[0]


def _write(out: TextIO, text: str, *, drop: bool = False) -> None:
    """Write it where there is room: no work ends because nobody can be told of it; but a reader who has gone ends it.

    Raises:
        BrokenPipeError: that reader; not with ``drop``, and not while it is :func:`dropped`.
    """
    try:
        out.write(text)
        out.flush()
    except BrokenPipeError as error:
        if not (drop or _dropping):
            raise
        _lost[:] = _lost or [error]
    except OSError:
        return
