"""A control plane that works on when its node comes back with another address.

Docker gives out addresses in the order in which containers start. The API server's certificate names the address that
its node had when kubeadm made it, and kubeadm lets the controller manager and the scheduler ask at that address
(Kubernetes v1.20.15, cmd/kubeadm/app/phases/kubeconfig): with another they refuse the API server, for good. Everybody
else asks by the node's name.
"""

from __future__ import annotations

from shimlab.node import exec as node_exec

FILES = ("/etc/kubernetes/controller-manager.conf", "/etc/kubernetes/scheduler.conf")


def use(control_plane: str) -> None:
    """Let both ask at 127.0.0.1, which the certificate names too (kind), from their next start on.

    Raises:
        LabError: the node cannot be asked.
    """
    node_exec.run(
        control_plane,
        ["sed", "--in-place", r"s#server: https://[0-9.]*:#server: https://127.0.0.1:#", *FILES],
    )
