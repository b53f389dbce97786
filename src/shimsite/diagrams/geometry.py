"""Where the programs of a chain stand: rows from top to bottom, and the columns of boxes, calls and parents.

Who asks; the daemons between, one row each; the daemon that starts shims, with process 1 beside it; the shims with the
processes under them. All chains of a figure share the rows, so that what is the same in two of them stands at the same
height: a chain with fewer daemons between leaves the upper rows empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shimsite.diagrams.chain import Chain, RecordError, is_same

Ends = tuple[float, float]

WIDTH = 360.0
#: Left and right edge of all boxes, the column of the calls, and the lane that passes the daemons between; where one
#: of them is too wide for that, the lane begins so far beside it.
LEFT, RIGHT, CALL, LANE, BESIDE = 8.0, 352.0, 40.0, 212.0, 28.0
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

    def __init__(self, chain: Chain, rows: Rows, top: float, deep: int) -> None:
        """Place a chain; `top` is the height of the first row, `deep` how many rows there are between.

        Raises:
            RecordError: the chain holds a program or a connection for which there is no place.
        """
        self.chain, self.rows, self.deep = chain, rows, deep
        self.asker, *others = chain.programs
        *_, self.starter, self.shim = others
        self.between = between(chain)
        self.passed = self._passed()
        self.first = chain.processes[0].parents[-1]
        self.y_ask = rows.head
        self.ask_ends = self.y_ask + asking(chain, rows)
        self.y_rows = self.y_ask + top + rows.gap
        self.y_start = self.y_rows + deep * (rows.tab + rows.tall + rows.gap)
        self.start_ends = self.y_start + rows.tab + rows.box
        self.y_shim = self.start_ends + rows.gap
        self.shim_ends = self.y_shim + rows.tab + rows.box
        self.y_process = self.shim_ends + rows.below
        self.end = self.y_process + rows.tall + rows.foot
        #: Where the line of the parents turns on its way down.
        self.turn = self.start_ends + rows.gap * 0.3

    def y_between(self, name: str) -> float:
        """How high one of the daemons between stands: the last of them right above the one that starts shims."""
        row = self.deep - len(self.between) + self.between.index(name)
        return self.y_rows + row * (self.rows.tab + self.rows.tall + self.rows.gap)

    def between_ends(self, name: str) -> float:
        """Where the box of one of the daemons between ends."""
        return self.y_between(name) + self.rows.tab + self.rows.tall

    @property
    def takes_part(self) -> bool:
        """Tell whether the daemons between are some through which the calls go."""
        return bool(self.between) and self.between[0] in self.chain.programs

    def _passed(self) -> list[str]:
        """List the programs that the one who asks is connected to past those that it calls.

        Raises:
            RecordError: there is a connection past others that has no place: another one's, or one to the shims.
        """
        found = []
        for above, program in zip(self.chain.programs, self.chain.programs[1:], strict=False):
            socket = self.chain.at(program)
            names = [name for name in self.chain.programs if socket and socket.has_connected(name)]
            for name in names:
                if name in (above, program):
                    continue
                if name != self.asker or program == self.shim:
                    raise RecordError(
                        f"{self.chain.runtime}: {name} is connected to {program} past {above}, "
                        f"and only {self.asker} has a place for that, to who stands above {self.shim}"
                    )
                found.append(program)
        return found

    def shims(self) -> list[tuple[str, Ends]]:
        """Say what each shim is for, and where it stands."""
        if self.chain.shims == 1:
            return [("pod", (LEFT, RIGHT))]
        return [(process.of, ends) for process, ends in zip(self.chain.pod, HALVES, strict=True)]


def between(chain: Chain) -> tuple[str, ...]:
    """Name the daemons between: those through which the calls go, or one that is only connected; none where none is.

    Raises:
        RecordError: there are more than have a place.
    """
    middle = chain.programs[1:-2]
    connected = dict.fromkeys(
        name
        for each in chain.sockets
        for name in each.connected
        if not any(is_same(program, name) for program in chain.programs)
    )
    if len(connected) + bool(middle) > 1:
        raise RecordError(
            f"{chain.runtime}: who takes no part has a place between by itself, and there are "
            f"{', '.join((*middle, *connected))}"
        )
    return (*middle, *connected)


def depth(chains: Sequence[Chain]) -> int:
    """How many rows a figure of chains has for daemons between: one, also where there is none."""
    return max(1, *(len(between(chain)) for chain in chains))


def asking(chain: Chain, rows: Rows) -> float:
    """How high the box of who asks is; it may hold the one that answers."""
    return rows.box + (rows.tab + rows.box + 14 if chain.inside else 0)
