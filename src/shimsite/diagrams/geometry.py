"""Where the programs of a chain stand: four rows from top to bottom, and the columns of boxes, calls and parents.

Who asks; a daemon between; the daemon that starts shims, with process 1 beside it; the shims with the processes under
them. All chains of a figure share the rows, so that what is the same in two of them stands at the same height.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shimsite.diagrams.chain import Chain, RecordError

Ends = tuple[float, float]

WIDTH = 360.0
#: Left and right edge of all boxes, the column of the calls, and the lane that passes the daemon between.
LEFT, RIGHT, CALL, LANE = 8.0, 352.0, 40.0, 212.0
BETWEEN: Ends = (LEFT, 184.0)
STARTER: Ends = (LEFT, 240.0)
FIRST: Ends = (256.0, RIGHT)
HALVES: tuple[Ends, Ends] = ((LEFT, 174.0), (186.0, RIGHT))
#: The one that answers within who asks; the call to it goes out at the right and comes back in.
INSIDE: Ends = (LEFT + 12, RIGHT - 32)
LOOP = RIGHT - 20


@dataclass(frozen=True)
class Rows:
    """Heights: of the heading, boxes with a line of text and with two, tabs, what lies between rows, and the foot."""

    head: float
    box: float
    tall: float
    tab: float
    gap: float
    below: float
    foot: float
    #: Whether there is room for all that the record says, or for names alone.
    full: bool


FULL = Rows(head=52, box=36, tall=50, tab=21, gap=46, below=44, foot=26, full=True)
SMALL = Rows(head=2, box=32, tall=32, tab=8, gap=26, below=30, foot=8, full=False)


class Places:
    """The programs of a chain by their part in it, and the heights at which they stand."""

    def __init__(self, chain: Chain, rows: Rows, top: float) -> None:
        """Place a chain; `top` is the height of the first row.

        Raises:
            RecordError: the chain holds a program for which there is no place.
        """
        self.chain, self.rows = chain, rows
        self.asker, *others = chain.programs
        *middle, self.starter, self.shim = others
        self.between = self._between(middle)
        self.first = chain.processes[0].parents[-1]
        self.y_ask = rows.head
        self.ask_ends = self.y_ask + asking(chain, rows)
        self.y_between = self.y_ask + top + rows.gap
        self.between_ends = self.y_between + rows.tab + rows.tall
        self.y_start = self.between_ends + rows.gap
        self.start_ends = self.y_start + rows.tab + rows.box
        self.y_shim = self.start_ends + rows.gap
        self.shim_ends = self.y_shim + rows.tab + rows.box
        self.y_process = self.shim_ends + rows.below
        self.end = self.y_process + rows.tall + rows.foot
        #: Where the line of the parents turns on its way down.
        self.turn = self.start_ends + rows.gap * 0.3

    def _between(self, middle: Iterable[str]) -> str:
        """Name the daemon between, which takes part or is only connected; nothing where there is none."""
        known = {*self.chain.programs, *middle}
        connected = (name for each in self.chain.sockets for name in each.connected if name not in known)
        found = tuple(dict.fromkeys((*middle, *connected)))
        if len(found) > 1:
            raise RecordError(
                f"{self.chain.runtime}: one has a place between, and there are {', '.join(found)}"
            )
        return found[0] if found else ""

    @property
    def takes_part(self) -> bool:
        """Tell whether the daemon between is one through which the calls go."""
        return self.between in self.chain.programs

    def shims(self) -> list[tuple[str, Ends]]:
        """Say what each shim is for, and where it stands."""
        if self.chain.shims == 1:
            return [("pod", (LEFT, RIGHT))]
        return [(process.of, ends) for process, ends in zip(self.chain.pod, HALVES, strict=True)]


def asking(chain: Chain, rows: Rows) -> float:
    """How high the box of who asks is; it may hold the one that answers."""
    return rows.box + (rows.tab + rows.box + 14 if chain.inside else 0)
