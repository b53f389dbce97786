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
from shimlab.cluster import volumes
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import engine, kind
from shimlab.waiting import bound, soon

KIND_LABEL = "io.x-k8s.kind.cluster"
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
    found = sorted(name for name, ours in _containers().items() if ours)
    if not found or not kubeconfig().is_file():
        raise LabError("the lab is not up", "run `shimlab up`")
    return found


def is_up(recipe: str) -> bool:
    """Tell whether the cluster runs, and was made from this recipe (labs.recipe)."""
    return bool(_containers()) and kubeconfig().is_file() and made_from() == recipe and _answers()


def made_from() -> str:
    """Return the recipe of the cluster that is there; empty if none was finished."""
    there = _containers() and recipe_file().is_file()
    return recipe_file().read_text(encoding="ascii") if there else ""


def lab() -> str:
    """Return the name of the lab that is up; empty if none is."""
    return (made_from().split() or [""])[0]


def remember(recipe: str) -> None:
    """Note what the cluster was made from, and its nodes' volumes."""
    volumes.note(list(_containers()))
    recipe_file().write_text(recipe, encoding="ascii")


def refuse_foreign() -> None:
    """Refuse to go on where a cluster of our name was made by somebody else.

    Raises:
        LabError: if there is one.
    """
    foreign = sorted(name for name, ours in _containers().items() if not ours)
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
    nodes()
    return sorted((_node_status(item) for item in _list_nodes(timeout=15)), key=lambda n: n.name)


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
        doomed = [*(name for name, is_ours in _containers().items() if is_ours), *image.workshop()]
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
    return NodeStatus(
        name=item.metadata.name,
        asked=item.metadata.labels.get(runtimes.LABEL, ""),
        runtime=info.container_runtime_version,
        kubelet=info.kubelet_version,
        ready=any(c.type == "Ready" and c.status == "True" for c in item.status.conditions),
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


def _answers() -> bool:
    try:
        return bool(_list_nodes(timeout=5))
    except LabError:
        return False


def _list_nodes(*, timeout: float) -> list[Any]:
    with answering(remedy="`shimlab up` makes the cluster anew; what ran in it is lost"):
        return list(core().list_node(_request_timeout=timeout).items)


def _containers() -> dict[str, bool]:
    """Return the containers of clusters with our name, each with whether it was made from our image."""
    told = engine.docker(
        *["ps", "--all", "--filter", f"label={KIND_LABEL}={paths.name()}"],
        *["--format", f'{{{{.Names}}}}|{{{{.Label "{image.MADE_BY}"}}}}'],
    )
    return {name: bool(ours) for name, _, ours in (line.partition("|") for line in told.split())}
