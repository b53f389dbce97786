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
            self._out.write(f"\r\x1b[K{line[:110]}")
            self._out.flush()
        elif time.monotonic() - self._noted >= QUIET_INTERVAL:
            self._noted = time.monotonic()
            self._out.write(f"  … {text[:140]} ({self.seconds:.0f} s)\n")
            self._out.flush()


@contextmanager
def step(title: str, out: TextIO | None = None) -> Iterator[Step]:
    """Announce a step on stderr, and say at its end how long it took or that it failed."""
    out = out or sys.stderr
    current = Step(title, out)
    clear = "\r\x1b[K" if out.isatty() else ""
    out.write(f"• {title}\n")
    out.flush()
    try:
        yield current
    except BaseException:
        out.write(f"{clear}✗ {title} ({current.seconds:.0f} s)\n")
        out.flush()
        raise
    out.write(f"{clear}✓ {title} ({current.seconds:.0f} s)\n")
    out.flush()


@contextmanager
def quiet() -> Iterator[None]:
    """Show no steps while the block runs: for a notebook, whose output is what came of them."""
    with redirect_stderr(io.StringIO()):
        yield


def say(text: str, out: TextIO | None = None) -> None:
    """Write one line that belongs to no step."""
    out = out or sys.stderr
    out.write(f"{text}\n")
    out.flush()
