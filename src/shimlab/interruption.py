"""Signals that end a command: they interrupt it once, and what it then puts in order is put in order.

Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) are the same to us. Python hands signals to the main thread alone,
so in any other nothing here does anything, and nothing has to.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from shimlab import progress
from shimlab.waiting import bound

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: How long a command that was interrupted is let put things in order before it can be interrupted again.
SECONDS = 300

Handler = Callable[[int, FrameType | None], None]


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Let the first of the signals raise KeyboardInterrupt; those that follow within SECONDS are ignored.

    A second one would break into what the first one has brought about. Those that we were started to ignore (nohup) are
    ignored.

    Raises:
        KeyboardInterrupt: one came.
    """
    deaf_until = 0.0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal deaf_until
        if time.monotonic() > deaf_until:
            deaf_until = time.monotonic() + bound(SECONDS)
            raise KeyboardInterrupt

    with _instead(interrupt):
        yield


@contextlib.contextmanager
def cleaning_up(seconds: float = SECONDS) -> Iterator[None]:
    """Ignore the signals for as long, and drop what nobody can be told: what is in the block is done.

    Raises:
        KeyboardInterrupt: a signal came after ``seconds``.
    """
    deadline = time.monotonic() + bound(seconds)

    def ignore(number: int, frame: FrameType | None) -> None:
        if time.monotonic() > deadline:
            raise KeyboardInterrupt

    with _instead(ignore), progress.dropped():
        yield


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let a signal interrupt only when the block has ended, which has a bound of its own.

    Raises:
        KeyboardInterrupt: one came meanwhile.
    """
    came: list[int] = []
    try:
        with _instead(lambda number, _: came.append(number)):
            yield
    finally:
        if came:
            # It is for the handler that is there now: within `cleaning_up` it does not interrupt.
            signal.raise_signal(came[0])


@contextlib.contextmanager
def _instead(handler: Handler) -> Iterator[None]:
    if not _is_main():
        yield
        return
    before = {sign: signal.getsignal(sign) for sign in SIGNALS}
    try:
        for sign, was in before.items():
            if was is not signal.SIG_IGN:
                signal.signal(sign, handler)
        yield
    finally:
        for sign, was in before.items():
            # None: not Python's own, and it cannot be put back.
            signal.signal(sign, signal.SIG_DFL if was is None else was)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
