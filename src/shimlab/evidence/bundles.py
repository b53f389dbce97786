"""What a container asked for in its OCI config.json, beside what its live process has.

Sources: OCI runtime specification 1.0, config.md and config-linux.md; containerd v1.6.20, runtime/v2/bundle.go and
pkg/process/{init,utils}.go (a bundle's folder, its init.pid and runtime), the same for dockerd's containers, which
are containerd's; proc(5) on mountinfo; runc v1.1, libcontainer/cgroups/systemd (the form slice:prefix:name of a
cgroup's path).
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shimlab.errors import LabError
from shimlab.evidence.mounts import Mount, followed, links_of, mounts_of
from shimlab.node import procfs as proc
from shimlab.node.probe import Run, on, sections, text
from shimlab.node.procfs import Process

BUNDLES = "/run/containerd/io.containerd.runtime.v2.task"
# Mount points are told with their links followed inside the container; those near its root are enough for that.
LINKS_DEEP = 3
SCRIPT = (
    proc.SCRIPT
    + rf"""
# Without a bundle no pattern may match anything: there are no folders in that one.
cd {BUNDLES} 2>/dev/null || cd /proc/self/fdinfo
section bundles tar --create --ignore-failed-read --file=- */*/config.json */*/init.pid */*/runtime
pids=
for file in */*/init.pid; do pid=; read -r pid <"$file"; pids="$pids ${{pid:-0}}"; done 2>/dev/null
section mounts grep -aHs '' /proc/1/mountinfo $(printf '/proc/%s/mountinfo ' $pids)
section inside find $(printf '/proc/%s/root/ ' $pids) -xdev -maxdepth {LINKS_DEEP} -type l -printf '%p\0%l\0'
section networks stat -Lc '%n %i' /run/netns/* /run/docker/netns/*
"""
)
# What the specification calls a namespace, and the kernel.
KINDS = {
    "mount": "mnt",
    "network": "net",
    "pid": "pid",
    "ipc": "ipc",
    "uts": "uts",
    "user": "user",
    "cgroup": "cgroup",
    "time": "time",
}
_OF_PROCESS = re.compile(r"/proc/(\d+)/ns/(\w+)")


@dataclass(frozen=True)
class AskedNamespace:
    """A namespace that config.json lists: a new one, or with a ``path`` the one that is there."""

    kind: str
    path: str


@dataclass(frozen=True)
class Asked:
    """The parts of a config.json that can be seen on the live process, and the whole of it as JSON."""

    version: str
    argv: tuple[str, ...]
    cwd: str
    rootfs: str
    read_only: bool
    hostname: str
    cgroups_path: str
    namespaces: tuple[AskedNamespace, ...]
    mounts: tuple[Mount, ...]
    json: str


@dataclass(frozen=True)
class Check:
    """One thing that was asked for, what the process has of it, and whether that is what was asked for."""

    what: str
    asked: str
    live: str
    kept: bool


@dataclass(frozen=True)
class OciContainer:
    """A container: its bundle, what it asked for, its live process and that one's mounts, and the comparison.

    ``runtime`` is the program that its shim was told to run it with; empty means the shim's default, runc on PATH.
    """

    columns: ClassVar = ("store", "id", "process", "runtime", "asked.cgroups_path", "kept")

    store: str
    id: str
    bundle: str
    runtime: str
    asked: Asked
    process: Process
    mounts: tuple[Mount, ...]
    checks: tuple[Check, ...]

    @property
    def pod_uid(self) -> str | None:
        """Return the UID of the pod whose cgroup its process is in."""
        return self.process.pod_uid

    @property
    def kept(self) -> bool:
        """Tell whether the live process has all that was asked for; one that its runtime is still making has not."""
        return all(check.kept for check in self.checks)


def oci_containers(node: str, *, pod_uid: str | None = None, run: Run | None = None) -> list[OciContainer]:
    """Return the running containers of a node, or those of one pod, in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    found = parse(sections(run or on(node), SCRIPT))
    return [each for each in found if pod_uid is None or each.pod_uid == pod_uid]


def oci(node: str, container_id: str, *, run: Run | None = None) -> OciContainer:
    """Return one running container by its id, or by its beginning.

    Raises:
        LabError: the node cannot be asked, or no running container, or more than one, has an id that begins so.
    """
    wanted = container_id.rpartition("//")[2]
    found = [each for each in oci_containers(node, run=run) if wanted and each.id.startswith(wanted)]
    if len(found) != 1:
        raise LabError(
            f"{node}: {len(found) or 'no'} running containers have an id that begins with {wanted!r}",
            f"see the ids: shimlab.evidence.stored_containers({node!r})",
        )
    return found[0]


def parse(found: Mapping[str, bytes]) -> list[OciContainer]:
    """Read the findings of the script; a bundle whose process is gone, or is another by now, is left out."""
    everyone = {each.pid: each for each in proc.parse(found)}
    mounted = mounts_of(text(found["mounts"]))
    links = links_of(text(found["inside"]))
    networks = {
        _run(path): int(inode)
        for path, inode in (line.rsplit(" ", 1) for line in text(found["networks"]).splitlines())
    }
    containers = []
    for (store, name), (config, pid, runtime) in _bundles(found["bundles"]).items():
        process = everyone.get(pid)
        # The PID's number may have gone to another process since; its cgroup is its own.
        if process is None or not any(name in cgroup.path for cgroup in process.cgroups):
            continue
        asked = _asked(config)
        bundle = f"{BUNDLES}/{store}/{name}"
        checks = (
            *_namespaces(asked, process, everyone, networks),
            _cgroup(asked, process),
            _rootfs(asked, bundle, mounted.get(pid, ()), mounted.get(proc.INIT, ())),
            *_mounted(asked, mounted.get(pid, ()), links.get(pid, {})),
        )
        containers.append(
            OciContainer(store, name, bundle, runtime, asked, process, mounted.get(pid, ()), checks)
        )
    return sorted(containers, key=lambda each: (each.process.started, each.id))


def _bundles(archive: bytes) -> dict[tuple[str, str], tuple[dict[str, Any], int, str]]:
    files: dict[tuple[str, str], dict[str, bytes]] = {}
    if archive:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                store, name, file = member.name.split("/")
                if content := tar.extractfile(member):
                    files.setdefault((store, name), {})[file] = content.read()
    return {
        key: (json.loads(each["config.json"]), int(each["init.pid"]), text(each.get("runtime", b"")).strip())
        for key, each in sorted(files.items())
        # One that is being made has no process yet; one that is being removed may have lost a file.
        if each.get("config.json") and each.get("init.pid")
    }


def _asked(config: dict[str, Any]) -> Asked:
    process, linux = config.get("process") or {}, config.get("linux") or {}
    root = config.get("root") or {}
    return Asked(
        version=config.get("ociVersion", ""),
        argv=tuple(process.get("args") or ()),
        cwd=process.get("cwd", ""),
        rootfs=root.get("path", ""),
        read_only=bool(root.get("readonly")),
        hostname=config.get("hostname", ""),
        cgroups_path=linux.get("cgroupsPath", ""),
        namespaces=tuple(
            AskedNamespace(each["type"], each.get("path", "")) for each in linux.get("namespaces") or ()
        ),
        mounts=tuple(
            Mount(
                each["destination"],
                each.get("type", ""),
                each.get("source", ""),
                tuple(each.get("options") or ()),
            )
            for each in config.get("mounts") or ()
        ),
        json=json.dumps(config, indent=2),
    )


def _namespaces(
    asked: Asked, process: Process, everyone: Mapping[int, Process], networks: Mapping[str, int]
) -> Iterator[Check]:
    """Compare each kind of namespace: new, joined, or none asked for and so the node's own."""
    wanted = {KINDS[each.kind]: each for each in asked.namespaces}
    for kind, live in process.namespaces.items():
        seen = "that of process 1" if kind not in process.apart else f"{kind}:[{live}]"
        if kind not in wanted:
            yield Check(f"namespace {kind}", "none", seen, kind not in process.apart)
        elif path := wanted[kind].path:
            inode = networks.get(_run(path))
            if (of := _OF_PROCESS.fullmatch(path)) and int(of[1]) in everyone:
                inode = everyone[int(of[1])].namespaces.get(of[2])
            yield Check(f"namespace {kind}", path, seen, inode == live)
        else:
            yield Check(f"namespace {kind}", "a new one", seen, kind in process.apart)


def _cgroup(asked: Asked, process: Process) -> Check:
    """Compare the cgroup: the same path in all hierarchies of version 1, or in the one of version 2."""
    wanted = cgroup_path(asked.cgroups_path)
    first = [cgroup for cgroup in process.cgroups if cgroup.hierarchy]
    # On a host with both, version 2 has no controllers, and a runtime may use it or not.
    paths = sorted({cgroup.path for cgroup in first or process.cgroups})
    return Check("cgroup", wanted, " and ".join(paths), paths == [wanted])


def cgroup_path(asked: str) -> str:
    """Return a cgroup's path as the kernel tells it: config.json says so, or slice:prefix:name for systemd."""
    if asked.startswith("/") or asked.count(":") != 2:
        return asked
    slice_, prefix, name = asked.split(":")
    stem = slice_.removesuffix(".slice")
    parts = stem.split("-") if stem != "-" else []
    # a-b.slice lies in a.slice: systemd.slice(5).
    folders = ["-".join(parts[:count]) + ".slice" for count in range(1, len(parts) + 1)]
    return "/" + "/".join([*folders, f"{prefix}-{name}.scope"])


def _rootfs(asked: Asked, bundle: str, inside: tuple[Mount, ...], outside: tuple[Mount, ...]) -> Check:
    """Compare the root file system by its device: what the daemon mounted at the path is what the process has as /."""
    path = posixpath.join(bundle, asked.rootfs)
    # The last one mounted at a place is the one that is seen.
    there = next((mount for mount in reversed(outside) if mount.destination == path), None)
    root = next((mount for mount in reversed(inside) if mount.destination == "/"), None)
    live = f"{root.type} {root.device}" if root else "none"
    return Check("rootfs", path, live, bool(there and root and there.device == root.device))


def _mounted(asked: Asked, inside: tuple[Mount, ...], links: Mapping[str, str]) -> Iterator[Check]:
    """Look for each mount at its place. Of binds the type is that of the file system they come from."""
    there = {mount.destination: mount for mount in inside}
    for each in asked.mounts:
        found = there.get(followed(each.destination, links))
        bind = each.type == "bind" or {"bind", "rbind"} & set(each.options)
        # A runtime mounts cgroup v1 as a tmpfs with a folder for each hierarchy, and version 2 as cgroup2.
        kinds = {each.type, "tmpfs", "cgroup2"} if each.type == "cgroup" else {each.type}
        kept = found is not None and (bool(bind) or found.type in kinds)
        wanted = f"{'bind' if bind else each.type} {each.source}"
        yield Check(
            f"mount {each.destination}", wanted, f"{found.type} {found.device}" if found else "none", kept
        )


def _run(path: str) -> str:
    """Return a path of the node's with its one link followed: /var/run is /run."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path
