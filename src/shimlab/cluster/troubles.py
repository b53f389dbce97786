"""What is wrong with the lab's nodes, and what goes on from there: every command that tells how a node is asks here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from shimlab import lock, paths, runtimes
from shimlab.cluster import config, remedies, status
from shimlab.cluster.status import NodeStatus
from shimlab.errors import LabError
from shimlab.node import broken, kubelet

OfContainer = Literal["gone", "stopped", "paused", "silent"]
State = OfContainer | Literal["unknown", "broken", "migrating", "between", "not ready", "astray", "cordoned"]


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with a node."""

    node: str
    #: The lasting word for it, for programs.
    state: State
    #: It completes a sentence that begins with the node's name.
    what: str
    remedy: str
    #: Somebody wanted it so, or is at work on it: it is told, and no failure of the lab.
    wanted: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.node} {self.what}; {self.remedy}"


def look() -> tuple[list[NodeStatus], list[Trouble]]:
    """Ask for the nodes, and name everything that is wrong with one.

    Raises:
        LabError: the lab is not up, or its API server does not answer: the message says what keeps it from that.
    """
    try:
        found = status.status()
    except LabError:
        refuse_broken_api()
        raise
    known = {each.name: each for each in found}
    states = status.states()
    names = sorted({*states, *known, *_made()})
    troubles = [each for name in names for each in _of(name, known.get(name), states.get(name, ""))]
    return found, [_under_way(each) if lock.is_held(each.node) else each for each in troubles]


def refuse_broken_api() -> None:
    """Say so where no API server answers because its node was broken on purpose: a cluster made anew mends too much.

    Raises:
        LabError: it was.
    """
    control_plane, state = next(iter(status.states().items()))
    record = ""
    with suppress(LabError):
        record = _record(control_plane) if state == status.RUNNING else ""
    if record:
        raise LabError(
            f"{control_plane} is broken on purpose, and no API server answers: {record}", remedies.REPAIR
        )


def _under_way(trouble: Trouble) -> Trouble:
    """Say of what looks like broken off that it goes on just now."""
    what = f"{trouble.what}, and {lock.on(trouble.node)} is at work"
    return replace(trouble, what=what, remedy=lock.WAIT, wanted=True)


def of(name: str) -> list[Trouble]:
    """Name what is wrong with one node; whoever asks holds it (lock.node), so nothing seen is another command's work.

    Raises:
        LabError: the lab is not up, or its API server does not answer.
    """
    told = next((each for each in status.status() if each.name == name), None)
    return _of(name, told, status.states().get(name, ""))


def _of(name: str, told: NodeStatus | None, state: str) -> list[Trouble]:
    """Name what is wrong with a node whose container is in this state: what explains the rest alone, or all that is."""
    if not state:
        return [Trouble(name, "gone", "has no container any more", remedies.ANEW)]
    if state != status.RUNNING:
        called = status.called(state)
        lasting: OfContainer = "paused" if called == "paused" else "stopped"
        return [Trouble(name, lasting, f"is {called}", remedies.restart(name, state))]
    try:
        if record := _record(name):
            return [Trouble(name, "broken", f"is broken on purpose: {record}", remedies.REPAIR, wanted=True)]
        starts, runs = kubelet.programs(name)
    except LabError as error:
        again = f"{remedies.again(name)} starts it anew"
        return [Trouble(name, "silent", f"cannot be asked: {error.what}", again)]
    if told is None:
        register = f"`shimlab node exec {name} -- systemctl restart kubelet` registers it"
        return [Trouble(name, "unknown", "runs, and the API server does not know it", register)]
    if told.migrating:
        runtime = told.migrating.split()[0]
        what = f"is half migrated to {runtime}" + (", and cordoned" if told.cordoned else "")
        command = runtimes.command_of(told.migrating, name)
        return [Trouble(name, "migrating", what, f"`{command}` goes on")]
    return [*_between(told, starts, runs), *_illness(told), *_cordon(told)]


def _between(told: NodeStatus, starts: str, runs: str) -> list[Trouble]:
    """See whether another kubelet was put in use than the one that runs, or that the API server has heard of."""
    chosen = starts.removeprefix(f"{kubelet.FOLDER}/")
    known = told.kubelet
    # A node image of somebody else's has its one kubelet at the place itself.
    other = chosen != starts and chosen.partition("-")[0] != known
    if not other and (not runs or runs == starts):
        return []
    before = runs.removeprefix(f"{kubelet.FOLDER}/") if runs and runs != starts else known
    back = f"; `shimlab node kubelet {told.name} {before}` goes back" if before != chosen else ""
    return [
        Trouble(
            told.name,
            "between",
            f"is between two kubelets: {chosen} is put in use, and {before} is the last that ran",
            f"`shimlab node kubelet {told.name} {chosen}` goes on{back}",
        )
    ]


def _illness(told: NodeStatus) -> list[Trouble]:
    found = []
    if not told.ready:
        log = f"its kubelet's log: `shimlab node exec {told.name} -- journalctl -u kubelet -n 20`"
        found.append(
            Trouble(told.name, "not ready", "is not Ready" + (f": {told.why}" if told.why else ""), log)
        )
    if told.ready and told.kept_off:
        what = f"is Ready, and takes no pods yet: {' and '.join(told.kept_off)}"
        controllers = (
            f"that goes within seconds, or the log of its controller says why: {remedies.controllers()}"
        )
        found.append(Trouble(told.name, "not ready", what, controllers))
    if not told.as_asked:
        wanted = told.asked if told.asked in runtimes.RUNTIMES else "RUNTIME"
        what = f"was to run {told.asked or 'nobody knows what'}, runs {told.runtime}"
        found.append(
            Trouble(told.name, "astray", what, f"`{runtimes.command_of(wanted, told.name)}` migrates it")
        )
    return found


def _cordon(told: NodeStatus) -> list[Trouble]:
    if not told.cordoned:
        return []
    return [
        Trouble(
            told.name, "cordoned", "is cordoned", f"{remedies.uncordon(told.name)} lets pods in", wanted=True
        )
    ]


def _record(name: str) -> str:
    """Return the fault that a node has, by its name; empty if none.

    Raises:
        LabError: the node cannot be asked.
    """
    found = broken.read(name)
    return found.fault if found else ""


def _made() -> list[str]:
    """Return the names of the nodes that the lab was made with."""
    name = status.lab()
    # That of another checkout may not be among ours.
    known = name in (*config.names(), config.FOR_GIVEN)
    return list(config.load(name).runtimes(paths.name())) if known else []
