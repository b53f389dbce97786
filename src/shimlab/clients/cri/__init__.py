"""Ask a runtime over CRI, the interface that the kubelet uses."""

from shimlab.clients.cri.client import CriClient
from shimlab.clients.cri.messages import Condition, Container, Image, Info, Pod, Version
from shimlab.clients.transport import LocalTransport, NodeTransport

__all__ = [
    "Condition",
    "Container",
    "CriClient",
    "Image",
    "Info",
    "LocalTransport",
    "NodeTransport",
    "Pod",
    "Version",
]
