"""What the kernel, its limits and what it grants can have against the lab.

Every function takes what it looks at as a parameter, with this machine's as default.
"""

from __future__ import annotations

import platform
import re
import resource
from collections.abc import Sequence
from pathlib import Path

from shimlab.doctor.finding import Finding, ok, problem, warning
from shimlab.machine import host

PROC = Path("/proc")
BY_HAND = "look on the machine that runs the Docker engine"
# linux/capability.h. Without these two no engine starts and no privileged container runs.
NEEDED_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
# Without the first four kubelet 1.20 does not start (pkg/kubelet/cm, validateSystemRequirements); runc needs the rest.
V1_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids")
V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
# With these three nodes came up; kind's list of known issues advises the second pair.
SEEN_INSTANCES, SEEN_WATCHES = 128, 192_536
ADVISED_INSTANCES, ADVISED_WATCHES = 512, 524_288
# The hard limit of the host without CAP_SYS_RESOURCE on which the lab runs.
SEEN_OPEN_FILES = 20_000


def capabilities(root_debian: bool, *, status: Path = host.STATUS) -> Finding:
    """Say whether this machine may grant what nodes need."""
    name = "capabilities"
    allowed = host.bounding_set(status)
    if allowed is None:
        return warning(name, f"{status} does not tell (no Linux?)", BY_HAND)
    lacking = [word for word, bit in NEEDED_CAPABILITIES.items() if not allowed >> bit & 1]
    if lacking:
        return problem(
            name,
            f"{' and '.join(lacking)} cannot be had: this is an unprivileged container",
            "run the lab on the machine itself, or in a container made with --privileged",
        )
    if allowed >> host.CAP_SYS_RESOURCE & 1:
        return ok(name, "everything that nodes need, CAP_SYS_RESOURCE included")
    if root_debian:
        return ok(name, "no CAP_SYS_RESOURCE; the lab's own engine asks for less")
    return problem(
        name,
        "no CAP_SYS_RESOURCE, so Docker refuses privileged containers",
        "be root on a Debian 12: there the lab starts an engine that asks for less",
    )


def cgroup(*, mounts: Path = PROC / "self" / "mounts", told: str = "") -> Finding:
    """Say which version of cgroups the nodes get; ``told`` is what the engine says, for one in a virtual machine."""
    name = "cgroup"
    version = f"v{told}" if told else _cgroup_version(mounts)
    if not version:
        return problem(
            name, "no cgroups are mounted", "mount them: systemd does, or the package cgroupfs-mount"
        )
    if version.startswith("v2"):
        return warning(
            name,
            f"{version}: single kubelets ran on it, with dockershim too; no whole lab was seen there",
            "if nodes do not get ready, boot with systemd.unified_cgroup_hierarchy=0",
        )
    return ok(name, f"{version}: what the lab was run on")


def controllers(
    *,
    mounts: Path = PROC / "self" / "mounts",
    cgroups: Path = PROC / "cgroups",
    unified: Path = Path("/sys/fs/cgroup/cgroup.controllers"),
) -> Finding:
    """Say whether the kernel has the controllers that kubelet and runc need, and whether they are mounted."""
    name = "cgroup controllers"
    version = _cgroup_version(mounts)
    if not version:
        return warning(name, f"{mounts} shows no cgroups", BY_HAND)
    wanted: Sequence[str] = V1_CONTROLLERS
    if version == "v2":
        wanted, there = V2_CONTROLLERS, set(text(unified).split())
    else:
        rows = [line.split() for line in text(cgroups).splitlines() if not line.startswith("#")]
        enabled = {row[0] for row in rows if row[-1] == "1"}
        there = enabled & {
            word for row in _mounts(mounts) if row[2] == "cgroup" for word in row[3].split(",")
        }
    missing = [word for word in wanted if word not in there]
    if not missing:
        return ok(name, " ".join(wanted))
    fix = "mount them, or boot without cgroup_disable= on the kernel's command line"
    if "memory" in missing:
        fix = "boot with cgroup_enable=memory on the kernel's command line"
    return problem(name, f"missing: {' '.join(missing)}", fix)


def inotify(*, folder: Path = PROC / "sys" / "fs" / "inotify") -> Finding:
    """Say whether every node's systemd, kubelet and runtimes can watch files."""
    name = "inotify"
    told = [text(folder / f"max_user_{what}").strip() for what in ("instances", "watches")]
    if not all(told):
        return warning(name, f"{folder} cannot be read", BY_HAND)
    instances, watches = map(int, told)
    shown = f"{instances} instances, {watches} watches"
    if instances >= SEEN_INSTANCES and watches >= SEEN_WATCHES:
        return ok(name, shown)
    return warning(
        name,
        f"{shown}; three nodes were seen with {SEEN_INSTANCES} and {SEEN_WATCHES}",
        f"sysctl -w fs.inotify.max_user_instances={ADVISED_INSTANCES} fs.inotify.max_user_watches={ADVISED_WATCHES}",
    )


def open_files(bounded: bool, *, limit: int | None = None) -> Finding:
    """Say whether enough files can be open at once where the limit cannot be raised."""
    name = "open files"
    limit = host.open_files_limit() if limit is None else limit
    shown = "unlimited" if limit == resource.RLIM_INFINITY else str(limit)
    if not bounded or limit == resource.RLIM_INFINITY or limit >= SEEN_OPEN_FILES:
        return ok(name, f"hard limit {shown}")
    return warning(
        name,
        f"hard limit {shown}, which cannot be raised here; the lab was run with {SEEN_OPEN_FILES}",
        f"raise it where this machine or container is started: --ulimit nofile={SEEN_OPEN_FILES}",
    )


def overlay(
    *, filesystems: Path = PROC / "filesystems", modules: Path | None = None, kernel: str = platform.release()
) -> Finding:
    """Say whether the kernel has the file system on which images and containers lie."""
    if "overlay" in text(filesystems).split():
        return ok("overlay", "the kernel has it")
    return _module("overlay", ("overlay",), modules or Path("/lib/modules") / kernel)


def iptables(
    *, net: Path = PROC / "net", modules: Path | None = None, kernel: str = platform.release()
) -> Finding:
    """Say whether the kernel filters packets: engine and kube-proxy write rules."""
    seen = [what for what in ("ip_tables_names", "nf_conntrack") if (net / what).exists()]
    if seen:
        return ok("iptables", "the kernel filters packets")
    return _module("iptables", ("nf_tables", "ip_tables"), modules or Path("/lib/modules") / kernel)


def text(path: Path) -> str:
    """Return what a file holds, nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _mounts(path: Path) -> Sequence[Sequence[str]]:
    return [row for row in (line.split() for line in text(path).splitlines()) if len(row) >= 4]


def _cgroup_version(mounts: Path) -> str:
    found = {row[2] for row in _mounts(mounts)} & {"cgroup", "cgroup2"}
    if "cgroup" in found:
        return "v1 (hybrid)" if "cgroup2" in found else "v1"
    return "v2" if found else ""


def _module(name: str, wanted: Sequence[str], modules: Path) -> Finding:
    """Look for what is not in use among the kernel's modules (modules.dep of depmod(8))."""
    listed = text(modules / "modules.dep") + text(modules / "modules.builtin")
    there = [word for word in wanted if re.search(rf"/{word}\.ko\b", listed)]
    if there:
        return ok(name, f"the kernel has it as a module ({there[0]}), loaded when it is needed")
    if listed:
        return problem(
            name, f"this kernel has no {' or '.join(wanted)}", "boot a kernel that has it: Debian's has"
        )
    return warning(name, f"not in use, and {modules} does not tell", f"modprobe {wanted[0]}")
