"""Migration a node's kubelet to another runtime, live, and prove that it arrived."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from shimlab import evidence, lock
from shimlab.clients.kube import REMEDY
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.kubelet_flags import KUBEADM_FLAGS
from shimlab.migrate import cleanup, daemons, drain, kubelets, restarts
from shimlab.migrate import pods as of_node
from shimlab.migrate.node_api import NodeApi
from shimlab.node import broken
from shimlab.node import exec as node_exec
from shimlab.progress import Step, say, step, unheard
from shimlab.runtimes import (
    CONTAINERD,
    CONTAINERD_SOCKET,
    DOCKERSHIM,
    DOCKERSHIM_SOCKET,
    LABEL,
    MIGRATING,
    RUNTIMES,
    Runtime,
    command_of,
    named,
    other_store,
    rewrite,
)
from shimlab.waiting import until

# A pod may take its grace period, 30 s unless it says otherwise, and a budget may hold it up for a while.
DRAIN_SECONDS = 120
START_SECONDS = 120
# The kubelet knows a static pod by this hash; its uid in the API is another.
STATIC_UID = "kubernetes.io/config.hash"


@dataclass(frozen=True)
class Migration:
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
    def aim(self) -> str:
        """Return what is noted on the node as long as it is on its way (runtimes.MIGRATING)."""
        return self.wanted.name + (" --keep-pods" if self.keep_pods else "")


@unheard()
def migrate(
    name: str, runtime: str, *, force: bool = False, keep_pods: bool = False
) -> list[evidence.Witness]:
    """Migrate a node to a runtime of `runtimes.RUNTIMES` and return the four witnesses that say it is there.

    The node is drained first and does not take pods again before all is as it should be. Every step looks at how
    things are and does what is missing, so a migration that broke off goes on when it is asked for again, in any
    direction. ``force`` also ends pods that nobody makes again elsewhere. With ``keep_pods`` it is not drained: between
    dockershim and the one out of the tree, which both know Docker's containers, the pods simply run on.

    Raises:
        LabError: the node cannot be migrated (nothing was done then), or a step failed: the message says which one, and
            that the node is cordoned.
    """
    migration = Migration(NodeApi(name), named(runtime), keep_pods)
    with lock.node(name):
        try:
            arrived = not _missing(migration)
        except LabError:
            # A node that cannot even be asked: a migration of it broke off, or its kubelet does not start.
            arrived = False
        if arrived and _settled(migration):
            say(f"{name} runs on {migration.wanted.name} already.")
        else:
            if not arrived:
                _refuse(migration, force=force)
            before = restarts.running(name)
            _carry_out(replace(migration, ready=of_node.ready(migration.api.pods())), arrived=arrived)
            if keep_pods:
                say(f"{name}: {restarts.compare(before, restarts.running(name))}")
        return evidence.runtime_of(name)


def _carry_out(migration: Migration, *, arrived: bool) -> None:
    name, wanted, left = migration.name, migration.wanted, other_store(migration.wanted).holder
    draining = (
        [] if migration.keep_pods else [(f"Draining {name}", lambda current: _drain(migration, current))]
    )
    go: list[tuple[str, Callable[[Step], None]]] = [
        *draining,
        ("Stopping its kubelet", lambda current: _stop(migration, current)),
        (f"Removing what {left} still holds for Kubernetes", lambda current: _clear(migration, current)),
        ("Rewriting the kubelet's flags", lambda current: _write_flags(migration)),
        (f"Starting the kubelet on {wanted.name}", lambda current: _start(migration, current)),
    ]
    settle: list[tuple[str, Callable[[Step], None]]] = [
        ("Waiting for the node's own pods", lambda current: _own_pods(migration, current)),
        ("Labelling it and letting pods in", lambda current: _release(migration)),
    ]
    with _said_where(migration) as began:
        began(f"Cordoning {name}")
        with step(f"Cordoning {name}"):
            migration.api.cordon(migration.aim)
        for title, act in settle if arrived else go + settle:
            began(title)
            with step(title) as current:
                act(current)


@contextmanager
def _said_where(migration: Migration) -> Iterator[Callable[[str], None]]:
    """Say after a failure or Ctrl-C where it was, how the node is left, and how it goes on."""
    begun: list[str] = []
    again = f"`{command_of(migration.aim, migration.name)}`"
    try:
        yield begun.append
    except (LabError, KeyboardInterrupt) as error:
        left = "is cordoned" if len(begun) > 1 else "may be cordoned"
        where = f"{migration.name} {left}; the migration stopped at: {begun[-1]}"
        if isinstance(error, LabError):
            raise LabError(f"{where}: {error.what}", f"mend that, then {again} goes on from there") from error
        raise KeyboardInterrupt(f"{where}; {again} goes on from there") from error


def _refuse(migration: Migration, *, force: bool) -> None:
    """Refuse what would fail or lose something, before anything is touched; make sure of the daemons."""
    name, wanted = migration.name, migration.wanted
    broken.refuse(name)
    kubelet = kubelets.in_use(name)
    if wanted is DOCKERSHIM and not kubelet.has_dockershim:
        raise LabError(
            f"{name} cannot be migrated to {wanted.name}: its kubelet {kubelet.name} has none",
            f"put another kubelet in use first (`shimlab node kubelet {name}` lists them), or choose another runtime",
        )
    pods = migration.api.pods()
    for runtime in (wanted, other_store(wanted)):
        daemons.ensure(name, runtime)
    if migration.keep_pods and (elsewhere := cleanup.containers(name, other_store(wanted))):
        raise LabError(
            f"{wanted.name} does not know the {len(elsewhere)} containers of {name} in {other_store(wanted).holder}",
            f"without --keep-pods they are drained: shimlab node {wanted.name} {name}",
        )
    static = [pod for pod in pods if of_node.MIRROR in (pod.metadata.annotations or {})]
    if static and not migration.keep_pods:
        needed = {container.image for pod in static for container in pod.spec.containers}
        lacking = sorted(needed - cleanup.images(name, wanted))
        why = (
            f"{wanted.holder} there has no {', '.join(lacking)}"
            if lacking
            else "the API server is among them"
        )
        raise LabError(
            f"{name} cannot be migrated: it runs the control plane from static pods, and {why}",
            "migrate a worker",
        )
    _, lost = of_node.sorted_out(pods)
    if lost and not force and not migration.keep_pods:
        raise LabError(
            f"{name} has pods that nobody makes again elsewhere: {of_node.names(lost)}",
            "delete them, or add --force and they are gone",
        )
    # Their shims would go on beside containerd's, and no witness could tell them from a pod's.
    foreign = cleanup.not_of_kubernetes(name) if wanted is CONTAINERD else []
    if foreign:
        raise LabError(
            f"{name} runs containers that were started with docker itself: {', '.join(foreign)}",
            f"remove them: shimlab node exec {name} -- docker rm --force {' '.join(foreign)}",
        )


def _missing(migration: Migration, since: int = 0) -> list[str]:
    """Name what keeps a node from running on a runtime and on nothing else; the first that is found is enough.

    A status that the kubelet reported before ``since`` (seconds, the node's clock) does not count.
    """
    name, wanted, found = migration.name, migration.wanted, migration.api.read()
    version = found.status.node_info.container_runtime_version
    ready = next(each for each in found.status.conditions if each.type == "Ready")
    if ready.status != "True" or ready.last_heartbeat_time.timestamp() < since:
        return ["the node is not Ready"]
    if marks := status.kept_off(found):
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
    if twice := cleanup.containers(name, other_store(wanted)):
        return [f"{other_store(wanted).holder} still has {len(twice)} containers of Kubernetes"]
    return []


def _settled(migration: Migration) -> bool:
    metadata = migration.api.read().metadata
    return metadata.labels.get(LABEL) == migration.wanted.name and MIGRATING not in metadata.annotations


def _drain(migration: Migration, current: Step) -> None:
    drain.evict(migration.api, current, DRAIN_SECONDS, alive=kubelets.works(migration.name))


def _stop(migration: Migration, current: Step) -> None:
    name = migration.name
    node_exec.run(name, ["systemctl", "stop", "kubelet"])
    until(current, 30, lambda: [each.comm for each in evidence.processes(name) if each.comm == "kubelet"])
    # A dockershim that was given containerd's endpoint has put its own socket there.
    if CONTAINERD not in _listening(name):
        current.note("containerd's socket is not its own: starting it again")
        node_exec.run(name, ["systemctl", "restart", "containerd"])
        until(current, 30, lambda: [] if CONTAINERD in _listening(name) else [CONTAINERD_SOCKET])


def _clear(migration: Migration, current: Step) -> None:
    removed = cleanup.clear(migration.name, other_store(migration.wanted))
    current.note(f"{removed} containers removed")
    for runtime in RUNTIMES.values():
        if runtime is not migration.wanted:
            daemons.retire(migration.name, runtime)
    # The kubelet leaves dockershim's socket behind; kubeadm would take it for a second runtime.
    dockershim = evidence.sockets_at(migration.name, [DOCKERSHIM_SOCKET])[0]
    if migration.wanted is not DOCKERSHIM and dockershim.exists and not dockershim.listeners:
        node_exec.run(migration.name, ["rm", DOCKERSHIM_SOCKET])


def _write_flags(migration: Migration) -> None:
    text = rewrite(_flags(migration.name), migration.wanted, kubelets.in_use(migration.name).version)
    # Whole or not at all, with the mode that it had.
    script = 'cp -p "$1" "$1.new" && cat >"$1.new" && mv "$1.new" "$1"'
    node_exec.run(migration.name, ["sh", "-c", script, "sh", KUBEADM_FLAGS], input=text)
    if _flags(migration.name) != text:
        raise LabError(f"{KUBEADM_FLAGS} is not as it was written", "look at the node's disk")


def _start(migration: Migration, current: Step) -> None:
    daemons.enable(migration.name, migration.wanted)
    began = int(node_exec.run(migration.name, ["date", "+%s"]))
    log = f"its log: shimlab node exec {migration.name} -- journalctl -u kubelet -n 20"
    if why := kubelets.restart(migration.name, current):
        raise LabError(f"the kubelet does not start: {why} ({log})", REMEDY)
    try:
        until(current, START_SECONDS, lambda: _missing(migration, began))
    except LabError as error:
        raise LabError(f"{error.what} ({log})", error.remedy) from error


def _own_pods(migration: Migration, current: Step) -> None:
    def missing() -> list[str]:
        pods = [pod for pod in migration.api.pods() if not pod.metadata.deletion_timestamp]
        leave, _ = of_node.sorted_out(pods)
        waiting = of_node.not_yet_on([pod for pod in pods if pod not in leave], migration.wanted)
        # In a store that both runtimes have, the kubelet ends what belongs to no pod any more.
        known = {(pod.metadata.annotations or {}).get(STATIC_UID, pod.metadata.uid) for pod in pods}
        gone = {each.pod_uid for each in restarts.running(migration.name).values()} - known
        waiting += [f"containers of a pod that is gone ({uid}) still run" for uid in gone]
        # Those that could go elsewhere did, unless they were to stay: then they serve again before we are done.
        return waiting + (migration.api.not_again(migration.ready) if migration.keep_pods else [])

    until(current, START_SECONDS, missing)


def _release(migration: Migration) -> None:
    # Last of all: what was true when the kubelet came up has to be true when pods come.
    if left := _missing(migration):
        raise LabError("; ".join(left), REMEDY)
    if not migration.api.release(migration.wanted):
        say("  it stays cordoned, as it was before")


def _flags(name: str) -> str:
    return node_exec.run(name, ["cat", KUBEADM_FLAGS])


def _listening(name: str) -> list[Runtime]:
    """Return the runtimes whose own program listens on their socket."""
    runtimes = list(RUNTIMES.values())
    there = evidence.sockets_at(name, [runtime.socket for runtime in runtimes])
    return [
        runtime
        for runtime, path in zip(runtimes, there, strict=True)
        if [each.comm for each in path.listeners] == [runtime.listener]
    ]
