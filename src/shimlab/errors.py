"""The one error that a user of shimlab is meant to read."""

from __future__ import annotations


class LabError(Exception):
    """Something the user can mend: what happened and where, then what to do next.

    ``what`` and ``remedy`` are one line each; the command prints both and exits with status 1.
    """

    def __init__(self, what: str, remedy: str) -> None:
        """Keep both lines apart for whoever shows them."""
        super().__init__(f"{what}\n{remedy}")
        self.what = what
        self.remedy = remedy
