"""A machine with a kubelet of its own and no cluster: what the kubelet says when it is started by hand.

The machine is one container of a release's node image. On it run systemd, Docker, containerd and, when it is asked
for, dockershim out of the tree; no kubelet runs there before one is started.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from shimlab import paths
from shimlab.errors import LabError
from shimlab.images import image, release
from shimlab.machine import engine, kind
from shimlab.migrate import kubelets
from shimlab.node import exec as node_exec
from shimlab.runtimes import OUT_OF_TREE
from shimlab.waiting import wait

TODAY = "1.37"
BOOT_SECONDS = 120
# As kind runs a node, without the cluster.
AS_A_NODE = (
    f"--network={kind.NETWORK}",
    *("--detach", "--privileged", "--cgroupns=private", "--tmpfs=/run", "--tmpfs=/tmp", "--volume=/var"),
    *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined"),
)
_CONFIGURATION, _SAID = "/root/kubelet.json", "/root/said"


@contextmanager
def machine(minor: str = TODAY) -> Iterator[str]:
    """Run a machine of a release while the block runs, dockershim out of the tree with it; give its name.

    The release's node image is built first if it is not there, which takes some minutes.

    Raises:
        LabError: the image cannot be built, or the machine does not boot in time.
    """
    tag = image.ensure(release.load(minor))
    name = f"{paths.name()}-bare-{uuid.uuid4().hex[:6]}"
    # By these labels `shimlab down` finds one that was left when its maker was killed.
    labels = ["--label", f"{image.MADE_BY}=build", "--label", f"{image.OF_LAB}={paths.name()}"]
    engine.docker("run", *AS_A_NODE, *labels, "--name", name, "--hostname", name, tag)
    try:
        wait(lambda: _boots(name), f"systemd, Docker and containerd on {name}", BOOT_SECONDS)
        node_exec.run(name, ["systemctl", "start", OUT_OF_TREE.unit])
        yield name
    finally:
        engine.docker("rm", "--force", "--volumes", name, timeout=120)


def command(name: str, *flags: str, cgroup_v1: bool = True) -> list[str]:
    """Return the command line of a kubelet that has no API server, and write its configuration on the machine.

    Without ``cgroup_v1`` the configuration does not say that cgroup v1 will do.

    Raises:
        LabError: the machine cannot be written.
    """
    configuration = {
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": "/kubelet",
        "failSwapOn": False,
        # True if nothing is said, since 1.35.
        **({"failCgroupV1": False} if cgroup_v1 else {}),
    }
    node_exec.run(name, ["sh", "-c", f"cat >{_CONFIGURATION}"], input=json.dumps(configuration))
    node_exec.run(name, ["/usr/local/lib/shimlab/kubelet-cgroups"])
    return [kubelets.LINK, f"--config={_CONFIGURATION}", *flags]


def says(name: str, *flags: str, cgroup_v1: bool = True) -> str:
    """Start a kubelet that ends by itself, and return all that it said, without the log's own quoting.

    Raises:
        LabError: it does not end within a minute, or ends well.
    """
    words = command(name, *flags, cgroup_v1=cgroup_v1)
    # The status of `timeout` when it had to end the program is 124.
    script = 'timeout 60 "$@" >"$0" 2>&1; status=$?; test $status -ne 0 -a $status -ne 124'
    node_exec.run(name, ["sh", "-c", script, _SAID, *words], timeout=90)
    # In the log's structured form, quotation marks are escaped.
    return node_exec.run(name, ["cat", _SAID]).replace("\\", "")


def _boots(name: str) -> bool:
    try:
        node_exec.run(name, ["systemctl", "is-active", "--quiet", "multi-user.target"])
    except LabError:
        return False
    return True
