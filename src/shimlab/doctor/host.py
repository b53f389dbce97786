"""What the machine can have against the lab beside its kernel: system, folders, memory, ports, environment.

Every function takes what it looks at as a parameter, with this machine's as default.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from shimlab import paths
from shimlab.cluster import config
from shimlab.doctor.finding import Finding, ok, problem, warning
from shimlab.doctor.kernel import BY_HAND, PROC, text
from shimlab.machine import host

OLDEST_PYTHON = (3, 11, 2)
# Bytes: three nodes took about two thousand million when measured.
ENOUGH_MEMORY, LEAST_MEMORY = 4 * 10**9, 2 * 10**9
PORTS = {8000: "./run serve", 8888: "Jupyter"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# kind's default for what services get; the lab's configuration says nothing else.
SERVICE_NETWORK = "10.96.0.0/16"


def system(
    root_debian: bool,
    *,
    kind: str = sys.platform,
    kernel: str = platform.release(),
    release: Path = Path("/etc/os-release"),
) -> Finding:
    """Say which system this is, and whether the lab installs here what it needs."""
    name = "system"
    if kind == "darwin":
        return warning(
            name, "macOS: not tried", "install Docker Desktop and kind; a Linux machine is what was tried"
        )
    if kind != "linux":
        return problem(name, f"{kind}: the lab needs Linux or macOS", "use Linux, or WSL 2 on Windows")
    fields = dict(re.findall(r'^(\w+)="?(.*?)"?$', text(release), re.MULTILINE))
    pretty = fields.get("PRETTY_NAME", "a Linux without os-release")
    if "microsoft" in kernel.lower():
        return warning(name, f"{pretty} on WSL: not tried", "if nodes do not start, use a virtual machine")
    if not root_debian:
        return ok(name, f"{pretty}; the lab installs nothing: that takes root and apt on Debian")
    if fields.get("VERSION_ID") != "12":
        return warning(
            name,
            f"{pretty}, root: the lab installs here; tried on Debian 12 only",
            "use Debian 12 if it fails",
        )
    return ok(name, f"{pretty}, root: the lab installs what is missing")


def python(found: tuple[int, int, int] = sys.version_info[:3]) -> Finding:
    """Say which Python runs this."""
    shown = ".".join(map(str, found))
    if found < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return problem(
            "python", f"{shown} is older than {wanted}", "PYTHON=/path/to/a/newer/python3 ./run tests"
        )
    return ok("python", shown)


def architecture() -> Finding:
    """Say which architecture this is.

    Raises:
        LabError: if the lab is not built for it.
    """
    found = host.architecture()
    if found == "arm64":
        return warning(
            "architecture", "arm64: the recipe builds for it, not tried", "if the build fails, use amd64"
        )
    return ok("architecture", found)


def folders() -> Finding:
    """Say whether the lab's folders can be written.

    Raises:
        LabError: if one cannot be made, or has no room.
    """
    state, cache = paths.state_dir(), paths.cache_dir()
    for folder in (state, cache):
        if not os.access(folder, os.W_OK | os.X_OK):
            return problem(
                "folders",
                f"{folder} cannot be written",
                f"give it to this user: sudo chown {os.getuid()} {folder}",
            )
        host.need_room(folder)
    return ok("folders", f"{state} and {cache}")


def memory(running: bool, *, meminfo: Path = PROC / "meminfo", engine: int = 0) -> Finding:
    """Say whether three nodes fit; ``engine`` is what the engine has in all, less than here in a virtual machine."""
    name = "memory"
    told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text(meminfo), re.MULTILINE))
    available = int(told.get("MemAvailable", 0)) * 1024
    found = min(available, engine) if available and engine else available or engine
    if not found:
        return warning(name, f"{meminfo} cannot be read", BY_HAND)
    shown = f"{found / 1e9:.1f} GB available"
    if running:
        return ok(name, f"{shown} beside the running lab")
    if found < LEAST_MEMORY:
        return problem(
            name,
            f"{shown}; three nodes take about 2 GB",
            "end what uses memory, or give Docker's machine more",
        )
    if found < ENOUGH_MEMORY:
        return warning(name, f"{shown}; three nodes take about 2 GB, pods come on top", "have 4 GB available")
    return ok(name, shown)


def ports(wanted: Mapping[int, str] = PORTS, *, proc: Path = PROC) -> Finding:
    """Say who has the ports of the site and of Jupyter; the API server takes any that is free."""
    taken = []
    for port, use in wanted.items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: a connection that has just ended does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    return problem(
                        "ports",
                        f"127.0.0.1 cannot be used: {error.strerror}",
                        "bring the loopback interface up: ip link set lo up",
                    )
                taken.append(f"{port} ({use}) by {_listener(port, proc)}")
    if not taken:
        return ok("ports", f"{' and '.join(map(str, wanted))} are free; the API server takes any free one")
    return warning(
        "ports",
        f"taken: {'; '.join(taken)}",
        "end it, or `./run serve -- --port N`; Jupyter takes the next free one by itself",
    )


def proxy(environment: Mapping[str, str] = os.environ) -> Finding:
    """Say whether a proxy is set, and whether the lab's own addresses go around it. No value is shown.

    Raises:
        LabError: if the lab's configuration is not beside shimlab.
    """
    name = "proxy"
    found = [word for word in PROXIES if environment.get(word) or environment.get(word.lower())]
    if not found:
        return ok(name, "none set")
    listed = f"{environment.get('NO_PROXY', '')},{environment.get('no_proxy', '')}".replace(" ", "").split(
        ","
    )
    wanted = ["localhost", "127.0.0.1", config.load().pod_network, SERVICE_NETWORK]
    missing = [] if "*" in listed else [word for word in wanted if word not in listed]
    if not missing:
        return ok(name, f"{' '.join(found)}, and NO_PROXY holds the lab's addresses")
    return warning(
        name,
        f"{' '.join(found)} set, and NO_PROXY lacks {' '.join(missing)}",
        f'export NO_PROXY="$NO_PROXY,{",".join(missing)}"',
    )


def _listener(port: int, proc: Path) -> str:
    """Name the process that listens on a port, as far as this user may see (proc(5): net/tcp, state 0A is LISTEN)."""
    rows = [line.split() for what in ("tcp", "tcp6") for line in text(proc / "net" / what).splitlines()[1:]]
    inodes = {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    sockets = {f"socket:[{inode}]" for inode in inodes}
    for folder in proc.glob("[0-9]*"):
        # Other users' files may not be read, and processes and files go while they are looked at.
        with contextlib.suppress(OSError):
            for link in list((folder / "fd").iterdir()):
                with contextlib.suppress(OSError):
                    if str(link.readlink()) in sockets:
                        return f"{text(folder / 'comm').strip()} (pid {folder.name})"
    return "a process of another user"
