"""What a lane is: one nox session, or a part of one, with what it needs and what it changes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field


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
    #: Processors that it keeps busy on average, and memory that it takes.
    cores: float = 1.0
    gigabytes: float = 0.5
    #: What stays taken when it has passed, until the lane ``until`` has ended: a lab that it brought up.
    keeps: tuple[float, float] = (0.0, 0.0)
    until: str = ""
    #: It runs if what it needs has ended at all, since it takes away what that may have left in part.
    clears: bool = False
    #: Minutes, where it never ran on this machine.
    minutes: float = 1.0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """Return what somebody types to repeat it."""
        words = ["./run", self.session, *(["--", *self.arguments] if self.arguments else [])]
        return shlex.join(words)
