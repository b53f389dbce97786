"""The lock of a lab: one command that changes it runs at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from shimlab import paths
from shimlab.errors import LabError


def lock() -> Path:
    """Return the file that a running `up`, `down` or `node` holds locked."""
    return paths.state_dir() / "lock"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one command that changes the lab run at a time.

    Raises:
        LabError: another one is at work.
    """
    with lock().open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(
                "another `shimlab up`, `down` or `node` is at work", "wait for it to end"
            ) from error
        yield
