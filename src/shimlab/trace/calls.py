"""One thing that a program of a node said while it was recorded, and how the lines of each program are read.

Sources: Kubernetes v1.20.15, pkg/kubelet/cri/remote/remote_runtime.go (the line before each CRI call, at level 10);
moby v20.10.24, api/server/middleware/debug.go ("Calling METHOD PATH", at level debug); containerd v1.6.20,
pkg/cri/server/instrumented_service.go (a line for each CRI call) and runtime/v2/shim/shim_unix.go ("starting signal
loop", the shim's own first words).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from shimlab.node.journal import LogLine

KUBELET, DOCKERD, CONTAINERD, SHIM = "kubelet", "dockerd", "containerd", "containerd-shim"
#: Whoever records.
WE = "we"
#: CRI calls, methods of HTTP and events after which something is another way than before.
CHANGES = re.compile(
    r"(Run|Create|Start|Stop|Remove)|(POST|PUT|DELETE) |/(containers|tasks)/|starting signal loop"
)

_CRI_CALL = re.compile(r"\[RemoteRuntimeService\] (\w+) \((.*)\)$", re.DOTALL)
_DOCKER_CALL = re.compile(r"Calling ([A-Z]+) (?:/v[\d.]+)?(/\S*)$")
_PLUGIN_CALL = re.compile(r"(\w+) (?:for|within sandbox) (?!.* returns )")
_SHIMS_FIRST_WORDS = "starting signal loop"
# Docker's names put a pod's UID between underscores.
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_UID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f-])")


@dataclass(frozen=True, order=True)
class Call:
    """A call or an event: when, who wrote it down, what it is, and the line or topic as it was.

    ``call`` is a method of CRI as its caller or its server wrote it down, a request of the Docker API without its
    version, an event's topic, or a shim's first words. ``about`` are the ids of containers and the UIDs of pods in it.
    ``namespace`` is containerd's, where it was told. ``name`` is the one that a request gives a container of Docker's.
    """

    columns: ClassVar = ("by", "call", "name", "namespace")

    time: datetime
    by: str
    call: str
    about: tuple[str, ...]
    line: str
    namespace: str = ""
    name: str = ""

    @property
    def changes(self) -> bool:
        """Tell whether it changes something, and does not only ask."""
        return bool(CHANGES.match(self.call))


def by_kubelet(lines: Iterable[LogLine]) -> Iterator[Call]:
    """Find the CRI calls that a kubelet wrote down before it made them."""
    for line in lines:
        found = _CRI_CALL.match(line.message.rstrip())
        # The answer to CreateContainer is written like the call, with the id that it brought.
        if found and not (found[1] == "CreateContainer" and "ContainerId=" in found[2]):
            yield Call(line.time, KUBELET, found[1], _about(found[2]), line.message)


def by_dockerd(lines: Iterable[LogLine]) -> Iterator[Call]:
    """Find the requests that dockerd wrote down as they came."""
    for line in lines:
        if found := _DOCKER_CALL.match(line.said):
            parts = urlsplit(found[2])
            # The id says which container, the call what is asked of it.
            call = f"{found[1]} {_ID.sub('ID', parts.path)}"
            name = dict(parse_qsl(parts.query)).get("name", "")
            yield Call(line.time, DOCKERD, call, _about(found[2]), line.said, name=name)


def by_containerd(lines: Iterable[LogLine]) -> Iterator[Call]:
    """Find the CRI calls that containerd's CRI plugin wrote down as they came, and the first words of shims."""
    for line in lines:
        namespace = line.values.get("namespace", "")
        if line.said == _SHIMS_FIRST_WORDS:
            yield Call(
                line.time, SHIM, line.said, _about(line.values.get("path", "")), line.message, namespace
            )
        elif found := _PLUGIN_CALL.match(line.said):
            yield Call(line.time, CONTAINERD, found[1], _about(line.said), line.said, namespace)


def of_event(envelope: Any, about: str) -> Call:  # noqa: ANN401 - a class made at run time
    """Read an event of containerd's."""
    stamp = envelope.timestamp
    time = datetime.fromtimestamp(stamp.seconds, UTC) + timedelta(microseconds=stamp.nanos // 1000)
    return Call(
        time, CONTAINERD, envelope.topic, (about,) if about else (), envelope.topic, envelope.namespace
    )


def _about(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*_UID.findall(text), *_ID.findall(text)]))
