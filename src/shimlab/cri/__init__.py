"""Ask a runtime over CRI, the interface that the kubelet uses."""

from shimlab.cri.client import CriClient
from shimlab.cri.reach import LocalReach, NodeReach
from shimlab.cri.records import Condition, Container, Image, Info, Pod, Version

__all__ = [
    "Condition",
    "Container",
    "CriClient",
    "Image",
    "Info",
    "LocalReach",
    "NodeReach",
    "Pod",
    "Version",
]
