"""What would be left of the lab after `shimlab down`: looked for where it would be, not where we put it."""

from __future__ import annotations

from pathlib import Path

from shimlab.errors import LabError
from shimlab.lab import cluster, engine, image, kind


def found() -> list[str]:
    """Return a line for each container, network, volume, mount and process of the lab that still exists."""
    return [*_in_the_engine(), *_mounts(), *_processes()]


def _in_the_engine() -> list[str]:
    try:
        engine.current()
    except LabError:
        return []
    lines = []
    for what, arguments in {
        "container": ["ps", "--all", "--filter", f"label={image.MADE_BY}=build", "--format", "{{.Names}}"],
        "cluster": [
            "ps",
            "--all",
            "--filter",
            f"label={cluster.KIND_LABEL}={cluster.NAME}",
            "--format",
            "{{.Names}}",
        ],
        "network": ["network", "ls", "--filter", f"name=^{kind.NETWORK}$", "--format", "{{.Name}}"],
    }.items():
        lines += [f"{what} {name}" for name in engine.docker(*arguments).split()]
    if engine.current().ours:
        lines += [f"volume {name}" for name in engine.docker("volume", "ls", "--quiet").split()]
    return lines


def _mounts() -> list[str]:
    mounts = Path("/proc/self/mounts")
    if not mounts.is_file():
        return []
    places = (f"{engine.RUN}/", f"{engine.DATA}/")
    targets = [line.split()[1] for line in mounts.read_text(encoding="utf-8").splitlines()]
    return [f"mount {target}" for target in targets if target.startswith(places)]


def _processes() -> list[str]:
    """Find processes of our engine and of the nodes by their command line, in /proc (Linux only)."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        program = Path(argv[0].decode("utf-8", "replace")).name
        names_us = any(str(engine.RUN).encode() in word for word in argv)
        if program in {"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy"} and names_us:
            lines.append(f"process {folder.name} {program}")
        if program in {"kubelet", "kube-apiserver", "kube-proxy"}:
            # On a host whose own engine runs the nodes, their processes show the nodes' cgroup.
            cgroup = folder / "cgroup"
            if cgroup.is_file() and "/docker/" in cgroup.read_text(encoding="utf-8", errors="replace"):
                lines.append(f"process {folder.name} {program}")
    return lines
