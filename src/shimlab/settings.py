"""The settings that an environment gives the lab: every name that begins with SHIMLAB_, and what it may hold.

They are checked once, when a command or a notebook begins (:func:`check`), so that nothing is begun with a wrong one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shimlab.errors import WORD, LabError, one_line

PREFIX = "SHIMLAB_"


@dataclass(frozen=True)
class Setting:
    """One variable: its name, what it holds where nobody sets it, and what else it may hold.

    ``wrong`` ends the sentence "NAME=value …" and ``allowed`` says what to write instead. ``meaning`` is for whoever
    looks it up; one that only our own programs set is not ``public``.
    """

    name: str
    default: str
    fits: Callable[[str], bool]
    wrong: str
    allowed: str
    meaning: str
    public: bool = True

    def value(self) -> str:
        """Return what the environment says, or the default.

        Raises:
            LabError: the environment says what it may not.
        """
        found = os.environ.get(self.name, self.default)
        if not self.fits(found):
            raise LabError(f"{self.name}={one_line(found, WORD)} {self.wrong}", self.allowed)
        return found


def _is_factor(text: str) -> bool:
    try:
        # Also not where it is "nan", which no comparison holds for.
        return 1 <= float(text) <= 100
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    # Node names are made from it, and have to be names of hosts.
    return re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", text) is not None


NAME = Setting(
    "SHIMLAB_NAME",
    "shimlab",
    _is_name,
    "is no name for a cluster",
    "use a-z, 0-9 and -, at most 32; or unset SHIMLAB_NAME",
    "the name of the lab: a second lab beside the first needs another one",
)
PATIENCE = Setting(
    "SHIMLAB_PATIENCE",
    "1",
    _is_factor,
    "is no number from 1 to 100",
    "unset SHIMLAB_PATIENCE, or name one",
    "how many times as long everything may take on a slow machine before it is given up",
)
KEEP_RECORDS = Setting(
    "SHIMLAB_KEEP_RECORDS",
    "",
    lambda text: text in ("", "1"),
    "is not 1",
    "unset SHIMLAB_KEEP_RECORDS: it is set where notebooks are recorded",
    "write what notebooks see into notebooks/records, instead of comparing the two",
    public=False,
)
ALL = (NAME, PATIENCE, KEEP_RECORDS)


def check(environment: Mapping[str, str] = os.environ) -> None:
    """See that the environment says nothing wrong.

    Raises:
        LabError: a setting holds what it may not, or there is none of that name. A name that nobody reads is most
            often one that was mistyped, and the command would work on another lab than was meant.
    """
    known = {each.name: each for each in ALL}
    for name in sorted(environment):
        if name in known:
            known[name].value()
        elif name.startswith(PREFIX):
            import difflib

            near = difflib.get_close_matches(name, [each.name for each in ALL if each.public], 1)
            raise LabError(
                f"{one_line(name, WORD)} is no setting of the lab",
                f"unset it; there are {', '.join(each.name for each in ALL if each.public)}"
                + (f". Is {near[0]} meant?" if near else ""),
            )
