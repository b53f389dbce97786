"""Wait until something is so, and no longer than a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from shimlab.errors import LabError

POLL_SECONDS = 0.2
Found = TypeVar("Found")


def wait(met: Callable[[], Found], what: str, seconds: float = 90) -> Found:
    """Ask until the answer is true, and return it; what cannot be asked yet is not so yet.

    ``what`` completes the sentence "not within 90 s: …".

    Raises:
        LabError: it is not so after ``seconds``; the message has the last reason that was given, if any was.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            found, why = met(), ""
        except LabError as error:
            found, why = None, f" ({error.what})"
        if found:
            return found
        if time.monotonic() > deadline:
            raise LabError(
                f"not within {seconds:.0f} s: {what}{why}", "`shimlab status` tells how the lab is"
            )
        time.sleep(POLL_SECONDS)
