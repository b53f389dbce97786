"""What notebooks use, in one place: `from shimlab.notebook import …`.

A notebook names nothing else of this project, so that what stands behind a name can move without a notebook being
recorded again.

Look at a node
    evidence                    processes, sockets, stores, logs as typed records (shimlab.evidence)
    trace                       the calls that programs make to each other while something happens (shimlab.trace)
    CriClient, Containerd, docker    a runtime over CRI, containerd and dockerd over their own APIs
    nodes                       run a command in a node
Use the cluster
    Namespace, worker_on, container_id, IMAGE    pods of one's own, on a node of one's choice
    cluster, kube               the lab's nodes and how they are; its API server
    kubelets, restarts          which kubelet a node has in use; which containers ran on
    dockerd                     settings of a running dockerd
    migrate                     take a node to another runtime
    kubelet_requests, standalone    what a kubelet would ask a runtime for; a kubelet without a cluster
Keep and show
    records, plots, price       what the site's diagrams and plots are drawn from
    wait, quiet, step, LabError
"""

from shimlab import evidence, settings, trace
from shimlab.clients import docker, dockerd, kube
from shimlab.clients.containerd import Containerd
from shimlab.clients.cri import CriClient
from shimlab.cluster import status as cluster
from shimlab.cluster.namespace import IMAGE, Namespace, container_id, worker_on
from shimlab.errors import LabError
from shimlab.migrate import kubelets, restarts
from shimlab.migrate.migrate import migrate
from shimlab.node import exec as nodes
from shimlab.notebook import kubelet_requests, plots, price, records, standalone
from shimlab.progress import quiet, step
from shimlab.waiting import wait

settings.check()

__all__ = [
    "IMAGE",
    "Containerd",
    "CriClient",
    "LabError",
    "Namespace",
    "cluster",
    "container_id",
    "docker",
    "dockerd",
    "evidence",
    "kube",
    "kubelet_requests",
    "kubelets",
    "migrate",
    "nodes",
    "plots",
    "price",
    "quiet",
    "records",
    "restarts",
    "standalone",
    "step",
    "trace",
    "wait",
    "worker_on",
]
