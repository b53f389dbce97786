"""A CRI client: asks a runtime what it is and what it runs, as the kubelet asks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc

from shimlab import paths
from shimlab.clients import transport
from shimlab.clients.cri import messages, protos
from shimlab.errors import LabError

# What the kubelet itself sends in VersionRequest (pkg/kubelet/kuberuntime, kubeRuntimeAPIVersion).
KUBELET_API_VERSION = "0.1.0"
FIRST_VERSION = "v1alpha1"
TIMEOUT = 20.0
NAMESPACE_LABEL = "io.kubernetes.pod.namespace"
POD_LABEL = "io.kubernetes.pod.name"


class CriClient:
    """Speaks CRI to one socket of one node.

    ``socket`` is the one the node's own kubelet uses unless another is named. ``version`` is the first of v1
    and v1alpha2 that the runtime answers unless one is named; ``api`` says which it became.
    """

    def __init__(
        self,
        node: str | transport.Transport,
        socket: str | None = None,
        version: str | None = None,
        *,
        cache: Path | None = None,
    ) -> None:
        """Keep what was asked for; nothing is opened before the ``with`` block."""
        self._transport: transport.Transport = (
            transport.NodeTransport(node) if isinstance(node, str) else node
        )
        self._socket = socket
        self._wanted = version
        self._cache = cache
        self._open = contextlib.ExitStack()

    def __enter__(self) -> CriClient:
        """Read the protos, open the way and agree on an API version.

        Raises:
            LabError: the node or the socket is not there, or nobody there speaks a CRI version that we do.
        """
        with contextlib.ExitStack() as stack:
            self._apis = protos.load(self._transport.protos(), self._cache or _cache())
            if self._wanted and self._wanted not in self._apis:
                raise LabError(
                    f"{self._transport.name}: its release has no CRI {self._wanted}",
                    f"ask for one of: {', '.join(self._apis)}",
                )
            self.socket = (self._socket or self._transport.socket()).removeprefix("unix://")
            self._line = stack.enter_context(self._transport.open(self.socket))
            # gRPC would put the socket's path into :authority; servers in Go refuse that as malformed.
            options = [("grpc.default_authority", "localhost"), ("grpc.max_receive_message_length", 16 << 20)]
            self._channel = stack.enter_context(grpc.insecure_channel(self._line.target, options=options))
            self.api = self._agree()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the channel and the way."""
        self._open.close()

    def call(self, method: str, **fields: object) -> Any:  # noqa: ANN401 - a message class made at run time
        """Call any method of CRI with the request's fields as keywords and return the answer's message.

        Raises:
            LabError: the runtime cannot be reached or refuses the call.
        """
        try:
            return self._call(self.api, method, fields)
        except grpc.RpcError as error:
            raise self._explain(error, self.api.version) from error

    def version(self) -> messages.Version:
        """Ask the runtime for its name and version."""
        answer = self.call("Version", version=KUBELET_API_VERSION)
        return messages.Version(
            self.api.version, answer.runtime_name, answer.runtime_version, answer.runtime_api_version
        )

    def pods(self) -> list[messages.Pod]:
        """List all pod sandboxes by namespace, name and attempt."""
        items = self.call("ListPodSandbox").items
        return sorted(
            messages.Pod(
                namespace=item.metadata.namespace,
                name=item.metadata.name,
                attempt=item.metadata.attempt,
                id=item.id,
                uid=item.metadata.uid,
                state=_state(item),
                created_ns=item.created_at,
                labels=dict(sorted(item.labels.items())),
            )
            for item in items
        )

    def containers(self) -> list[messages.Container]:
        """List all containers, stopped ones too, by namespace, pod, name and attempt."""
        items = self.call("ListContainers").containers
        return sorted(
            messages.Container(
                namespace=item.labels.get(NAMESPACE_LABEL, ""),
                pod=item.labels.get(POD_LABEL, ""),
                name=item.metadata.name,
                attempt=item.metadata.attempt,
                id=item.id,
                pod_id=item.pod_sandbox_id,
                state=_state(item),
                image=item.image.image,
                image_ref=item.image_ref,
                created_ns=item.created_at,
            )
            for item in items
        )

    def images(self) -> list[messages.Image]:
        """List the images of the runtime's store by tag."""
        items = self.call("ListImages").images
        return sorted(
            messages.Image(
                tuple(sorted(item.repo_tags)), tuple(sorted(item.repo_digests)), item.id, item.size
            )
            for item in items
        )

    def info(self) -> messages.Info:
        """Ask for the runtime's conditions and whatever it tells about its own configuration."""
        answer = self.call("Status", verbose=True)
        conditions = sorted(answer.status.conditions, key=lambda condition: str(condition.type))
        return messages.Info(
            tuple(messages.Condition(c.type, c.status, c.reason, c.message) for c in conditions),
            dict(sorted(answer.info.items())),
        )

    def answers(self, version: str) -> str:
        """Ask for the runtime's name in some version of CRI, known to our protos or not; empty if it has no such one.

        The first version is asked for with the messages of a later one: ``Version`` was the same in all of them. Its
        package had no version in its name yet (Kubernetes v1.9, pkg/kubelet/apis/cri/v1alpha1/runtime/api.proto).

        Raises:
            LabError: the runtime cannot be reached.
        """
        message = "Version"
        package = "runtime." if version == FIRST_VERSION else f"runtime.{version}."
        send = self._channel.unary_unary(
            self.api.path(message).replace(f"runtime.{self.api.version}.", package),
            request_serializer=self.api.request_class(message).SerializeToString,
            response_deserializer=self.api.response_class(message).FromString,
        )
        try:
            return str(
                send(
                    self.api.request_class(message)(version=KUBELET_API_VERSION), timeout=TIMEOUT
                ).runtime_name
            )
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return ""
            raise self._explain(error, version) from error

    def _agree(self) -> protos.Api:
        """Find the API version to speak: the wanted one, or the first that is served."""
        candidates = [self._apis[self._wanted]] if self._wanted else list(self._apis.values())
        for api in candidates:
            try:
                self._call(api, "Version", {"version": KUBELET_API_VERSION})
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED and api is not candidates[-1]:
                    continue
                raise self._explain(error, " or ".join(each.version for each in candidates)) from error
            return api
        raise AssertionError("the loop above returns or raises")

    def _call(self, api: protos.Api, method: str, fields: dict[str, object]) -> Any:  # noqa: ANN401
        send = self._channel.unary_unary(
            api.path(method),
            request_serializer=api.request_class(method).SerializeToString,
            response_deserializer=api.response_class(method).FromString,
        )
        return send(api.request_class(method)(**fields), timeout=TIMEOUT)

    def _explain(self, error: grpc.RpcError, version: str) -> LabError:
        """Say in the user's terms why a call failed."""
        where = f"{self._transport.name}: {self.socket}"
        code, details = error.code(), (error.details() or "").splitlines()
        said = (self._line.complaint().splitlines() or [""])[-1]
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return LabError(
                f"{where} speaks gRPC but has no CRI service in {version}",
                "containerd's CRI plugin is switched off, or it serves the other API version (--api)",
            )
        if "No such file or directory" in said:
            return LabError(f"{where}: there is no such socket", "name another one with --socket")
        if "Connection refused" in said:
            return LabError(
                f"{where}: the socket is there, but nobody listens on it",
                "start the runtime again, or name another socket with --socket",
            )
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return LabError(
                f"{where} did not answer within {TIMEOUT:.0f} s", "see how the runtime is: `shimlab status`"
            )
        if code is grpc.StatusCode.UNAVAILABLE and "http1" in (error.details() or ""):
            return LabError(
                f"{where} speaks HTTP/1, as Docker does, and no gRPC",
                "name the socket of a CRI runtime with --socket",
            )
        if code is grpc.StatusCode.UNAVAILABLE:
            return LabError(
                f"{where} does not answer as a gRPC server ({said or (details or ['no reason given'])[-1]})",
                "check that the node runs, and that the socket belongs to a CRI runtime",
            )
        reason = details[0] if details else "no reason given"
        return LabError(f"{where} refused: {reason} ({code.name})", "see the runtime's own log on the node")


def _cache() -> Path:
    return paths.cache_dir() / "cri"


def _state(item: Any) -> str:  # noqa: ANN401 - a message class made at run time
    """Return the state's name without the prefix that its enum repeats: SANDBOX_READY → Ready."""
    names = item.DESCRIPTOR.fields_by_name["state"].enum_type.values_by_number
    word: str = names[item.state].name.partition("_")[2]
    return "NotReady" if word == "NOTREADY" else word.capitalize()
