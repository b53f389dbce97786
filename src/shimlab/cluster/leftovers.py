"""What would be left of the lab after `shimlab down`: looked for where it would be, not where we put it."""

from __future__ import annotations

import os
from pathlib import Path

from shimlab import paths
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.images import build, image
from shimlab.machine import engine, kind


def found() -> list[str]:
    """Return a line for each container, network, volume, mount and process of the lab that still exists."""
    # The private engine is root's; for others what is left of it is somebody else's.
    ours = os.geteuid() == 0
    clusters = _clusters()
    lines = [f"cluster {name}" for name, cluster_name in clusters.items() if cluster_name == paths.name()]
    if set(clusters.values()) - {paths.name()} or build.goes_on():
        # The network, and an engine of ours with its mounts and volumes, are another lab's or a build's as well.
        return [*lines, *_processes(private=False)]
    return [
        *lines,
        *_in_the_engine(),
        *(f"mount {at}" for at in (engine.mounts() if ours else [])),
        *_processes(private=ours),
    ]


def _clusters() -> dict[str, str]:
    """Return the nodes of every kind cluster in the engine, each with its cluster's name."""
    form = f'{{{{.Names}}}} {{{{.Label "{status.KIND_LABEL}"}}}}'
    try:
        told = engine.docker("ps", "--all", "--filter", f"label={status.KIND_LABEL}", "--format", form)
    except LabError:
        return {}
    # A stand-in for docker may print something else.
    rows = (line.split() for line in told.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


def _in_the_engine() -> list[str]:
    try:
        engine.current()
    except LabError:
        return []
    lines = [f"container {name}" for name in image.workshop()]
    networks = engine.docker("network", "ls", "--filter", f"name=^{kind.NETWORK}$", "--format", "{{.Name}}")
    lines += [f"network {name}" for name in networks.split()]
    if engine.current().ours:
        lines += [f"volume {name}" for name in engine.docker("volume", "ls", "--quiet").split()]
    return lines


def _processes(*, private: bool) -> list[str]:
    """Find processes of our engine and of the nodes by their command line, in /proc (Linux only)."""
    lines = []
    known: list[str] | None = None
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
            cgroup = (folder / "cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        program = Path(argv[0].decode("utf-8", "replace")).name
        names_us = private and any(str(engine.RUN).encode() in word for word in argv)
        if program in {"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy"} and names_us:
            lines.append(f"process {folder.name} {program}")
        # On a host whose own engine runs the nodes, their processes show the nodes' cgroup.
        if program in {"kubelet", "kube-apiserver", "kube-proxy"} and "/docker/" in cgroup:
            # What runs in a container that exists is the container's: ours is named above, others are not ours.
            known = _containers() if known is None else known
            if not any(container in cgroup for container in known):
                lines.append(f"process {folder.name} {program}")
    return lines


def _containers() -> list[str]:
    try:
        return engine.docker("ps", "--quiet", "--no-trunc").split()
    except LabError:
        return []
