"""What really runs on a node, as typed records: each read in a way that does not trust a name."""

from shimlab.evidence.containers import Chain, ContainerTree, container_tree
from shimlab.evidence.journal import KubeletLine, kubelet_log
from shimlab.evidence.kubelets import KubeletSetup, kubelet
from shimlab.evidence.procfs import Process, ancestors, processes
from shimlab.evidence.runtime import Witness, runtime_of
from shimlab.evidence.sockets import Owner, SocketPath, UnixSocket, unix_sockets
from shimlab.evidence.sockets import at as sockets_at
from shimlab.evidence.text import drawing, table

__all__ = [
    "Chain",
    "ContainerTree",
    "KubeletLine",
    "KubeletSetup",
    "Owner",
    "Process",
    "SocketPath",
    "UnixSocket",
    "Witness",
    "ancestors",
    "container_tree",
    "drawing",
    "kubelet",
    "kubelet_log",
    "processes",
    "runtime_of",
    "sockets_at",
    "table",
    "unix_sockets",
]
