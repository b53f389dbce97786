"""Wait until something is so, and no longer than a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from shimlab import settings
from shimlab.errors import LabError
from shimlab.progress import Step

POLL_SECONDS = 0.2
# A round of questions to a whole node takes longer than one.
POLL_SECONDS_OF_NODES = 0.5
PATIENCE = settings.PATIENCE.name
Found = TypeVar("Found")


def bound(seconds: float) -> float:
    """Return how long to wait on this machine for what takes less than ``seconds`` on an ordinary one.

    The same, unless SHIMLAB_PATIENCE says how many times as long: an emulated machine does all that others do, later.

    Raises:
        LabError: SHIMLAB_PATIENCE is not a number from 1 to 100.
    """
    return seconds * float(settings.PATIENCE.value())


def soon(met: Callable[[], Found], seconds: float, poll: float | None = None) -> Found:
    """Ask until the answer is true or the time is over, and return the last answer; errors are not caught.

    ``seconds`` is for an ordinary machine (:func:`bound`), ``poll`` lies between two questions.
    """
    seconds = bound(seconds)
    deadline = time.monotonic() + seconds
    while not (found := met()) and time.monotonic() <= deadline:
        time.sleep(POLL_SECONDS if poll is None else poll)
    return found


def wait(met: Callable[[], Found], what: str, seconds: float = 90) -> Found:
    """Ask until the answer is true, and return it; what cannot be asked yet is not so yet.

    ``what`` completes the sentence "not within 90 s: …", ``seconds`` is for an ordinary machine (:func:`bound`).

    Raises:
        LabError: it is not so after ``seconds``; the message has the last reason that was given, if any was.
    """
    why = ""

    def asked() -> Found | None:
        nonlocal why
        try:
            found, why = met(), ""
        except LabError as error:
            why = f" ({error.what})"
            return None
        return found

    if found := soon(asked, seconds):
        return found
    raise LabError(f"not within {bound(seconds):.0f} s: {what}{why}", "`shimlab status` tells how the lab is")


def until(current: Step, seconds: float, missing: Callable[[], list[str]]) -> None:
    """Wait until nothing is missing; what cannot be asked yet is missing too.

    Raises:
        LabError: something still is after ``seconds``.
    """
    left: list[str] = []

    def is_there() -> bool:
        nonlocal left
        try:
            left = missing()
        except LabError as error:
            left = [error.what]
        if left:
            current.note("waiting: " + "; ".join(left))
        return not left

    if not soon(is_there, seconds, POLL_SECONDS_OF_NODES):
        raise LabError(
            f"not within {bound(seconds):.0f} s: {'; '.join(left)}", "`shimlab status` tells how the lab is"
        )
