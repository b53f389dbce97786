"""What the programs of a node say to each other while a block of code runs, in the order in which they said it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from shimlab import evidence
from shimlab.clients.containerd import Containerd
from shimlab.cluster import status
from shimlab.node import exec as node_exec
from shimlab.trace import calls, verbosity
from shimlab.trace.calls import Call
from shimlab.waiting import wait

# Only containers and tasks: images, snapshots and content would be told of as well.
TOPICS = ("/containers/", "/tasks/")
NAMESPACE = "shimlab"


@dataclass
class Trace:
    """What was recorded on a node; until the block ends, no more than the marks."""

    node: str
    calls: list[Call] = field(default_factory=list)
    #: The containers of each pod that was seen, by the pod's UID.
    containers: dict[str, set[str]] = field(default_factory=dict)

    def note(self) -> None:
        """Note which containers each pod has: for those that will be gone at the end.

        Raises:
            LabError: one of the node's daemons cannot be asked.
        """
        for each in evidence.stored_containers(self.node):
            self.containers.setdefault(each.pod_uid, set()).add(each.id)

    def mark(self, what: str) -> None:
        """Note that the one who records does something now, by the node's clock."""
        self.calls.append(Call(_now(self.node), calls.WE, what, (), what))

    def take(self, *said: Iterable[Call]) -> None:
        """Add what several programs said, each in an order of its own, and put all in the order of the node's clock."""
        self.calls = sorted([*self.calls, *chain.from_iterable(said)])

    def of_pod(self, uid: str) -> list[Call]:
        """Return what changed something for a pod, and the marks.

        That is what names it, or a container that it had when it was last noted (``note``) or at the end.
        """
        ours = {uid, *self.containers.get(uid, ())}
        return [
            each for each in self.calls if each.by == calls.WE or (each.changes and ours & set(each.about))
        ]


@contextmanager
def of(name: str) -> Iterator[Trace]:
    """Record a node while the block runs: the kubelet's CRI calls, requests to dockerd, containerd's events, shims.

    The kubelet and dockerd are made to write down every call, and are set back; neither is started again.

    Raises:
        LabError: the lab has no such node, it does not run, or one of its daemons cannot be asked.
    """
    status.refuse_halted(name)
    trace = Trace(name)
    with ExitStack() as stack:
        stack.enter_context(verbosity.kubelet_writes_every_call(name))
        stack.enter_context(verbosity.dockerd_writes_every_call(name))
        events = stack.enter_context(_Events(name))
        began = _now(name)
        yield trace
        trace.take(
            events.taken(),
            calls.by_kubelet(evidence.kubelet_log(name, since=began)),
            calls.by_dockerd(evidence.log(name, "docker", since=began)),
            calls.by_containerd(evidence.log(name, "containerd", since=began)),
        )
        trace.note()


class _Events:
    """Containerd's events while the block runs, heard by a thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._heard: list[Call] = []
        self._topics: set[str] = set()
        self._open = ExitStack()

    def __enter__(self) -> _Events:
        with ExitStack() as stack:
            self._containerd = stack.enter_context(Containerd(self._name))
            self._call = self._containerd.events()
            thread = threading.Thread(target=self._hear, daemon=True)
            stack.callback(thread.join)
            stack.callback(self._call.cancel)
            thread.start()
            # Events that come before the subscription is there are lost, and nothing tells when it is.
            self._until_heard("begin")
            self._open = stack.pop_all()
        return self

    def __exit__(self, *about: object) -> None:
        self._open.close()

    def taken(self) -> list[Call]:
        """Return what was published until now.

        Raises:
            LabError: containerd does not answer.
        """
        self._until_heard("end")
        return [each for each in self._heard if each.call.startswith(TOPICS)]

    def _hear(self) -> None:
        import grpc

        try:
            for envelope in self._call:
                self._heard.append(calls.of_event(envelope, self._about(envelope)))
                self._topics.add(envelope.topic)
        except grpc.RpcError:
            # Cancelled; or containerd is gone, and then whoever waits for an event says so.
            return

    def _about(self, envelope: Any) -> str:  # noqa: ANN401 - a class made at run time
        return self._containerd.about(envelope) if envelope.topic.startswith(TOPICS) else ""

    def _until_heard(self, what: str) -> None:
        topic = f"/shimlab/{what}/{uuid.uuid4().hex}"

        def heard() -> bool:
            self._containerd.publish(NAMESPACE, topic)
            return topic in self._topics

        wait(heard, f"events of containerd on {self._name}", 20)


def _now(name: str) -> datetime:
    """Return the time by the node's clock."""
    return datetime.fromtimestamp(float(node_exec.run(name, ["date", "+%s.%N"])), UTC)
