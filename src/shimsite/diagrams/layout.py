"""Draw a chain: boxes with their sockets as tabs, calls as arrows, parents as lines, and captions beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shimsite.diagrams import geometry, shapes
from shimsite.diagrams.chain import Chain, Process, RecordError
from shimsite.diagrams.geometry import (
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
    return [
        _Sheet(Places(chain, rows, top), lang).draw(title, description)
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
        if at.between:
            self._server(
                at.between, geometry.BETWEEN, at.y_between, rows.tall, "box" if at.takes_part else "box idle"
            )
        self._server(at.starter, geometry.STARTER, at.y_start, rows.box)
        middle = (at.y_start + at.start_ends) / 2
        name = Text(left + 10, middle - (4 if rows.full else -5), ((at.first, True),), "name")
        texts = [name, *([self._caption(left + 10, middle + 15, "first")] if rows.full else [])]
        box = shapes.rect(left, at.y_start, right - left, at.start_ends - at.y_start)
        self._add(at.first, "box", (box,), *texts)

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
        socket = self.chain.at(name)
        if socket is self.chain.sockets[0]:
            return [self._caption(right - 10, title.y, "cri-version", self.chain.cri, anchor="end")]
        if name != self.at.between:
            return []
        if not self.at.takes_part:
            return [self._caption(title.x, title.y + 18, "idle")]
        others = [each for each in (socket.listens if socket else ()) if each != name]
        return [self._caption(title.x, title.y + 18, "too", ", ".join(others))] if others else []

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
            self._call(caller, at.between, (CALL, y), (CALL, at.y_between))
            self._call(at.between, at.starter, (CALL, at.between_ends), (CALL, at.y_start))
            self._aside(at.asker, (LANE, at.ask_ends), (LANE, at.y_start))
        else:
            self._call(at.asker, at.starter, (LANE, at.ask_ends), (LANE, at.y_start), "cri")
            self._aside(at.between, (CALL, at.between_ends), (CALL, at.y_start))
        for of, (left, _) in at.shims():
            x = left + CALL - LEFT
            ends = (x, at.start_ends), (x, at.y_shim)
            self._call(at.starter, f"shim-{of}", *ends, spoken(at.shim), crosses=left > LEFT)

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

    def _call(
        self, caller: str, to: str, start: Point, end: Point, word: str = "", *, crosses: bool = False
    ) -> None:
        word = word or spoken(to)
        said = self._caption(
            end[0] + 10, end[1] - self.rows.gap / 2 + 6, word, to if word == "containerd" else ""
        )
        gap = [shapes.gap(start[0], self.at.turn)] if crosses else []
        texts = [said] if self.rows.full else []
        self._add(f"{caller}>{to}", "call", (*gap, shapes.arrow(start, end)), *texts)

    def _aside(self, who: str, start: Point, end: Point) -> None:
        """Draw a connection over which nobody was asked for anything, if the record holds it."""
        socket = self.chain.at(self.at.starter)
        if not who or socket is None or who not in socket.connected:
            return
        words = self._caption(end[0] + 10, end[1] - self.rows.gap / 2 + 6, "aside")
        texts = [words] if self.rows.full else []
        self._add(f"{who}-{self.at.starter}", "aside", (shapes.line(start, end),), *texts)

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
