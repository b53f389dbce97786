"""What this machine is, and what it lacks to run the lab."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from shimlab import lock, paths, process
from shimlab.errors import LabError
from shimlab.progress import step

# linux/capability.h: CAP_SYS_RESOURCE is bit 24.
CAP_SYS_RESOURCE = 24
# Bytes of the lab's own files beside images: kind and kubectl, 55 MB, logs and settings, under 1 MB; rounded up.
ROOM = 64 * 10**6
STATUS = Path("/proc/self/status")
# apt's own words for what has to be done when dpkg was killed.
CONFIGURE = ["dpkg", "--configure", "-a"]
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Return this machine's architecture as Docker names it.

    Raises:
        LabError: if the lab cannot be built for it.
    """
    found = ARCHITECTURES.get(platform.machine().lower())
    if found is None:
        raise LabError(
            f"this machine is {platform.machine()}; the lab is built for amd64 and arm64",
            "use a machine of one of these two architectures",
        )
    return found


def is_root_debian() -> bool:
    """Tell whether we are root on a Debian: the one machine that we make ready ourselves."""
    release = Path("/etc/os-release")
    if os.geteuid() != 0 or not release.is_file() or shutil.which("apt-get") is None:
        return False
    return "ID=debian" in release.read_text(encoding="utf-8").splitlines()


def has_systemd() -> bool:
    """Tell whether systemd runs this machine (sd_booted(3): its runtime folder exists)."""
    return Path("/run/systemd/system").is_dir()


def is_bounded() -> bool:
    """Tell whether this host cannot grant CAP_SYS_RESOURCE (proc(5): CapBnd).

    Docker asks for every known capability for a privileged container, so it needs help here.
    """
    allowed = bounding_set()
    return allowed is not None and not allowed >> CAP_SYS_RESOURCE & 1


def bounding_set(status: Path = STATUS) -> int | None:
    """Return the capabilities that this process and its children can have at most; None where no kernel says."""
    if not status.is_file():
        return None
    for line in status.read_text(encoding="utf-8").splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return None


def open_files_limit() -> int:
    """Return the hard limit of open files, which a bounded host cannot raise."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def free_bytes(folder: Path) -> int:
    """Return the free space of the file system that holds ``folder`` or its nearest existing parent, in bytes."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def need_room(folder: Path) -> None:
    """See that there is room for what the lab writes into a folder of its own: logs, kubeconfig, small programs.

    Raises:
        LabError: the file system that holds ``folder`` has less than ROOM free.
    """
    if (free := free_bytes(folder)) < ROOM:
        raise LabError(
            f"{folder} has {free / 1e6:.1f} MB free, and the lab's own files take {ROOM / 1e6:.0f}",
            "make room there, or export XDG_STATE_HOME and XDG_CACHE_HOME to folders that have it",
        )


def install_packages(listed: str, note: Callable[[str], None]) -> None:
    """Install what lab/host/LISTED names, from Debian's packages.

    Raises:
        LabError: if apt fails; the log is named.
    """
    apt(["update"], note)
    install = ["install", "--yes", "--no-install-recommends", *wanted_packages(listed)]
    try:
        apt(install, note)
    except LabError as error:
        if " ".join(CONFIGURE) not in error.what:
            raise
        # An earlier installation was killed; until it has been brought to its end there is no other one.
        _run(CONFIGURE, note)
        apt(install, note)


def missing_packages(listed: str) -> list[str]:
    """Return the packages of lab/host/LISTED that dpkg does not have installed."""
    found = process.output(["dpkg-query", "--show", "--showformat=${Package} ${Status}\n"])
    installed = {line.split()[0] for line in found.splitlines() if line.endswith("ok installed")}
    return [name for name in wanted_packages(listed) if name not in installed]


def wanted_packages(listed: str) -> list[str]:
    """Return the names in lab/host/LISTED."""
    lines = (paths.repository() / "lab" / "host" / listed).read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def ensure_packages(listed: str) -> None:
    """Install what is missing of lab/host/LISTED on a root Debian; elsewhere do nothing.

    Raises:
        LabError: if apt fails.
    """
    if is_root_debian() and (missing := missing_packages(listed)):
        with step(f"Installing from Debian's packages: {' '.join(missing)}") as current:
            install_packages(listed, current.note)


def apt(arguments: list[str], note: Callable[[str], None]) -> None:
    """Run apt-get without questions, waiting for another apt that holds the lock.

    Raises:
        LabError: if it fails.
    """
    _run(
        ["apt-get", "--option", "DPkg::Lock::Timeout=300", "--option", "Acquire::Retries=3", *arguments], note
    )


def _run(argv: list[str], note: Callable[[str], None]) -> None:
    process.stream(
        argv,
        paths.log_dir() / "apt.log",
        on_line=note,
        # Packages start services, which are to stay when we have ended: they do not carry our mark.
        env={"DEBIAN_FRONTEND": "noninteractive", process.MARK: ""},
        timeout=1200,
        remedy="mend apt, then run the same command again",
        append=True,
    )


if __name__ == "__main__":
    try:
        # apt-get update does not wait for another one.
        with lock.machine():
            ensure_packages(sys.argv[1])
    except LabError as error:
        sys.exit(f"{error.what}\n  → {error.remedy}")
