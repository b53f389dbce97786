"""The cluster: created, found again, looked at and removed, without touching anybody else's."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shimlab import lock, orphans, paths, runtimes
from shimlab.clients.kube import answering, core, kubeconfig
from shimlab.cluster import kubeconfig as credentials
from shimlab.cluster import remedies, volumes
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import engine, kind
from shimlab.waiting import bound, soon

KIND_LABEL = "io.x-k8s.kind.cluster"
# The state of a container that runs; any other is that of one that does not (docker ps, State).
RUNNING = "running"
#: The name by which what kind started is found when kind has ended.
CREATION = "cluster"
REMOVE_SECONDS = 180


@dataclass(frozen=True)
class NodeStatus:
    """What the API server says of a node, and the runtime that the lab asked for."""

    name: str
    asked: str
    runtime: str
    kubelet: str
    ready: bool
    #: Why it is not Ready, in the words of its condition.
    why: str = ""
    #: By which taints the control plane keeps pods off it, as long as it is not Ready and a moment longer.
    kept_off: tuple[str, ...] = ()
    cordoned: bool = False
    #: What a migration that has not ended aims at (runtimes.MIGRATING).
    migrating: str = ""

    @property
    def as_asked(self) -> bool:
        """Tell whether the node runs the runtime that was asked for."""
        wanted = runtimes.RUNTIMES.get(self.asked)
        return wanted is not None and self.runtime.split("://")[0] == wanted.scheme


def nodes() -> list[str]:
    """Return the names of the lab's nodes, control plane first.

    Raises:
        LabError: if the lab is not up.
    """
    return list(states())


def states() -> dict[str, str]:
    """Return the lab's nodes, control plane first, each with the state of its container (docker ps, State).

    Raises:
        LabError: if the lab is not up.
    """
    found = _ours()
    if not found or not kubeconfig().is_file():
        raise LabError("the lab is not up", "run `shimlab up`")
    return found


def halted() -> dict[str, str]:
    """Return those of the lab's nodes whose containers do not run, each with its state.

    Raises:
        LabError: if the lab is not up.
    """
    return {name: state for name, state in states().items() if state != RUNNING}


def refuse_unknown(name: str) -> None:
    """Refuse what is no node of this lab: another lab's, or another container.

    Raises:
        LabError: it is none, or the lab is not up.
    """
    _known(name)


def refuse_halted(name: str) -> None:
    """Refuse what is no node of this lab, and a node whose container does not run.

    Raises:
        LabError: it is such a one, or the lab is not up.
    """
    if (state := _known(name)) != RUNNING:
        raise LabError(f"{name} is {called(state)}", remedies.restart(name, state))


def _known(name: str) -> str:
    """Return the state of a node's container; refuse what is no node of this lab."""
    known = states()
    if name not in known:
        raise LabError(f"the lab has no node {name}", f"choose one of: {', '.join(known)}")
    return known[name]


def called(state: str) -> str:
    """Return the word for the state of a container that does not run (docker ps, State)."""
    return "stopped" if state == "exited" else state


def is_made(recipe: str) -> bool:
    """Tell whether the cluster is there, and was made from this recipe (config.recipe); it need not answer."""
    return bool(_containers()) and kubeconfig().is_file() and made_from() == recipe


def is_up(recipe: str) -> bool:
    """Tell whether the cluster is there, was made from this recipe (config.recipe), and answers."""
    return is_made(recipe) and answers()


def answers() -> bool:
    """Tell whether the API server answers."""
    try:
        return bool(_list_nodes(timeout=5))
    except LabError:
        return False


def made_from() -> str:
    """Return the recipe of the cluster that is there; empty if none was finished."""
    there = _containers() and recipe_file().is_file()
    return recipe_file().read_text(encoding="ascii") if there else ""


def lab() -> str:
    """Return the name of the lab that is up; empty if none is."""
    return (made_from().split() or [""])[0]


def remember(recipe: str) -> None:
    """Note what the cluster was made from, and its nodes' volumes."""
    volumes.note(list(_ours()))
    recipe_file().write_text(recipe, encoding="ascii")


def refuse_foreign() -> None:
    """Refuse to go on where a cluster of our name was made by somebody else.

    Raises:
        LabError: if there is one.
    """
    foreign = sorted(name for name, each in _containers().items() if not each.ours)
    if foreign:
        raise LabError(
            f"there is a kind cluster named {paths.name()} that the lab did not make ({', '.join(foreign)})",
            f"if nobody needs it: `kind delete cluster --name {paths.name()}`",
        )


def status() -> list[NodeStatus]:
    """Ask the API server for the nodes and their runtimes.

    Raises:
        LabError: if the lab is not up or the API server does not answer.
    """
    control_plane, state = next(iter(states().items()))
    if state != RUNNING:
        # Nothing would answer, and a container that is paused would let us wait for it.
        raise LabError(
            f"{control_plane} is {called(state)}, and the API server with it",
            remedies.restart(control_plane, state),
        )
    return sorted((_node_status(item) for item in _list_nodes(timeout=15)), key=lambda n: n.name)


def reports() -> dict[str, float]:
    """Return when each node's kubelet last reported how it is, in seconds since 1970 by the node's clock.

    Raises:
        LabError: if the API server does not answer.
    """
    return {
        item.metadata.name: each.last_heartbeat_time.timestamp()
        for item in _list_nodes(timeout=15)
        for each in item.status.conditions or []
        if each.type == "Ready"
    }


def remove() -> None:
    """Remove the cluster, its volumes, its kubeconfig, what a broken build left, and the network unless it is needed.

    What a command that ended had begun is ended first. What the engine had been asked for by then still comes up, so
    it is removed again and again until nobody waits for anything any more, and nothing is there.

    Raises:
        LabError: if a cluster of our name is not ours, or something cannot be removed.
    """
    refuse_foreign()
    # From now on it is no lab that is up, wherever this ends.
    recipe_file().unlink(missing_ok=True)
    orphans.end(CREATION)
    why: list[LabError] = []

    def nothing_comes() -> bool:
        # Asked in this order: what somebody waited for is there when he waits no more.
        busy = orphans.making(CREATION)
        doomed = [*_ours(), *image.workshop()]
        try:
            # A disk that is full does not keep them: most of them go with their containers.
            with contextlib.suppress(OSError):
                volumes.note(doomed)
            if doomed:
                engine.docker("rm", "--force", "--volumes", *doomed, timeout=120)
            volumes.remove()
            with lock.engine_alone() as last:
                if last:
                    remove_network()
        except LabError as error:
            # It may have gone by itself, or have been in the making; the next round sees.
            why[:] = [error]
            return False
        return not (busy or doomed)

    if not soon(nothing_comes, REMOVE_SECONDS):
        if why:
            raise why[0]
        raise LabError(
            f"the engine still made something of the lab after {bound(REMOVE_SECONDS):.0f} s",
            f"`{paths.typed('down')}` removes it",
        )
    credentials.remove(kubeconfig())


def kept_off(found: Any) -> list[str]:  # noqa: ANN401 - the client has no types
    """Name the taints by which the control plane keeps pods off a node; being cordoned is none of them.

    A node that is Ready again keeps them until its controller looks the next time, up to 5 s later
    (kube-controller-manager, --node-monitor-period).
    """
    return [
        f"it is tainted {taint.key}"
        for taint in found.spec.taints or []
        if taint.key.startswith("node.kubernetes.io/") and taint.key != "node.kubernetes.io/unschedulable"
    ]


def kubectl() -> Path:
    """Return the release's own kubectl, taken out of the control plane's node.

    Raises:
        LabError: if the lab is not up.
    """
    control_plane = nodes()[0]
    made_from = engine.docker("inspect", "--format", "{{.Image}}", control_plane).strip()
    program = paths.cache_dir() / "bin" / made_from.removeprefix("sha256:")[:12] / "kubectl"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        fresh = program.with_name(f"kubectl.{os.getpid()}")
        engine.docker("cp", f"{control_plane}:/usr/bin/kubectl", str(fresh), timeout=120)
        fresh.rename(program)
    return program


def _node_status(item: Any) -> NodeStatus:  # noqa: ANN401 - the client has no types
    info = item.status.node_info
    ready = next((each for each in item.status.conditions or [] if each.type == "Ready"), None)
    return NodeStatus(
        name=item.metadata.name,
        asked=item.metadata.labels.get(runtimes.LABEL, ""),
        runtime=info.container_runtime_version,
        kubelet=info.kubelet_version,
        ready=ready is not None and ready.status == "True",
        why=" ".join(str(ready.message).split()) if ready is not None and ready.status != "True" else "",
        kept_off=tuple(kept_off(item)),
        cordoned=bool(item.spec.unschedulable),
        migrating=(item.metadata.annotations or {}).get(runtimes.MIGRATING, ""),
    )


def recipe_file() -> Path:
    """Return the file that holds the recipe of the cluster that was made, as long as it was not removed."""
    return paths.state_dir() / "made-from"


def remove_network() -> None:
    """Remove the network of all labs, unless a node is in it; nobody may be about to make one (lock.engine_alone).

    Raises:
        LabError: it cannot be removed.
    """
    if has_unused_network():
        engine.docker("network", "rm", kind.NETWORK)


def has_unused_network() -> bool:
    """Tell whether the network of all labs is there and nothing is in it: neither a node of a lab nor anybody else's.

    Raises:
        LabError: the engine does not answer.
    """
    found = engine.docker("network", "ls", "--filter", f"name=^{kind.NETWORK}$", "--quiet").strip()
    return bool(found) and not engine.docker("ps", "--all", "--quiet", "--filter", f"network={found}").strip()


def _list_nodes(*, timeout: float) -> list[Any]:
    with answering(remedy="`shimlab up` makes the cluster anew; what ran in it is lost"):
        return list(core().list_node(_request_timeout=timeout).items)


@dataclass(frozen=True)
class _Container:
    """A container of a cluster with our name: whether it was made from our image, and its state (docker ps)."""

    ours: bool
    state: str


def _ours() -> dict[str, str]:
    """Return the lab's own containers in the order of their names, each with its state."""
    return {name: each.state for name, each in sorted(_containers().items()) if each.ours}


def _containers() -> dict[str, _Container]:
    """Return the containers of clusters with our name."""
    told = engine.docker(
        *["ps", "--all", "--filter", f"label={KIND_LABEL}={paths.name()}"],
        *["--format", f'{{{{.Names}}}}|{{{{.Label "{image.MADE_BY}"}}}}|{{{{.State}}}}'],
    )
    rows = (line.split("|") for line in told.split())
    return {name: _Container(bool(ours), state) for name, ours, state in rows}
