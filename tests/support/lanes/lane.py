"""What a lane is: one nox session, or a part of one, with what it needs and what it changes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import NamedTuple


class Share(NamedTuple):
    """A share of the machine."""

    #: Processors that are kept busy on average.
    cores: float = 0.0
    #: Memory.
    gigabytes: float = 0.0
    #: Instances of inotify(7), of which Linux gives a user 128 unless it is told otherwise: a program without one ends.
    watchers: float = 0.0

    def and_(self, other: Share) -> Share:
        """Return both together."""
        return Share(*(one + two for one, two in zip(self, other, strict=True)))

    def fits(self, there: Share) -> bool:
        """Tell whether there is as much."""
        return all(one <= two + 1e-9 for one, two in zip(self, there, strict=True))


NOTHING, USUAL = Share(), Share(1.0, 0.5)


@dataclass(frozen=True)
class Lane:
    """One process of the whole run; its output is told in one piece."""

    name: str
    #: The nox session and its arguments: `./run SESSION -- ARGUMENTS` repeats it by itself.
    session: str
    arguments: tuple[str, ...] = ()
    #: Lanes that must have passed before, and lanes that must have ended, however they did.
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    #: What it reads and what it changes: two lanes do not run at once where one changes what the other names.
    reads: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    #: What it takes while it runs.
    takes: Share = USUAL
    #: What stays taken when it has passed, until the lane ``until`` has ended: a lab that it brought up.
    keeps: Share = NOTHING
    until: str = ""
    #: It runs if what it needs has ended at all, since it takes away what that may have left in part.
    clears: bool = False
    #: It does not run if a lane failed that it comes after: what that left is to be looked at.
    spares: bool = False
    #: Minutes, where it never ran on this machine.
    minutes: float = 1.0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """Return what somebody types to repeat it."""
        words = ["./run", self.session, *(["--", *self.arguments] if self.arguments else [])]
        return shlex.join(words)
