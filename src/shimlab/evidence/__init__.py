"""What really runs on a node, as typed records: each read in a way that does not trust a name.

Every question is one line, and its answer has the same shape whichever runtime the node has:

    evidence.listing(evidence.processes("shimlab-worker"))

Processes
    processes(node)             what runs there: parents, programs, namespaces, cgroups, start, memory, CPU
    ancestors(process, all)     who started it, up to process 1
    program(node, path)         what a program in Go was built from: its Go, its modules, its functions
    container_tree(node, uid)   the processes of a pod's containers and their shims; drawing(tree) draws it
Sockets
    unix_sockets(node)          which unix sockets there are, and who holds them
    sockets_at(node, paths)     where a path leads, and who listens there
    connections(node, path)     who is connected to whom, both sides
Runtime
    runtime_of(node)            which runtime it is, told by four independent witnesses
    cri(node)                   what the runtime answers over CRI: version, conditions, sandboxes, containers, images
Stores and containers
    stored_containers(node)     which containers dockerd and containerd hold, in which namespace
    stored_images(node)         which images, with digests and sizes
    oci(node, container_id)     what a container asked for in config.json, and what its live process has of it
    oci_containers(node)        the same for all that run
    network_namespaces(node)    which network namespaces there are, who is in them, with which addresses
Kubelet
    kubelet(node)               which kubelet runs, its flags, and which runtime they make it use
    kubelet_config(node)        its configuration in force
    kubelet_log(node)           what it logged: time, level, source line, sentence, values
    log(node, unit)             the same for containerd and docker
    cadvisor(node, metric)      what its cAdvisor measured, by cgroup, pod and container
    probes(node)                how often it probed each container since it was started, with which result

listing(records, columns…) sets records in a table, and plain(records) makes JSON of them. A node that cannot
be asked is a LabError. Nothing here changes a node, and nothing starts a daemon that does not run.
"""

from shimlab.evidence.bundles import Asked, AskedNamespace, Check, OciContainer, oci, oci_containers
from shimlab.evidence.containers import Chain, ContainerTree, container_tree
from shimlab.evidence.cri_snapshot import CriSnapshot, cri
from shimlab.evidence.kubelet_api import KubeletConfig, Sample, cadvisor, kubelet_config, probes
from shimlab.evidence.mounts import Mount
from shimlab.evidence.networks import Interface, NetworkNamespace, network_namespaces
from shimlab.evidence.programs import Module, Program, program
from shimlab.evidence.runtime import Witness, runtime_of
from shimlab.evidence.stores import StoredContainer, StoredImage, stored_containers, stored_images
from shimlab.evidence.text import drawing, listing, plain, table
from shimlab.node.journal import LogLine, kubelet_log, log
from shimlab.node.kubelet import KubeletSetup, kubelet
from shimlab.node.procfs import Cgroup, Process, ancestors, processes
from shimlab.node.sockets import Connection, Owner, SocketPath, UnixSocket, connections, unix_sockets
from shimlab.node.sockets import at as sockets_at

__all__ = [
    "Asked",
    "AskedNamespace",
    "Cgroup",
    "Chain",
    "Check",
    "Connection",
    "ContainerTree",
    "CriSnapshot",
    "Interface",
    "KubeletConfig",
    "KubeletSetup",
    "LogLine",
    "Module",
    "Mount",
    "NetworkNamespace",
    "OciContainer",
    "Owner",
    "Process",
    "Program",
    "Sample",
    "SocketPath",
    "StoredContainer",
    "StoredImage",
    "UnixSocket",
    "Witness",
    "ancestors",
    "cadvisor",
    "connections",
    "container_tree",
    "cri",
    "drawing",
    "kubelet",
    "kubelet_config",
    "kubelet_log",
    "listing",
    "log",
    "network_namespaces",
    "oci",
    "oci_containers",
    "plain",
    "probes",
    "processes",
    "program",
    "runtime_of",
    "sockets_at",
    "stored_containers",
    "stored_images",
    "table",
    "unix_sockets",
]
