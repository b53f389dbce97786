"""Move a node's kubelet to another runtime, live, and prove that it arrived."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from shimlab import evidence
from shimlab.errors import LabError
from shimlab.evidence.kubelets import KUBEADM_FLAGS
from shimlab.faults import record
from shimlab.lab import draining, kubelets, node, stores, survivors
from shimlab.lab.api import REMEDY
from shimlab.lab.draining import NodeApi, until
from shimlab.lab.runtimes import (
    CONTAINERD,
    CONTAINERD_SOCKET,
    DOCKERSHIM,
    DOCKERSHIM_SOCKET,
    LABEL,
    RUNTIMES,
    Runtime,
    named,
    other_store,
    rewrite,
)
from shimlab.lab.up import alone
from shimlab.progress import Step, say, step

# A pod may take its grace period, 30 s unless it says otherwise, and a budget may hold it up for a while.
DRAIN_SECONDS = 120
START_SECONDS = 120
# The kubelet knows a static pod by this hash; its uid in the API is another.
STATIC_UID = "kubernetes.io/config.hash"


@dataclass(frozen=True)
class Move:
    """One node on its way to a runtime. ``keep_pods``: its pods stay where they are and run on."""

    api: NodeApi
    wanted: Runtime
    keep_pods: bool = False
    #: The uids of the pods that were ready when it began.
    ready: Collection[str] = ()

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.api.name

    @property
    def command(self) -> str:
        """Return what somebody types to go on with it."""
        return f"shimlab node {self.wanted.name} {self.name}" + (" --keep-pods" if self.keep_pods else "")


def switch(
    name: str, runtime: str, *, force: bool = False, keep_pods: bool = False
) -> list[evidence.Witness]:
    """Move a node to a runtime of `runtimes.RUNTIMES` and return the four witnesses that say it is there.

    The node is drained first and does not take pods again before all is as it should be. Every step looks at how
    things are and does what is missing, so a switch that broke off goes on when it is asked for again, in any
    direction. ``force`` also ends pods that nobody makes again elsewhere. With ``keep_pods`` it is not drained: between
    dockershim and the one out of the tree, which both know Docker's containers, the pods simply run on.

    Raises:
        LabError: the node cannot be moved (nothing was done then), or a step failed: the message says which one, and
            that the node is cordoned.
    """
    move = Move(NodeApi(name), named(runtime), keep_pods)
    with alone():
        try:
            arrived = not _missing(move)
        except LabError:
            # A node that cannot even be asked has a switch behind it that broke off, or a kubelet that does not start.
            arrived = False
        if arrived and _settled(move):
            say(f"{name} runs on {move.wanted.name} already.")
        else:
            if not arrived:
                _refuse(move, force=force)
            before = survivors.running(name)
            _carry_out(replace(move, ready=draining.ready(move.api.pods())), arrived=arrived)
            if keep_pods:
                say(f"{name}: {survivors.compare(before, survivors.running(name))}")
        return evidence.runtime_of(name)


def _carry_out(move: Move, *, arrived: bool) -> None:
    name, wanted, left = move.name, move.wanted, other_store(move.wanted).holder
    drain = [] if move.keep_pods else [(f"Draining {name}", lambda current: _drain(move, current))]
    go: list[tuple[str, Callable[[Step], None]]] = [
        *drain,
        ("Stopping its kubelet", lambda current: _stop(move, current)),
        (f"Removing what {left} still holds for Kubernetes", lambda current: _clear(move, current)),
        ("Rewriting the kubelet's flags", lambda current: _write_flags(move)),
        (f"Starting the kubelet on {wanted.name}", lambda current: _start(move, current)),
    ]
    settle: list[tuple[str, Callable[[Step], None]]] = [
        ("Waiting for the node's own pods", lambda current: _own_pods(move, current)),
        ("Labelling it and letting pods in", lambda current: _release(move)),
    ]
    with _said_where(move) as began:
        began(f"Cordoning {name}")
        with step(f"Cordoning {name}"):
            move.api.cordon(wanted)
        for title, act in settle if arrived else go + settle:
            began(title)
            with step(title) as current:
                act(current)


@contextmanager
def _said_where(move: Move) -> Iterator[Callable[[str], None]]:
    """Say after a failure or Ctrl-C where it was, how the node is left, and how it goes on."""
    begun: list[str] = []
    again = f"`{move.command}`"
    try:
        yield begun.append
    except (LabError, KeyboardInterrupt) as error:
        left = "is cordoned" if len(begun) > 1 else "may be cordoned"
        where = f"{move.name} {left}; the switch stopped at: {begun[-1]}"
        if isinstance(error, LabError):
            raise LabError(f"{where}: {error.what}", f"mend that, then {again} goes on from there") from error
        raise KeyboardInterrupt(f"{where}; {again} goes on from there") from error


def _refuse(move: Move, *, force: bool) -> None:
    """Refuse what would fail or lose something, before anything is touched; make sure of the daemons."""
    name, wanted = move.name, move.wanted
    record.refuse(name)
    kubelet = kubelets.in_use(name)
    if wanted is DOCKERSHIM and not kubelet.has_dockershim:
        raise LabError(
            f"{name} cannot be moved to {wanted.name}: its kubelet {kubelet.name} has none",
            f"put another kubelet in use first (`shimlab node kubelet {name}` lists them), or choose another runtime",
        )
    pods = move.api.pods()
    for runtime in (wanted, other_store(wanted)):
        stores.ensure(name, runtime)
    if move.keep_pods and (elsewhere := stores.containers(name, other_store(wanted))):
        raise LabError(
            f"{wanted.name} does not know the {len(elsewhere)} containers of {name} in {other_store(wanted).holder}",
            f"without --keep-pods they are drained: shimlab node {wanted.name} {name}",
        )
    static = [pod for pod in pods if draining.MIRROR in (pod.metadata.annotations or {})]
    if static and not move.keep_pods:
        needed = {container.image for pod in static for container in pod.spec.containers}
        lacking = sorted(needed - stores.images(name, wanted))
        why = (
            f"{wanted.holder} there has no {', '.join(lacking)}"
            if lacking
            else "the API server is among them"
        )
        raise LabError(
            f"{name} cannot be moved: it runs the control plane from static pods, and {why}",
            "move a worker",
        )
    _, lost = draining.sorted_out(pods)
    if lost and not force and not move.keep_pods:
        raise LabError(
            f"{name} has pods that nobody makes again elsewhere: {draining.names(lost)}",
            "delete them, or add --force and they are gone",
        )
    # Their shims would go on beside containerd's, and no witness could tell them from a pod's.
    foreign = stores.not_of_kubernetes(name) if wanted is CONTAINERD else []
    if foreign:
        raise LabError(
            f"{name} runs containers that were started with docker itself: {', '.join(foreign)}",
            f"remove them: shimlab node exec {name} -- docker rm --force {' '.join(foreign)}",
        )


def _missing(move: Move, since: int = 0) -> list[str]:
    """Name what keeps a node from running on a runtime and on nothing else; the first that is found is enough.

    A status that the kubelet reported before ``since`` (seconds, the node's clock) does not count.
    """
    name, wanted, found = move.name, move.wanted, move.api.read()
    version = found.status.node_info.container_runtime_version
    ready = next(each for each in found.status.conditions if each.type == "Ready")
    if ready.status != "True" or ready.last_heartbeat_time.timestamp() < since:
        return ["the node is not Ready"]
    if marks := draining.kept_off(found):
        return marks
    if not version.startswith(f"{wanted.scheme}://"):
        return [f"the API says {version}"]
    if others := [each for each in evidence.runtime_of(name) if each.runtime != wanted.scheme]:
        return [f"{each.way} says {each.runtime} ({each.seen})" for each in others]
    # Two of the runtimes are Docker to all four witnesses: it takes the socket, and who listens there.
    setup = evidence.kubelet(name)
    if (setup.in_tree, setup.socket) != (bool(wanted.in_tree), wanted.socket):
        return [f"the kubelet was told to use {setup.socket}"]
    listening = _listening(name)
    if wanted not in listening:
        return [f"{wanted.listener} does not listen on {wanted.socket}"]
    if astray := [each.unit for each in listening if each.unit and each is not wanted]:
        return [f"{' and '.join(astray)} still runs"]
    if rewrite(text := _flags(name), wanted, kubelets.in_use(name).version) != text:
        return [f"{KUBEADM_FLAGS} is not for {wanted.name}"]
    if twice := stores.containers(name, other_store(wanted)):
        return [f"{other_store(wanted).holder} still has {len(twice)} containers of Kubernetes"]
    return []


def _settled(move: Move) -> bool:
    metadata = move.api.read().metadata
    return metadata.labels.get(LABEL) == move.wanted.name and draining.SWITCHING not in metadata.annotations


def _drain(move: Move, current: Step) -> None:
    move.api.evict(current, DRAIN_SECONDS, alive=kubelets.works(move.name))


def _stop(move: Move, current: Step) -> None:
    name = move.name
    node.run(name, ["systemctl", "stop", "kubelet"])
    until(current, 30, lambda: [each.comm for each in evidence.processes(name) if each.comm == "kubelet"])
    # A dockershim that was given containerd's endpoint has put its own socket there.
    if CONTAINERD not in _listening(name):
        current.note("containerd's socket is not its own: starting it again")
        node.run(name, ["systemctl", "restart", "containerd"])
        until(current, 30, lambda: [] if CONTAINERD in _listening(name) else [CONTAINERD_SOCKET])


def _clear(move: Move, current: Step) -> None:
    removed = stores.clear(move.name, other_store(move.wanted))
    current.note(f"{removed} containers removed")
    for runtime in RUNTIMES.values():
        if runtime is not move.wanted:
            stores.retire(move.name, runtime)
    # The kubelet leaves dockershim's socket behind; kubeadm would take it for a second runtime.
    dockershim = evidence.sockets_at(move.name, [DOCKERSHIM_SOCKET])[0]
    if move.wanted is not DOCKERSHIM and dockershim.exists and not dockershim.listeners:
        node.run(move.name, ["rm", DOCKERSHIM_SOCKET])


def _write_flags(move: Move) -> None:
    text = rewrite(_flags(move.name), move.wanted, kubelets.in_use(move.name).version)
    # Whole or not at all, with the mode that it had.
    script = 'cp -p "$1" "$1.new" && cat >"$1.new" && mv "$1.new" "$1"'
    node.run(move.name, ["sh", "-c", script, "sh", KUBEADM_FLAGS], input=text)
    if _flags(move.name) != text:
        raise LabError(f"{KUBEADM_FLAGS} is not as it was written", "look at the node's disk")


def _start(move: Move, current: Step) -> None:
    stores.enable(move.name, move.wanted)
    began = int(node.run(move.name, ["date", "+%s"]))
    log = f"its log: shimlab node exec {move.name} -- journalctl -u kubelet -n 20"
    if why := kubelets.restart(move.name, current):
        raise LabError(f"the kubelet does not start: {why} ({log})", REMEDY)
    try:
        until(current, START_SECONDS, lambda: _missing(move, began))
    except LabError as error:
        raise LabError(f"{error.what} ({log})", error.remedy) from error


def _own_pods(move: Move, current: Step) -> None:
    def missing() -> list[str]:
        pods = [pod for pod in move.api.pods() if not pod.metadata.deletion_timestamp]
        leave, _ = draining.sorted_out(pods)
        waiting = draining.not_yet_on([pod for pod in pods if pod not in leave], move.wanted)
        # In a store that both runtimes have, the kubelet ends what belongs to no pod any more.
        known = {(pod.metadata.annotations or {}).get(STATIC_UID, pod.metadata.uid) for pod in pods}
        gone = {each.pod_uid for each in survivors.running(move.name).values()} - known
        waiting += [f"containers of a pod that is gone ({uid}) still run" for uid in gone]
        # Those that could go elsewhere did, unless they were to stay: then they serve again before we are done.
        return waiting + (move.api.not_again(move.ready) if move.keep_pods else [])

    until(current, START_SECONDS, missing)


def _release(move: Move) -> None:
    # Last of all: what was true when the kubelet came up has to be true when pods come.
    if left := _missing(move):
        raise LabError("; ".join(left), REMEDY)
    if not move.api.release(move.wanted):
        say("  it stays cordoned, as it was before")


def _flags(name: str) -> str:
    return node.run(name, ["cat", KUBEADM_FLAGS])


def _listening(name: str) -> list[Runtime]:
    """Return the runtimes whose own program listens on their socket."""
    runtimes = list(RUNTIMES.values())
    there = evidence.sockets_at(name, [runtime.socket for runtime in runtimes])
    return [
        runtime
        for runtime, path in zip(runtimes, there, strict=True)
        if [each.comm for each in path.listeners] == [runtime.listener]
    ]
