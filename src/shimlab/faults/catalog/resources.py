"""Faults of what a node lives from: its network, its disk, its images.

Sources: CNI specification 1.0.0 and containerd's and dockershim's rule (the first file of the folder counts);
Kubernetes documentation, "Node-pressure Eviction" (a soft threshold reports the condition at once and reclaims nothing
within its grace period); tmpfs(5) on changing the size of a mount.
"""

from __future__ import annotations

import ipaddress
import json

from shimlab.clients.cri import CriClient
from shimlab.cluster.namespace import IMAGE
from shimlab.faults import symptoms
from shimlab.faults.catalog.daemons import BOTH
from shimlab.faults.catalog.settings import KUBELET_CONFIG
from shimlab.faults.fault import Fault, Sign, Signs, together
from shimlab.faults.pod import FaultPod
from shimlab.faults.target import Target

CNI_FOLDER = "/etc/cni/net.d"
CNI_LEFTOVER = f"{CNI_FOLDER}/00-leftover.conflist"
# The range of another network: containerd's own example configuration uses it, and so does podman.
CNI_RANGE = "10.88.0.0/16"
CNI_ADDRESSES = "/run/cni-leftover"
REGISTRY = IMAGE.partition("/")[0]
HOSTS_LINE = f"127.0.0.1 {REGISTRY} # shimlab break"
KEPT = "shimlab.kept/busybox:kept"
# In bytes: what may come free in a full file system, and far less than a whole one has.
ROOM = 1 << 20
PULL = ("ErrImagePull", "ImagePullBackOff")
# More than any disk has; all of it (100%) the kubelet takes for no threshold.
THRESHOLD = "evictionSoft:\n  nodefs.available: 1Pi\nevictionSoftGracePeriod:\n  nodefs.available: 24h0m0s\n"


def _cni_first(target: Target) -> None:
    ipam = {
        "type": "host-local",
        "dataDir": CNI_ADDRESSES,
        "ranges": [[{"subnet": CNI_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [{"type": "ptp", "ipMasq": False, "ipam": ipam}]
    text = json.dumps({"cniVersion": "0.4.0", "name": "leftover", "plugins": plugins})
    # It must appear whole, and under a name that no runtime reads until it is.
    target.run(["sh", "-euc", 'cat >"$1.new"; mv "$1.new" "$1"', "sh", CNI_LEFTOVER], input=text)


def _wrong_address(target: Target) -> Signs:
    found = FaultPod(target.name).read()
    address = found.status.pod_ip if found else None
    own = target.api.read().spec.pod_cidr
    if not address or ipaddress.ip_address(address) in ipaddress.ip_network(own):
        return ()
    files = target.run(["ls", CNI_FOLDER]).split()
    return together(
        Sign("files", f"{CNI_FOLDER} has {', '.join(files)}"),
        Sign("pod", f"it runs with address {address.rpartition('.')[0]}.…, and the node's range is {own}"),
    )


def _cni_again(target: Target) -> None:
    target.sh('rm -f "$1" "$1.new"', CNI_LEFTOVER)
    if target.runtime.scheme == "docker":
        # dockershim looks into the folder every five seconds, and gives addresses back to the old network until then.
        target.restart(target.runtime.unit or "kubelet")


def _no_addresses_left(target: Target) -> list[str]:
    # A sandbox gives its address back there when it is removed; the kubelet does that a minute after its pod has gone.
    pod = FaultPod(target.name)
    now = pod.read()
    with CriClient(target.name, target.runtime.socket) as cri:
        for sandbox in cri.pods():
            if sandbox.name == pod.name and not (now and sandbox.uid == now.metadata.uid):
                cri.call("StopPodSandbox", pod_sandbox_id=sandbox.id)
                cri.call("RemovePodSandbox", pod_sandbox_id=sandbox.id)
    target.sh('rm -rf "$1" /var/lib/cni/cache/results/leftover-*', CNI_ADDRESSES)
    return []


def _lose_image(target: Target) -> None:
    target.sh('grep -qxF "$1" /etc/hosts || printf "%s\\n" "$1" >>/etc/hosts', HOSTS_LINE)
    if target.runtime.scheme == "docker":
        target.sh('docker tag "$1" "$2"; docker rmi "$1" >/dev/null', IMAGE, KEPT)
    else:
        target.sh(
            'ctr -n k8s.io images tag --force "$1" "$2" >/dev/null; ctr -n k8s.io images rm "$1" >/dev/null',
            IMAGE,
            KEPT,
        )


def _cannot_pull(target: Target) -> Signs:
    found = FaultPod(target.name).read()
    statuses = (found.status.container_statuses if found else None) or []
    waiting = [each.state.waiting for each in statuses if each.state.waiting]
    if not waiting or waiting[0].reason not in PULL:
        return ()
    return together(
        Sign("pod", f"it waits: {waiting[0].reason}"),
        symptoms.pod_event(target, "Failed", f'Failed to pull image "{IMAGE}"'),
    )


def _find_image(target: Target) -> None:
    # In place: the file is a mount of the engine's.
    target.sh(
        'if grep -qxF "$1" /etc/hosts; then'
        ' kept=$(grep -vxF "$1" /etc/hosts || true); printf "%s\\n" "$kept" >/etc/hosts; fi',
        HOSTS_LINE,
    )
    if target.runtime.scheme == "docker":
        target.sh(
            'if docker image inspect "$2" >/dev/null 2>&1; then'
            ' docker tag "$2" "$1"; docker rmi "$2" >/dev/null; fi',
            IMAGE,
            KEPT,
        )
    else:
        target.sh(
            'if ctr -n k8s.io images ls --quiet | grep -qxF "$2"; then'
            ' ctr -n k8s.io images tag --force "$2" "$1" >/dev/null;'
            ' ctr -n k8s.io images rm "$2" >/dev/null; fi',
            IMAGE,
            KEPT,
        )


def _raise_threshold(target: Target) -> None:
    target.write(KUBELET_CONFIG, target.read(KUBELET_CONFIG).rstrip("\n") + f"\n{THRESHOLD}")
    target.systemctl("restart", "kubelet")


def _has_threshold(target: Target) -> str:
    return (
        "its kubelet has a soft threshold of its own"
        if "evictionSoft:" in target.read(KUBELET_CONFIG)
        else ""
    )


def _pressure(target: Target) -> Signs:
    found = FaultPod(target.name).read()
    if found is None or found.status.phase != "Failed":
        return ()
    refused = f"{found.status.phase}: {found.status.reason}, {found.status.message.strip()}"
    return together(symptoms.node_is(target, "DiskPressure", "True"), Sign("pod", refused))


def _lower_threshold(target: Target) -> None:
    target.put_back()
    target.restart("kubelet")


def _fill_run(target: Target) -> None:
    target.remember(size=_run_size(target))
    _make_small(target)


def _make_small(target: Target) -> None:
    # As small as what is in it: full, and not a byte was written for it.
    target.sh("""
    for try in 1 2 3 4 5; do
      used=$(df --block-size=1 --output=used /run | tail -n 1)
      if mount -o "remount,size=$((used))" /run 2>/dev/null; then exit 0; fi
    done
    echo "/run cannot be made small" >&2
    exit 1""")


def _run_size(target: Target) -> str:
    # In bytes: of an odd number of pages "50%" is one page more than the half that tmpfs takes by itself.
    return target.run(["df", "--block-size=1", "--output=size", "/run"]).split()[-1]


def _no_space(target: Target) -> Signs:
    free = _free(target)
    return together(
        Sign("file system", f"/run has {free} bytes left") if free < ROOM else None,
        symptoms.pod_event(target, "Failed", "no space left on device"),
    )


def _smaller_again(target: Target) -> None:
    # What ends gives room back, and a pod that was quick has taken it.
    _make_small(target)
    _another_pod(target)


def _another_pod(target: Target) -> None:
    FaultPod(target.name).again()


def _empty_run(target: Target) -> None:
    size = target.record.notes.get("size")
    if size:
        target.run(["mount", "-o", f"remount,size={size}", "/run"])


def _still_small(target: Target) -> list[str]:
    return [] if _free(target) > ROOM else ["/run is full"]


def _free(target: Target) -> int:
    return int(target.run(["df", "--block-size=1", "--output=avail", "/run"]).split()[-1])


FAULTS = (
    Fault(
        "cni-first",
        runtimes=BOTH,
        act=_cni_first,
        symptom=_wrong_address,
        nudge=_another_pod,
        undo=_cni_again,
        left=_no_addresses_left,
        pod=True,
    ),
    Fault(
        "registry-unreachable",
        runtimes=BOTH,
        act=_lose_image,
        symptom=_cannot_pull,
        undo=_find_image,
        pod=True,
    ),
    Fault(
        "disk-pressure",
        runtimes=BOTH,
        act=_raise_threshold,
        symptom=_pressure,
        nudge=_another_pod,
        undo=_lower_threshold,
        unfit=_has_threshold,
        pod=True,
    ),
    Fault(
        "run-full",
        runtimes=BOTH,
        act=_fill_run,
        symptom=_no_space,
        nudge=_smaller_again,
        undo=_empty_run,
        left=_still_small,
        pod=True,
    ),
)
