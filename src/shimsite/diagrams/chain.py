"""The record of the call chain, as a notebook kept it: read strictly, so that a record of another shape is refused.

`notebooks/records/NAME.json` maps the name of a runtime to what was seen on a node that runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path("notebooks") / "records"
#: The kernel keeps no more of a program's name.
COMM = 15
#: The program that holds a pod's namespaces; the record gives it no other sign.
PAUSE = "pause"


class RecordError(ValueError):
    """A record that cannot be drawn; says the file, the key, and what is wrong there."""


@dataclass(frozen=True)
class Socket:
    """A socket: its path, who listens there, who is connected."""

    path: str
    listens: tuple[str, ...]
    connected: tuple[str, ...]

    def has_listening(self, program: str) -> bool:
        """Tell whether a program listens there."""
        return any(is_same(program, name) for name in self.listens)

    def has_connected(self, program: str) -> bool:
        """Tell whether a program is connected there."""
        return any(is_same(program, name) for name in self.connected)


@dataclass(frozen=True)
class Process:
    """A process of a container: the shim that it is under, containerd's namespace, its parents from near to far."""

    name: str
    shim: str
    namespace: str
    parents: tuple[str, ...]

    @property
    def of(self) -> str:
        """Say which of the pod's two containers it is, in the word that steps use for it."""
        return "sandbox" if self.name == PAUSE else "container"


@dataclass(frozen=True)
class Step:
    """A call or an event: who wrote it down, what it is, what it is about, and what else the line says."""

    by: str
    call: str
    of: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Chain:
    """What was seen on one node while a pod was started there."""

    runtime: str
    node: str
    kubelet: str
    #: What the node reports, `docker://…`.
    reported: str
    #: The CRI that was answered at the first socket.
    cri: str
    sockets: tuple[Socket, ...]
    processes: tuple[Process, ...]
    shims: int
    steps: tuple[Step, ...]

    @property
    def pod(self) -> tuple[Process, ...]:
        """Give its processes, the sandbox first."""
        return tuple(sorted(self.processes, key=lambda process: process.of != "sandbox"))

    @property
    def programs(self) -> tuple[str, ...]:
        """List the programs that took part, from call to call: in the order in which they first spoke.

        A runtime that is a program of its own and writes nothing down, as dockershim out of the tree, stands where
        its socket says: after the first, whose calls come to it.
        """
        first, *others = dict.fromkeys(step.by for step in self.steps)
        top = self.sockets[0]
        is_silent = top.has_listening(self.runtime) and not any(map(top.has_listening, (first, *others)))
        return (first, *([self.runtime] if is_silent else []), *others)

    @property
    def inside(self) -> str:
        """Name the part of the kubelet that answers CRI, if the kubelet itself listens at its runtime's socket."""
        return self.runtime if self.sockets[0].has_listening(self.steps[0].by) else ""

    def at(self, program: str) -> Socket | None:
        """Find the socket of a program; the one for its own calls is not that of its part inside."""
        if program == self.inside:
            return self.sockets[0]
        found = [each for each in self.sockets if each.has_listening(program)]
        return next((each for each in found if not (self.inside and each is self.sockets[0])), None)


def is_same(program: str, comm: str) -> bool:
    """Tell whether a program's name and the kernel's short form of a name mean the same program."""
    return program == comm or (len(comm) == COMM and program.startswith(comm))


def load(root: Path, name: str) -> dict[str, Chain]:
    """Read a record: a chain for each runtime.

    Raises:
        RecordError: there is no such record, or it is not of the shape that can be drawn.
    """
    path = root / FOLDER / f"{name}.json"
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{FOLDER / path.name}: cannot be read: {error}") from error
    return read(data, str(FOLDER / path.name))


def read(data: Any, file: str) -> dict[str, Chain]:  # noqa: ANN401 - JSON
    """Check what a file holds and make chains of it.

    Raises:
        RecordError: a key is missing, unknown or of another type, or what it says cannot be drawn.
    """
    at = _At(file, "")
    return {runtime: _chain(runtime, raw, at.key(runtime)) for runtime, raw in at.mapping(data).items()}


def _chain(runtime: str, raw: Any, at: _At) -> Chain:  # noqa: ANN401
    keys = ("node", "kubelet", "runtime", "cri", "sockets", "processes", "shims", "steps")
    found = at.exactly(raw, keys)
    chain = Chain(
        runtime=runtime,
        node=at.key("node").text(found["node"]),
        kubelet=at.key("kubelet").text(found["kubelet"]),
        reported=at.key("runtime").text(found["runtime"]),
        cri=at.key("cri").text(found["cri"]),
        sockets=at.key("sockets").each(found["sockets"], _socket),
        processes=at.key("processes").each(found["processes"], _process),
        shims=at.key("shims").number(found["shims"]),
        steps=at.key("steps").each(found["steps"], _step),
    )
    _check(chain, at)
    return chain


def _socket(raw: Any, at: _At) -> Socket:  # noqa: ANN401
    found = at.exactly(raw, ("path", "listens", "connected"))
    return Socket(
        at.key("path").text(found["path"]),
        at.key("listens").names(found["listens"]),
        at.key("connected").names(found["connected"]),
    )


def _process(raw: Any, at: _At) -> Process:  # noqa: ANN401
    found = at.exactly(raw, ("name", "shim", "namespace", "parents"))
    parents = at.key("parents").each(found["parents"], lambda name, where: where.text(name))
    name, shim, namespace = (at.key(key).text(found[key]) for key in ("name", "shim", "namespace"))
    return Process(name, shim, namespace, parents)


def _step(raw: Any, at: _At) -> Step:  # noqa: ANN401
    found = at.exactly(raw, ("by", "call", "of", "namespace", "name"))
    texts = [at.key(key).text(found[key]) for key in ("by", "call", "of")]
    return Step(*texts, *(at.key(key).text(found[key], empty=True) for key in ("namespace", "name")))


def _check(chain: Chain, at: _At) -> None:
    """Refuse what has the right shape and yet cannot be drawn without guessing."""
    shims, of = {each.shim for each in chain.processes}, [each.of for each in chain.processes]
    if sorted(of) != ["container", "sandbox"]:
        raise at.key("processes").wrong(
            f"are one {PAUSE} and one other, not {[p.name for p in chain.processes]}"
        )
    if len(shims) != 1 or len({each.namespace for each in chain.processes}) != 1:
        raise at.key("processes").wrong("are under shims of one name, in one namespace")
    for number, each in enumerate(chain.processes):
        if len(each.parents) != 2 or each.parents[0] != each.shim:
            where = at.key("processes").key(str(number)).key("parents")
            raise where.wrong(f"are its shim, {each.shim}, and one above it, not {list(each.parents)}")
    if len({each.parents for each in chain.processes}) != 1:
        raise at.key("processes").wrong("have different parents")
    if chain.shims not in (1, len(chain.processes)):
        raise at.key("shims").wrong(
            f"is {chain.shims} for {len(chain.processes)} processes: which is under which is not recorded"
        )
    for number, step in enumerate(chain.steps):
        if step.of not in ("pod", "sandbox", "container"):
            raise (
                at.key("steps")
                .key(str(number))
                .key("of")
                .wrong(f"is no pod, sandbox or container: {step.of!r}")
            )
    first, *others = chain.programs
    if len(others) < 2:
        raise at.key("steps").wrong(f"are by {', '.join(chain.programs)}, too few programs for a chain")
    if not any(map(chain.sockets[0].has_listening, (first, others[0]))):
        raise (
            at.key("sockets")
            .key("0")
            .wrong(f"is the one for {first}, but neither it nor {others[0]} listens there")
        )
    for number, program in enumerate(others):
        above = chain.programs[number]
        if not (socket := chain.at(program)):
            raise at.key("sockets").wrong(f"has none at which {program} listens, and a step is by it")
        if not socket.has_connected(above):
            raise at.key("sockets").wrong(
                f"{socket.path}: {program} spoke after {above}, which is not connected there: {socket.connected}"
            )
    if not chain.sockets[0].has_connected(first):
        raise (
            at.key("sockets").key("0").wrong(f"is not the one that {first}, who spoke first, is connected to")
        )


@dataclass(frozen=True)
class _At:
    """A place in a file, for the messages about it."""

    file: str
    path: str

    def key(self, name: str) -> _At:
        return _At(self.file, f"{self.path}.{name}".lstrip("."))

    def wrong(self, what: str) -> RecordError:
        return RecordError(f"{self.file}: {self.path or 'the top'}: {what}")

    def mapping(self, raw: Any) -> Mapping[str, Any]:  # noqa: ANN401
        if not isinstance(raw, dict) or not raw:
            raise self.wrong(f"is a mapping that is not empty, not {raw!r}")
        return raw

    def exactly(self, raw: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:  # noqa: ANN401
        found = self.mapping(raw)
        for key in dict.fromkeys([*keys, *found]):
            if key not in found or key not in keys:
                state = "missing" if key in keys else "unknown"
                raise self.key(key).wrong(f"is {state}; there are {', '.join(keys)}")
        return found

    def each(self, raw: Any, read: Callable[[Any, _At], Any]) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(raw, list) or not raw:
            raise self.wrong(f"is a list that is not empty, not {raw!r}")
        return tuple(read(item, self.key(str(number))) for number, item in enumerate(raw))

    def text(self, raw: Any, *, empty: bool = False) -> str:  # noqa: ANN401
        if not isinstance(raw, str) or not (raw or empty):
            raise self.wrong(f"is a text{'' if empty else ' that is not empty'}, not {raw!r}")
        return raw

    def names(self, raw: Any) -> tuple[str, ...]:  # noqa: ANN401
        return tuple(self.text(raw).split(", "))

    def number(self, raw: Any) -> int:  # noqa: ANN401
        if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
            raise self.wrong(f"is a number from 1 on, not {raw!r}")
        return raw
