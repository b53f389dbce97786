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
            _show(self._out, f"\r\x1b[K{line[:110]}")
        elif time.monotonic() - self._noted >= QUIET_INTERVAL:
            self._noted = time.monotonic()
            _show(self._out, f"  … {text[:140]} ({self.seconds:.0f} s)\n")


@contextmanager
def step(title: str, out: TextIO | None = None) -> Iterator[Step]:
    """Announce a step on stderr, and say at its end how long it took or that it failed."""
    out = out or sys.stderr
    current = Step(title, out)
    clear = "\r\x1b[K" if out.isatty() else ""
    _show(out, f"• {title}\n")
    try:
        yield current
    except BaseException:
        _show(out, f"{clear}✗ {title} ({current.seconds:.0f} s)\n")
        raise
    _show(out, f"{clear}✓ {title} ({current.seconds:.0f} s)\n")


@contextmanager
def quiet() -> Iterator[None]:
    """Show no steps while the block runs: for a notebook, whose output is what came of them."""
    with redirect_stderr(io.StringIO()):
        yield


def say(text: str, out: TextIO | None = None) -> None:
    """Write one line that belongs to no step."""
    _show(out or sys.stderr, f"{text}\n")


def _show(out: TextIO, text: str) -> None:
    """Write it where there is room: no work ends because nobody can be told of it; but a reader who has gone ends it.

    Raises:
        BrokenPipeError: that reader.
    """
    try:
        out.write(text)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError:
        return
