"""What containerd says over its own API: its namespaces, containers, tasks, images, content and events.

Source: containerd v1.6.20, api/services/{namespaces,containers,tasks,images,content,events}/v1, api/events and
api/types, whose field numbers stand below; only what is asked for is there, and protobuf skips the rest. The namespace
of a call travels in the header ``containerd-namespace`` (namespaces/grpc.go).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from shimlab.clients.transport import NodeTransport
from shimlab.errors import LabError

SOCKET = "/run/containerd/containerd.sock"
TIMEOUT = 20.0
# More than the 4 MiB that gRPC takes by default: each container comes with its whole config.json.
LARGEST = 64 << 20

# Message → (field, number, type); * is repeated, = a map of strings, and a name of a message the message.
MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Nothing": (),
    "Namespace": (("name", 1, "string"),),
    "Namespaces": (("namespaces", 1, "*Namespace"),),
    "Time": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
    "Runtime": (("name", 1, "string"),),
    "Container": (
        ("id", 1, "string"),
        ("labels", 2, "="),
        ("image", 3, "string"),
        ("runtime", 4, "Runtime"),
        ("snapshotter", 6, "string"),
        ("created_at", 8, "Time"),
    ),
    "Containers": (("containers", 1, "*Container"),),
    "Task": (
        ("container_id", 1, "string"),
        ("id", 2, "string"),
        ("pid", 3, "uint32"),
        ("status", 4, "int32"),
    ),
    "Tasks": (("tasks", 1, "*Task"),),
    "Descriptor": (("media_type", 1, "string"), ("digest", 2, "string"), ("size", 3, "int64")),
    "Image": (("name", 1, "string"), ("target", 3, "Descriptor")),
    "Images": (("images", 1, "*Image"),),
    "Read": (("digest", 1, "string"),),
    "Part": (("offset", 1, "int64"), ("data", 2, "bytes")),
    "Any": (("type_url", 1, "string"), ("value", 2, "bytes")),
    "Envelope": (
        ("timestamp", 1, "Time"),
        ("namespace", 2, "string"),
        ("topic", 3, "string"),
        ("event", 4, "Any"),
    ),
    "Publish": (("topic", 1, "string"), ("event", 2, "Any")),
    # The first field of every event of containers and tasks.
    "About": (("id", 1, "string"),),
}
# api/types/task/task.proto, in the words of docker and CRI.
STATES = {1: "created", 2: "running", 3: "exited", 4: "paused", 5: "pausing"}


class Containerd:
    """A connection to a node's containerd; every method is one call of its API."""

    def __init__(self, node: str, socket: str = SOCKET) -> None:
        """Keep what was asked for; nothing is opened before the ``with`` block."""
        self._node, self._socket = node, socket
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Containerd:
        """Open the way; the first call finds out whether anybody is there."""
        import grpc

        with contextlib.ExitStack() as stack:
            self._line = stack.enter_context(NodeTransport(self._node).open(self._socket))
            options = [("grpc.default_authority", "localhost"), ("grpc.max_receive_message_length", LARGEST)]
            self._channel = stack.enter_context(grpc.insecure_channel(self._line.target, options=options))
            self._messages = _messages()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the channel and the way."""
        self._open.close()

    def namespaces(self) -> list[str]:
        """List the namespaces: k8s.io is the CRI plugin's, moby is dockerd's."""
        return sorted(each.name for each in self._list("namespaces", "Namespaces", "").namespaces)

    def containers(self, namespace: str) -> list[Any]:
        """List a namespace's containers as messages."""
        return list(self._list("containers", "Containers", namespace).containers)

    def tasks(self, namespace: str) -> dict[str, tuple[int, str]]:
        """Return PID and state of every container of a namespace that has a process, by id."""
        return {
            # The id of the first process is the container's, and older shims leave container_id empty.
            each.container_id or each.id: (each.pid, STATES.get(each.status, "unknown"))
            for each in self._list("tasks", "Tasks", namespace).tasks
        }

    def images(self, namespace: str) -> list[Any]:
        """List a namespace's image names with what they stand for, as messages."""
        return list(self._list("images", "Images", namespace).images)

    def document(self, namespace: str, digest: str) -> dict[str, Any] | None:
        """Return a manifest, an index or an image's configuration from the content store, if it is there."""
        import grpc

        path = "/containerd.services.content.v1.Content/Read"
        send = self._channel.unary_stream(
            path,
            request_serializer=self._messages["Read"].SerializeToString,
            response_deserializer=self._messages["Part"].FromString,
        )
        with self._explained():
            parts = send(self._messages["Read"](digest=digest), timeout=TIMEOUT, metadata=_header(namespace))
            try:
                data = b"".join(part.data for part in sorted(parts, key=lambda part: part.offset))
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise
        document: dict[str, Any] = json.loads(data)
        return document

    def events(self) -> Any:  # noqa: ANN401 - a call of gRPC
        """Subscribe to every event, and return the call: envelopes to go through, and cancel() to end it."""
        send = self._channel.unary_stream(
            "/containerd.services.events.v1.Events/Subscribe",
            request_serializer=self._messages["Nothing"].SerializeToString,
            response_deserializer=self._messages["Envelope"].FromString,
        )
        return send(self._messages["Nothing"]())

    def publish(self, namespace: str, topic: str) -> None:
        """Publish an event of ours, for whoever has subscribed; nothing of containerd's own listens to foreign topics.

        Raises:
            LabError: containerd does not answer.
        """
        send = self._channel.unary_unary(
            "/containerd.services.events.v1.Events/Publish",
            request_serializer=self._messages["Publish"].SerializeToString,
            response_deserializer=self._messages["Nothing"].FromString,
        )
        # A type that containerd's own tools know, so that they can print it.
        event = {"type_url": "containerd.events.ContentDelete", "value": b""}
        with self._explained():
            send(
                self._messages["Publish"](topic=topic, event=event),
                timeout=TIMEOUT,
                metadata=_header(namespace),
            )

    def about(self, envelope: Any) -> str:  # noqa: ANN401 - a class made at run time
        """Return the id of the container that an event of containers or tasks is about."""
        return str(self._messages["About"].FromString(envelope.event.value).id)

    def _list(self, service: str, answer: str, namespace: str) -> Any:  # noqa: ANN401 - a class made at run time
        send = self._channel.unary_unary(
            f"/containerd.services.{service}.v1.{service.capitalize()}/List",
            request_serializer=self._messages["Nothing"].SerializeToString,
            response_deserializer=self._messages[answer].FromString,
        )
        with self._explained():
            return send(self._messages["Nothing"](), timeout=TIMEOUT, metadata=_header(namespace))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        import grpc

        try:
            yield
        except grpc.RpcError as error:
            where = f"{self._node}: {self._socket}"
            said = (self._line.complaint() or error.details() or "no reason given").splitlines()[-1]
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise LabError(
                    f"{where}: who listens there is not containerd",
                    f"see who does: shimlab.evidence.sockets_at({self._node!r}, [{self._socket!r}])",
                ) from error
            raise LabError(
                f"{where} does not answer ({said})",
                "see how containerd is: journalctl -u containerd, in the node",
            ) from error


def _header(namespace: str) -> list[tuple[str, str]]:
    return [("containerd-namespace", namespace)] if namespace else []


def _messages() -> dict[str, Any]:
    """Make the message classes."""
    from google.protobuf import (  # type: ignore[import-untyped]
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    package = "shimlab.containerd"
    file = descriptor_pb2.FileDescriptorProto(name="containerd.proto", package=package, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            entry = message.field.add(name=field, number=number)
            entry.label = entry.LABEL_REPEATED if kind[0] in "*=" else entry.LABEL_OPTIONAL
            plain = kind.lstrip("*")
            if kind == "=":
                # On the wire a map is a list of pairs, and its class is told by its name.
                pair = message.nested_type.add(name=f"{field.capitalize()}Entry", options={"map_entry": True})
                for index, part in enumerate(("key", "value"), 1):
                    pair.field.add(
                        name=part, number=index, label=entry.LABEL_OPTIONAL, type=entry.TYPE_STRING
                    )
                plain = f"{name}.{pair.name}"
            if plain[0].isupper():
                entry.type, entry.type_name = entry.TYPE_MESSAGE, f".{package}.{plain}"
            else:
                entry.type = getattr(entry, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in MESSAGES
    }
