"""Move a node's kubelet between its built-in dockershim and containerd, live, and prove that it arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.evidence.kubelets import KUBEADM_FLAGS
from shimlab.lab import draining, node, stores
from shimlab.lab.draining import NodeApi, until
from shimlab.lab.runtimes import (
    CONTAINERD,
    CONTAINERD_SOCKET,
    DOCKERSHIM,
    DOCKERSHIM_SOCKET,
    LABEL,
    Runtime,
    named,
    other,
    rewrite,
)
from shimlab.lab.up import alone
from shimlab.progress import Step, say, step

# A pod may take its grace period, 30 s unless it says otherwise, and a budget may hold it up for a while.
DRAIN_SECONDS = 120
START_SECONDS = 120


def switch(name: str, runtime: str, *, force: bool = False) -> list[evidence.Witness]:
    """Move a node to ``dockershim`` or ``containerd`` and return the four witnesses that say it is there.

    The node is drained first and does not take pods again before all is as it should be. Every step looks at how
    things are and does what is missing, so a switch that broke off goes on when it is asked for again, in either
    direction. ``force`` also ends pods that nobody makes again elsewhere.

    Raises:
        LabError: the node cannot be moved (nothing was done then), or a step failed: the message says which one, and
            that the node is cordoned.
    """
    wanted = named(runtime)
    api = NodeApi(name)
    with alone():
        try:
            arrived = not _missing(api, wanted)
        except LabError:
            # A node that cannot even be asked has a switch behind it that broke off.
            arrived = False
        if arrived and _settled(api.read(), wanted):
            say(f"{name} runs on {wanted.name} already.")
        else:
            if not arrived:
                _refuse(api, wanted, force=force)
            _carry_out(api, wanted, arrived=arrived)
        return evidence.runtime_of(name)


def _carry_out(api: NodeApi, wanted: Runtime, *, arrived: bool) -> None:
    name, old = api.name, other(wanted)
    move: list[tuple[str, Callable[[Step], None]]] = [
        (f"Draining {name}", lambda current: _drain(api, current)),
        ("Stopping its kubelet", lambda current: _stop(name, current)),
        (
            f"Removing what {old.holder} still holds for Kubernetes",
            lambda current: _clear(name, old, current),
        ),
        ("Rewriting the kubelet's flags", lambda current: _write_flags(name, wanted)),
        (f"Starting the kubelet on {wanted.name}", lambda current: _start(api, wanted, current)),
    ]
    settle: list[tuple[str, Callable[[Step], None]]] = [
        ("Waiting for the node's own pods", lambda current: _own_pods(api, wanted, current)),
        ("Labelling it and letting pods in", lambda current: _release(api, wanted)),
    ]
    with _said_where(api, wanted) as began:
        began(f"Cordoning {name}")
        with step(f"Cordoning {name}"):
            api.cordon(wanted)
        for title, act in settle if arrived else move + settle:
            began(title)
            with step(title) as current:
                act(current)


@contextmanager
def _said_where(api: NodeApi, wanted: Runtime) -> Iterator[Callable[[str], None]]:
    """Say after a failure or Ctrl-C where it was, how the node is left, and how it goes on."""
    begun: list[str] = []
    again = f"`shimlab node {wanted.name} {api.name}`"
    try:
        yield begun.append
    except (LabError, KeyboardInterrupt) as error:
        left = "is cordoned" if len(begun) > 1 else "may be cordoned"
        where = f"{api.name} {left}; the switch stopped at: {begun[-1]}"
        if isinstance(error, LabError):
            raise LabError(f"{where}: {error.what}", f"mend that, then {again} goes on from there") from error
        raise KeyboardInterrupt(f"{where}; {again} goes on from there") from error


def _refuse(api: NodeApi, wanted: Runtime, *, force: bool) -> None:
    """Refuse what would fail or lose something, before anything is touched; make sure of the daemons."""
    pods = api.pods()
    for runtime in (wanted, other(wanted)):
        stores.ensure(api.name, runtime)
    static = [pod for pod in pods if draining.MIRROR in (pod.metadata.annotations or {})]
    if static:
        needed = {container.image for pod in static for container in pod.spec.containers}
        lacking = sorted(needed - stores.images(api.name, wanted))
        why = (
            f"{wanted.holder} there has no {', '.join(lacking)}"
            if lacking
            else "the API server is among them"
        )
        raise LabError(
            f"{api.name} cannot be moved: it runs the control plane from static pods, and {why}",
            "move a worker",
        )
    _, lost = draining.sorted_out(pods)
    if lost and not force:
        raise LabError(
            f"{api.name} has pods that nobody makes again elsewhere: {draining.names(lost)}",
            "delete them, or add --force and they are gone",
        )
    # Their shims would go on beside containerd's, and no witness could tell them from a pod's.
    foreign = stores.not_of_kubernetes(api.name) if wanted is CONTAINERD else []
    if foreign:
        raise LabError(
            f"{api.name} runs containers that were started with docker itself: {', '.join(foreign)}",
            f"remove them: shimlab node exec {api.name} -- docker rm --force {' '.join(foreign)}",
        )


def _missing(api: NodeApi, wanted: Runtime, since: int = 0) -> list[str]:
    """Name what keeps a node from running on a runtime and on nothing else; the first that is found is enough.

    A status that the kubelet reported before ``since`` (seconds, the node's clock) does not count.
    """
    found = api.read()
    version = found.status.node_info.container_runtime_version
    ready = next(each for each in found.status.conditions if each.type == "Ready")
    if ready.status != "True" or ready.last_heartbeat_time.timestamp() < since:
        return ["the node is not Ready"]
    if not version.startswith(f"{wanted.scheme}://"):
        return [f"the API says {version}"]
    if astray := [each for each in evidence.runtime_of(api.name) if each.runtime != wanted.scheme]:
        return [f"{each.way} says {each.runtime} ({each.seen})" for each in astray]
    if rewrite(text := _flags(api.name), wanted) != text:
        return [f"{KUBEADM_FLAGS} is not for {wanted.name}"]
    if twice := stores.containers(api.name, other(wanted)):
        return [f"{other(wanted).holder} still has {len(twice)} containers of Kubernetes"]
    return []


def _settled(found: Any, wanted: Runtime) -> bool:  # noqa: ANN401 - the client has no types
    metadata = found.metadata
    return metadata.labels.get(LABEL) == wanted.name and draining.SWITCHING not in metadata.annotations


def _drain(api: NodeApi, current: Step) -> None:
    api.evict(current, DRAIN_SECONDS, alive=_kubelet_state(api.name) == "active")


def _stop(name: str, current: Step) -> None:
    node.run(name, ["systemctl", "stop", "kubelet"])
    until(current, 30, lambda: [each.comm for each in evidence.processes(name) if each.comm == "kubelet"])
    # A dockershim that was given containerd's endpoint has put its own socket there.
    if not _containerd_listens(name):
        current.note("containerd's socket is not its own: starting it again")
        node.run(name, ["systemctl", "restart", "containerd"])
        until(current, 30, lambda: [] if _containerd_listens(name) else ["containerd's socket"])


def _clear(name: str, old: Runtime, current: Step) -> None:
    removed = stores.clear(name, old)
    current.note(f"{removed} containers removed")
    # The kubelet leaves dockershim's socket behind; kubeadm would take it for a second runtime.
    dockershim = evidence.sockets_at(name, [DOCKERSHIM_SOCKET])[0]
    if old is DOCKERSHIM and dockershim.exists and not dockershim.listeners:
        node.run(name, ["rm", DOCKERSHIM_SOCKET])


def _write_flags(name: str, wanted: Runtime) -> None:
    text = rewrite(_flags(name), wanted)
    # Whole or not at all, with the mode that it had.
    script = 'cp -p "$1" "$1.new" && cat >"$1.new" && mv "$1.new" "$1"'
    node.run(name, ["sh", "-c", script, "sh", KUBEADM_FLAGS], input=text)
    if _flags(name) != text:
        raise LabError(f"{KUBEADM_FLAGS} is not as it was written", "look at the node's disk")


def _start(api: NodeApi, wanted: Runtime, current: Step) -> None:
    began = int(node.run(api.name, ["date", "+%s"]))
    node.run(api.name, ["systemctl", "start", "kubelet"])
    try:
        until(current, START_SECONDS, lambda: _missing(api, wanted, began))
    except LabError as error:
        log = f"shimlab node exec {api.name} -- journalctl -u kubelet -n 20"
        raise LabError(f"{error.what} (its log: {log})", error.remedy) from error


def _own_pods(api: NodeApi, wanted: Runtime, current: Step) -> None:
    def missing() -> list[str]:
        pods = [pod for pod in api.pods() if not pod.metadata.deletion_timestamp]
        leave, _ = draining.sorted_out(pods)
        return draining.not_yet_on([pod for pod in pods if pod not in leave], wanted)

    until(current, START_SECONDS, missing)


def _release(api: NodeApi, wanted: Runtime) -> None:
    # Last of all: what was true when the kubelet came up has to be true when pods come.
    if left := _missing(api, wanted):
        raise LabError("; ".join(left), draining.REMEDY)
    if not api.release(wanted):
        say("  it stays cordoned, as it was before")


def _flags(name: str) -> str:
    return node.run(name, ["cat", KUBEADM_FLAGS])


def _kubelet_state(name: str) -> str:
    return node.run(name, ["systemctl", "show", "--property=ActiveState", "--value", "kubelet"]).strip()


def _containerd_listens(name: str) -> bool:
    there = evidence.sockets_at(name, [CONTAINERD_SOCKET])[0]
    return [each.comm for each in there.listeners] == ["containerd"]
