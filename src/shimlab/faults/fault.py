"""What a fault is: declared once, with how it is made, how it shows and how it is undone.

What people are told of it is written in `facts/tables/faults.yaml`, for a terminal as for the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from shimfacts import faults
from shimfacts.schema import FactError
from shimlab.errors import LabError
from shimlab.faults.target import Target
from shimlab.paths import repository

WORKER = "worker"
CONTROL_PLANE = "control-plane"


@dataclass(frozen=True)
class Sign:
    """One thing seen on the live lab: the way it was looked at, and what was there."""

    way: str
    seen: str


Signs = tuple[Sign, ...]


def together(*signs: Sign | None) -> Signs:
    """Return the signs if all of them are there, and none otherwise: half of a symptom may be something else."""
    found = tuple(sign for sign in signs if sign is not None)
    return found if len(found) == len(signs) else ()


def nothing(target: Target) -> None:
    """Do nothing: what this fault breaks is mended by systemd or by the kubelet."""


@cache
def said() -> Mapping[str, faults.Said]:
    """Give what is said of each fault, in English, as a terminal shows it.

    Raises:
        LabError: it cannot be read.
    """
    try:
        return faults.plain(repository() / "facts")
    except (FactError, KeyError) as error:
        raise LabError(f"what is said of the faults cannot be read: {error}", "mend facts/") from error


@dataclass(frozen=True)
class Fault:
    """One way in which a node breaks."""

    name: str
    #: The runtimes, by the node's label, on which the symptom is the one that is declared.
    runtimes: tuple[str, ...]
    #: Break the node. Whatever has to be put back is put aside before it is changed.
    act: Callable[[Target], None]
    #: Look at the live lab and change nothing; return what shows the fault, or nothing as long as it does not show.
    symptom: Callable[[Target], Signs]
    #: Undo it, also where it was made only in part. What is more than that is asked for by ``health``.
    undo: Callable[[Target], None] = nothing
    #: Name what of this fault is still there after it was undone.
    left: Callable[[Target], list[str]] = lambda target: []
    #: Say why it does not fit a node that its runtime fits, or nothing.
    unfit: Callable[[Target], str] = lambda target: ""
    #: Help it to show, between two looks: a pod that came before the fault was felt has to go, for the next one.
    nudge: Callable[[Target], None] = nothing
    place: str = WORKER
    #: It shows only where a pod starts: one is started on the node for it.
    pod: bool = False
    #: It is made on a pod: one is started on the node and runs before it is broken.
    victim: bool = False
    #: How long it may take to show, in seconds.
    seconds: float = 90

    @property
    def title(self) -> str:
        """Say what is wrong, in a few words.

        Raises:
            LabError: it is said nowhere.
        """
        if self.name not in said():
            raise LabError(f"nothing is said of the fault {self.name}", f"write it into facts/{faults.PATH}")
        return said()[self.name].title
