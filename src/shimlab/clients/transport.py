"""Ways to a runtime: a node of the lab, or a socket of this machine with the protos in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shimlab.clients.relay import Relay
from shimlab.errors import LabError
from shimlab.machine import engine
from shimlab.node import exec as node_exec
from shimlab.node.kubelet import kubelet

NODE_PROTOS = "/usr/share/shimlab/cri"


class Line(Protocol):
    """An open way to a socket."""

    @property
    def target(self) -> str:
        """Name the near end for gRPC."""

    def complaint(self) -> str:
        """Return what the way itself reported, when the far end does not answer."""


class Transport(Protocol):
    """What a client needs to know about the place where the runtime is."""

    @property
    def name(self) -> str:
        """Name the place in messages."""

    def protos(self) -> dict[str, str]:
        """Return the CRI protos to speak, path → text."""

    def socket(self) -> str:
        """Return the path of the socket that the kubelet of this place uses."""

    def open(self, path: str) -> AbstractContextManager[Line]:
        """Open a way to the socket at ``path``."""


class NodeTransport:
    """A node of the lab, reached through the docker command."""

    def __init__(self, node: str) -> None:
        """Keep the node's name; nothing is asked yet."""
        self.name = node

    def protos(self) -> dict[str, str]:
        """Read the protos that the node image carries, path → text.

        Raises:
            LabError: the node cannot be reached, or its image carries none.
        """
        script = f"""
        find {NODE_PROTOS} -name '*.proto' | while read -r file; do
          printf '%s\\0' "$file"; cat "$file"; printf '\\0'
        done"""
        try:
            parts = node_exec.run(self.name, ["sh", "-s"], input=script).split("\0")
        except LabError:
            if node_exec.exists(self.name):
                raise
            raise LabError(f"no node {self.name} runs", "`shimlab status` lists the nodes") from None
        paths, texts = parts[:-1:2], parts[1::2]
        return {path.removeprefix(NODE_PROTOS + "/"): text for path, text in zip(paths, texts, strict=True)}

    def socket(self) -> str:
        """Return the socket that the node's kubelet itself talks to."""
        return kubelet(self.name).socket

    def open(self, path: str) -> Relay:
        """Relay to a socket inside the node."""
        relay = ["socat", "STDIO", f"UNIX-CONNECT:{path}"]
        return Relay(["docker", "exec", "-i", self.name, *relay], engine.current().environment)


@dataclass(frozen=True)
class _Direct:
    target: str

    def complaint(self) -> str:
        return ""


@dataclass(frozen=True)
class LocalTransport:
    """A socket of this machine, for a runtime that runs here; ``folder`` holds ``VERSION/api.proto``."""

    folder: Path
    path: str
    name: str = "this machine"

    def protos(self) -> dict[str, str]:
        """Read the protos below the folder, path → text."""
        files = sorted(self.folder.rglob("*.proto"))
        return {str(file.relative_to(self.folder)): file.read_text(encoding="utf-8") for file in files}

    def socket(self) -> str:
        """Return the socket that was named."""
        return self.path

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[Line]:
        """Use the socket as it is.

        Raises:
            LabError: there is no socket of that name.
        """
        if not Path(path).is_socket():
            raise LabError(f"{self.name}: there is no socket {path}", "start the runtime, or name its socket")
        yield _Direct(f"unix:{path}")
