"""What a node's runtime answers over CRI, all of it in one line: the same records whichever runtime it is.

shimlab.clients.cri has the client itself, for single calls and for other sockets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shimlab.clients.cri.messages import Container, Image, Info, Pod, Version


@dataclass(frozen=True)
class CriSnapshot:
    """What a runtime says of itself and of what it runs, and over which socket it was asked."""

    socket: str
    version: Version
    info: Info
    pods: tuple[Pod, ...]
    containers: tuple[Container, ...]
    images: tuple[Image, ...]


def cri(node: str, socket: str | None = None, version: str | None = None) -> CriSnapshot:
    """Ask a node's runtime over CRI, as its kubelet does.

    ``socket`` is the kubelet's own unless another is named; ``version`` the newest that the runtime serves.

    Raises:
        LabError: the node or the socket is not there, or nobody there speaks CRI.
    """
    # gRPC takes a while to import.
    from shimlab.clients.cri.client import CriClient

    with CriClient(node, socket, version) as client:
        return CriSnapshot(
            socket=client.socket,
            version=client.version(),
            info=client.info(),
            pods=tuple(client.pods()),
            containers=tuple(client.containers()),
            images=tuple(client.images()),
        )
