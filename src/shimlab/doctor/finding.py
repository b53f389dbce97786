"""What doctor says of one condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One condition: its lasting name, whether it stops the lab, what was found, and the fix unless all is well."""

    name: str
    state: State
    found: str
    fix: str = ""

    def __post_init__(self) -> None:
        """Refuse a complaint without a fix, and a fix without a complaint."""
        if (self.state == "ok") == bool(self.fix):
            raise ValueError(f"{self.name}: {self.state} with the fix {self.fix!r}")


def ok(name: str, found: str) -> Finding:
    """Return a finding that is in nobody's way."""
    return Finding(name, "ok", found)


def warning(name: str, found: str, fix: str) -> Finding:
    """Return a finding that may get in the way, or that nobody has tried."""
    return Finding(name, "warning", found, fix)


def problem(name: str, found: str, fix: str) -> Finding:
    """Return a finding that stops the lab."""
    return Finding(name, "problem", found, fix)
