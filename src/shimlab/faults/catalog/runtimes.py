"""Faults of migrations: the API server gone, a node that was migrated or upgraded as it should not be.

Sources: Kubernetes documentation, "Create static Pods"; what was seen is in the documentation of each fault.
"""

from __future__ import annotations

from shimlab import evidence
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.faults import symptoms
from shimlab.faults.fault import CONTROL_PLANE, Fault, Sign, Signs, together
from shimlab.faults.target import Target
from shimlab.kubelet_flags import KUBEADM_FLAGS
from shimlab.migrate import cleanup, daemons, kubelets
from shimlab.migrate.kubelets import Kubelet
from shimlab.runtimes import CONTAINERD, DOCKERSHIM, rewrite

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def _take_manifest(target: Target) -> None:
    symptoms.count_containers(target)
    target.put_aside(MANIFEST)
    target.sh('rm -f "$1"', MANIFEST)


def _api_gone(target: Target) -> Signs:
    if [each for each in evidence.processes(target.name) if each.comm == "kube-apiserver"]:
        return ()
    try:
        status.status()
    except LabError:
        return together(
            Sign("API server", "it does not answer"),
            Sign("processes", "no kube-apiserver runs"),
            symptoms.kubelet_says(target, "connect: connection refused"),
        )
    return ()


def _every_node(target: Target) -> list[str]:
    return [f"{each.name} is not Ready" for each in status.status() if not each.ready]


def _migrate_at_once(target: Target) -> None:
    flags = rewrite(target.read(KUBEADM_FLAGS), CONTAINERD, kubelets.in_use(target.name).version)
    target.write(KUBEADM_FLAGS, flags)
    target.systemctl("restart", "kubelet")


def _of_docker(target: Target) -> list[str]:
    told = target.run(["docker", "ps", "--quiet", "--filter", f"label={cleanup.OF_DOCKERSHIM}"])
    return told.split()


def _runs_twice(target: Target) -> Signs:
    version = target.api.read().status.node_info.container_runtime_version
    if not version.startswith("containerd://"):
        return ()
    docker, containerd = len(_of_docker(target)), len(cleanup.containers(target.name, CONTAINERD))
    proxies = len([each for each in evidence.processes(target.name) if each.comm == "kube-proxy"])
    if proxies < 2 or not docker or not containerd:
        return ()
    return (
        Sign("node", f"it says {version}"),
        Sign("stores", f"{docker} containers run in Docker, {containerd} are in containerd's k8s.io"),
        Sign("processes", f"{proxies} kube-proxy run"),
    )


def _migrate_back(target: Target) -> None:
    target.systemctl("stop", "kubelet")
    target.put_back()
    daemons.ensure(target.name, CONTAINERD)
    # Docker's are the ones that the node is to run: the kubelet takes them over again.
    cleanup.clear(target.name, CONTAINERD)
    daemons.ensure(target.name, DOCKERSHIM)
    target.start("kubelet")


def _newer(target: Target) -> Kubelet | None:
    """Return the release that an upgrade would bring, if it comes without dockershim."""
    found = kubelets.next_to(kubelets.in_use(target.name), kubelets.there(target.name), newer=True)
    return found if found and not found.has_dockershim else None


def _cannot_upgrade(target: Target) -> str:
    if _newer(target):
        return ""
    return "no newer kubelet without dockershim lies there, as on the worker of `shimlab up --lab removed`"


def _upgrade(target: Target) -> None:
    wanted = _newer(target)
    if wanted is None:
        raise LabError(_cannot_upgrade(target), "`shimlab repair`")
    symptoms.count_containers(target)
    target.remember(kubelet=kubelets.in_use(target.name).name)
    kubelets.put(target.name, wanted)
    target.systemctl("restart", "kubelet")


def _take_back(target: Target) -> None:
    if before := target.record.notes.get("kubelet"):
        kubelets.put(target.name, Kubelet(before))
    target.restart("kubelet")


FAULTS = (
    Fault(
        "api-server-gone",
        runtimes=("containerd",),
        act=_take_manifest,
        symptom=_api_gone,
        undo=lambda target: target.put_back(),
        left=_every_node,
        place=CONTROL_PLANE,
        seconds=120,
    ),
    Fault(
        "switched-undrained",
        runtimes=("dockershim",),
        act=_migrate_at_once,
        symptom=_runs_twice,
        undo=_migrate_back,
        seconds=120,
    ),
    Fault(
        "kubelet-upgraded",
        runtimes=("dockershim",),
        act=_upgrade,
        symptom=lambda target: together(
            symptoms.kubelet_says(target, "unknown flag: --network-plugin"), symptoms.same_containers(target)
        ),
        undo=_take_back,
        unfit=_cannot_upgrade,
    ),
)
