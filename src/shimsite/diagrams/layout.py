"""Draw a chain: boxes with their sockets as tabs, calls as arrows, parents as lines, and captions beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shimsite.diagrams import geometry, shapes
from shimsite.diagrams.chain import Chain, Process, RecordError, is_same
from shimsite.diagrams.geometry import (
    BESIDE,
    CALL,
    FIRST,
    HALVES,
    INSIDE,
    LANE,
    LEFT,
    LOOP,
    RIGHT,
    Ends,
    Places,
    Rows,
)
from shimsite.diagrams.shapes import Part, Picture, Text
from shimsite.diagrams.words import CAPTIONS, SPOKEN

Point = tuple[float, float]


def draw(
    chains: Sequence[Chain], lang: str, describe: Iterable[tuple[str, str]], rows: Rows = geometry.FULL
) -> list[Picture]:
    """Draw chains beside one another; `describe` gives the title and the description of each.

    Raises:
        RecordError: a chain holds what has no place in the picture.
    """
    top = max(geometry.asking(chain, rows) for chain in chains)
    deep = geometry.depth(chains)
    return [
        _Sheet(Places(chain, rows, top, deep), lang).draw(title, description)
        for chain, (title, description) in zip(chains, describe, strict=True)
    ]


class _Sheet:
    """One picture in the making."""

    def __init__(self, at: Places, lang: str) -> None:
        self.at, self.chain, self.rows, self.words = at, at.chain, at.rows, CAPTIONS[lang]
        self.parts: list[Part] = []

    def draw(self, title: str, description: str) -> Picture:
        """Draw all parts, from back to front."""
        self._band()
        self._parents()
        self._ask()
        self._calls()
        if self.chain.inside:
            self._server(
                self.chain.inside, INSIDE, self.at.y_ask + self.rows.box, self.rows.box, "box inside"
            )
        self._daemons()
        self._shims()
        self._processes()
        if self.rows.full:
            where = (self.chain.node, True), (" · ", False), (self.chain.reported, True)
            title_line = self._caption(LEFT, 15, "title", self.chain.runtime, look="title")
            self._add("", "heading", (), title_line, Text(LEFT, 34, where, "code"))
        return Picture(
            geometry.WIDTH, self.at.end + (8 if self.rows.full else 2), title, description, self.parts
        )

    # ---- Boxes ------------------------------------------------------------------------------------

    def _ask(self) -> None:
        at, right = self.at, LOOP if self.chain.inside else RIGHT
        box = shapes.rect(LEFT, at.y_ask, right - LEFT, at.ask_ends - at.y_ask)
        name = self._name(LEFT + 12, at.y_ask, at.asker)
        version = Text(name.x + name.width + 8, name.y, ((self.chain.kubelet, True),), "code")
        self._add(at.asker, "box", (box,), name, *([version] if self.rows.full else []))

    def _daemons(self) -> None:
        at, rows, (left, right) = self.at, self.rows, FIRST
        for each in at.between:
            ends, look = (LEFT, self._right(each)), "box" if at.takes_part else "box idle"
            self._server(each, ends, at.y_between(each), rows.tall, look)
        self._server(at.starter, geometry.STARTER, at.y_start, rows.box)
        middle = (at.y_start + at.start_ends) / 2
        name = Text(left + 10, middle - (4 if rows.full else -5), ((at.first, True),), "name")
        texts = [name, *([self._caption(left + 10, middle + 15, "first")] if rows.full else [])]
        box = shapes.rect(left, at.y_start, right - left, at.start_ends - at.y_start)
        self._add(at.first, "box", (box,), *texts)

    def _right(self, name: str) -> float:
        """Say where the box of a daemon between ends at the right: where its name and its socket's path have room."""
        socket = self.chain.at(name)
        path = self._path(0, 0, socket.path).width + 16 if socket and self.rows.full else 0
        return max(geometry.BETWEEN[1], LEFT + path, LEFT + 24 + self._name(0, 0, name).width)

    def _server(self, name: str, ends: Ends, y: float, height: float, look: str = "box") -> None:
        """Draw who listens at a socket: the socket as a tab with its path, and below it the box."""
        socket, rows, (left, right) = self.chain.at(name), self.rows, ends
        drawn = [shapes.rect(left, y + rows.tab, right - left, height)]
        texts = [self._name(left + 12, y + rows.tab, name)]
        if socket:
            path = self._path(left + 8, y, socket.path)
            drawn.insert(0, shapes.tab(left, y, min(path.width + 16, right - left), rows.tab + 6))
            texts += [path] if rows.full else []
        if rows.full:
            texts += self._remarks(name, texts[0], right)
        self._add(name, look, tuple(drawn), *texts)

    def _remarks(self, name: str, title: Text, right: float) -> list[Text]:
        """Say what else is known of who listens: which CRI it answers in, who listens too, that nobody calls it."""
        socket, is_between = self.chain.at(name), name in self.at.between
        found = []
        if socket is self.chain.sockets[0]:
            x, y, anchor = (title.x, title.y + 18, "start") if is_between else (right - 10, title.y, "end")
            found.append(self._caption(x, y, "cri-version", self.chain.cri, anchor=anchor))
        if is_between and not self.at.takes_part:
            found.append(self._caption(title.x, title.y + 18, "idle"))
        elif is_between and socket:
            others = [each for each in socket.listens if not is_same(name, each)]
            x = found[-1].x + found[-1].width + 12 if found else title.x
            found += [self._caption(x, title.y + 18, "too", ", ".join(others))] if others else []
        return found

    def _shims(self) -> None:
        at, rows = self.at, self.rows
        full = self.chain.processes[0].shim
        socket = self.chain.at(full)
        for of, (left, right) in at.shims():
            path = self._path(left + 6, at.y_shim, socket.path if socket else "")
            drawn = (
                shapes.tab(left, at.y_shim, path.width + 12, rows.tab + 6),
                shapes.rect(left, at.y_shim + rows.tab, right - left, rows.box),
            )
            # The whole name fits in small letters only; the map has the kernel's short one.
            name, look = (full, "tight") if rows.full else (at.shim, "name")
            title = Text(left + 6, at.y_shim + rows.tab + rows.box / 2 + 4, ((name, True),), look)
            self._add(f"shim-{of}", "box", drawn, *([path, title] if rows.full else [title]))

    def _processes(self) -> None:
        rows, y = self.rows, self.at.y_process
        for process, (left, right) in zip(self.chain.pod, HALVES, strict=True):
            name = Text(left + 12, y + 21, ((process.name, True),), "name")
            texts = [name, *([self._caption(left + 12, y + 39, process.of)] if rows.full else [])]
            box = shapes.rect(left, y, right - left, rows.tall)
            self._add(f"process-{process.of}", "box", (box,), *texts)
            self._gone(process, left + CALL + 8)

    def _gone(self, process: Process, x: float) -> None:
        """Draw the program that the shim is named for: it set the process up and ended."""
        rows, height = self.rows, 24.0 if self.rows.full else 18.0
        y = self.at.y_process - (rows.below + height) / 2
        words = self._caption(x + 10, y + height / 2 + 4, "gone" if rows.full else "it", runtime_of(process))
        self._add(
            f"gone-{process.of}", "chip", (shapes.rect(x, y, words.width + 20, height, height / 2),), words
        )

    def _band(self) -> None:
        """Draw what is in one of the starter's namespaces, and say how many shims there are."""
        y, end = self.at.y_shim - 9, self.at.end
        texts = []
        if self.rows.full:
            texts = [
                self._caption(LEFT + 4, end - 9, "namespace", self.chain.processes[0].namespace),
                self._caption(RIGHT - 4, end - 9, "shims", str(self.chain.shims), anchor="end"),
            ]
        self._add("", "band", (shapes.rect(0.5, y, geometry.WIDTH - 1, end - y, 6),), *texts)

    # ---- Lines ------------------------------------------------------------------------------------

    def _calls(self) -> None:
        chain, at = self.chain, self.at
        if chain.inside:
            self._loop()
        if at.takes_part:
            caller, y = (chain.inside, at.ask_ends - 14) if chain.inside else (at.asker, at.ask_ends)
            for each in at.between:
                self._call(caller, each, (CALL, y), (CALL, at.y_between(each)))
                caller, y = each, at.between_ends(each)
            self._call(caller, at.starter, (CALL, y), (CALL, at.y_start))
            self._past()
        else:
            self._call(at.asker, at.starter, (LANE, at.ask_ends), (LANE, at.y_start))
            socket = self.chain.at(at.starter)
            for each in (name for name in at.between if socket and socket.has_connected(name)):
                self._aside(each, at.starter, (CALL, at.between_ends(each)), (CALL, at.y_start))
        for of, (left, _) in at.shims():
            x = left + CALL - LEFT
            ends = (x, at.start_ends), (x, at.y_shim)
            self._call(at.starter, f"shim-{of}", *ends, crosses=left > LEFT)

    def _past(self) -> None:
        """Draw the connections of who asks past those that it calls: by a lane that goes around what is wide."""
        at, y = self.at, self.at.ask_ends
        lane = [(LANE, y)]
        if wide := [each for each in at.between if self._right(each) > geometry.BETWEEN[1]]:
            x, turn = max(map(self._right, wide)) + BESIDE, at.between_ends(wide[-1]) + self.rows.gap / 2
            lane = [(x, y), (x, turn), (LANE, turn)]
        for program in at.passed:
            if program == at.starter:
                self._aside(at.asker, program, *lane, (LANE, at.y_start))
            else:
                middle = at.between_ends(program) - self.rows.tall / 2
                self._aside(at.asker, program, *lane, (LANE, middle), (self._right(program), middle))

    def _loop(self) -> None:
        """Draw the call that leaves the program of who asks and comes back into it."""
        at, rows, path = self.at, self.rows, self._path(0, 0, self.chain.sockets[0].path)
        y, inside, edge = (
            at.y_ask + rows.box / 2,
            at.y_ask + rows.box + rows.tab / 2,
            INSIDE[0] + path.width + 16,
        )
        points = ((LOOP, y), (RIGHT, y), (RIGHT, inside), (edge, inside))
        words = [self._caption(edge + 12, inside - 7, "cri")] if rows.full else []
        self._add(f"{at.asker}>{self.chain.inside}", "call", (shapes.arrow(*points),), *words)

    def _call(self, caller: str, to: str, start: Point, end: Point, *, crosses: bool = False) -> None:
        program = self.at.shim if to.startswith("shim-") else to
        word = "cri" if self.chain.at(program) is self.chain.sockets[0] else spoken(program)
        said = self._caption(
            end[0] + 10, end[1] - self.rows.gap / 2 + 6, word, to if word == "containerd" else ""
        )
        gap = [shapes.gap(start[0], self.at.turn)] if crosses else []
        texts = [said] if self.rows.full else []
        self._add(f"{caller}>{to}", "call", (*gap, shapes.arrow(start, end)), *texts)

    def _aside(self, who: str, to: str, *points: Point) -> None:
        """Draw a connection over which nobody was asked for anything."""
        (x, y), (_, before) = points[-1], points[-2]
        # Beside the lane: above where it ends, or where it turns to the left.
        at = (x + 10, y - self.rows.gap / 2 + 6) if y != before else (points[-2][0] + 10, y + 4)
        texts = [self._caption(*at, "aside")] if self.rows.full else []
        self._add(f"{who}-{to}", "aside", (shapes.line(*points),), *texts)

    def _parents(self) -> None:
        at, x = self.at, FIRST[1] - 12
        for of, (_, right) in at.shims():
            to, end = right - 12, at.y_shim + self.rows.tab
            bend = [] if to == x else [(x, at.turn), (to, at.turn)]
            drawn = shapes.line((x, at.start_ends), *bend, (to, end))
            self._add(f"{at.first}/shim-{of}", "parent", (drawn,))
        if self.rows.full:
            self._add("", "parent", (), self._caption(x - 8, at.turn + 15, "parent", anchor="end"))
        for process, (left, _) in zip(self.chain.pod, HALVES, strict=True):
            x, of = left + CALL - LEFT - 8, process.of if self.chain.shims > 1 else "pod"
            drawn = shapes.line((x, at.shim_ends), (x, at.y_process))
            self._add(f"shim-{of}/{process.of}", "parent", (drawn,))

    # ---- Text -------------------------------------------------------------------------------------

    def _name(self, x: float, y: float, name: str) -> Text:
        return Text(x, y + self.rows.box / 2 + 5, ((name, True),), "name")

    def _path(self, x: float, y: float, path: str) -> Text:
        return Text(x, y + self.rows.tab - 6, ((path, True),), "code")

    def _caption(
        self, x: float, y: float, word: str, recorded: str = "", *, look: str = "small", anchor: str = "start"
    ) -> Text:
        before, mark, after = self.words[word].partition("{}")
        pieces = ((before, False), *(((recorded, True),) if mark else ()), (after, False))
        return Text(x, y, tuple(piece for piece in pieces if piece[0]), look, anchor)

    def _add(self, name: str, look: str, drawn: tuple[str, ...], *texts: Text) -> None:
        self.parts.append(Part(name, look, drawn, texts))


def spoken(server: str) -> str:
    """Say what is spoken to a program at its own socket, as captions and sentences have it.

    Raises:
        RecordError: it is a program of which that is not known.
    """
    if server not in SPOKEN:
        raise RecordError(f"what is spoken to {server} is not known; it is of {', '.join(SPOKEN)}")
    return SPOKEN[server]


def runtime_of(process: Process) -> str:
    """Name the program that a shim is made for: its name says so.

    Raises:
        RecordError: it does not.
    """
    match = re.fullmatch(r"containerd-shim-(\w+)-v\d+", process.shim)
    if match is None:
        raise RecordError(
            f"the shim's name {process.shim!r} does not say what it runs: containerd-shim-NAME-vN"
        )
    return match[1]
