"""What Docker can have against the lab: its command, its engine, and where its data lies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from shimlab import process
from shimlab.doctor.finding import Finding, ok, problem, warning
from shimlab.doctor.machine import Machine, is_remote, unasked
from shimlab.errors import LabError
from shimlab.images import image, release
from shimlab.machine import engine, host, private

# The oldest on which the lab was run, and exactly which.
OLDEST_ENGINE = (20, 10)
SEEN_ENGINE = "20.10.24"
# Bytes: what an hour's logs and a test's images take of a lab that is up, several times over.
NEARLY_FULL = 10**9
# An overlay's upper layer cannot lie on these (kernel, Documentation/filesystems/overlayfs).
NO_UPPER_LAYER = {"overlay", "aufs", "nfs", "nfs4"}


def packages(machine: Machine) -> Finding:
    """Say which of Debian's packages the lab would install.

    Raises:
        LabError: if dpkg does not answer.
    """
    if not machine.root_debian:
        return ok("packages", "none are installed by the lab here")
    missing = host.missing_packages("packages")
    return ok("packages", f"`shimlab up` installs {' '.join(missing)}" if missing else "all installed")


def docker(machine: Machine) -> Finding:
    """Say whether there is a docker command.

    Raises:
        LabError: if it cannot be run.
    """
    program = shutil.which("docker")
    if program is None:
        if machine.root_debian:
            return ok("docker", "there is no docker command yet; `shimlab up` installs Debian's")
        raise machine.refusal or LabError("there is no docker command", "install Docker")
    said = process.output([program, "--version"], timeout=20).strip()
    if "podman" in said.lower():
        return problem("docker", f"{program} is {said}", "install Docker: the lab was not made for podman")
    return ok("docker", f"{program}: {said}")


def answers(machine: Machine) -> Finding:
    """Say which engine the lab would use.

    Raises:
        LabError: if there is none, and none is made here.
    """
    name = "engine"
    if machine.makes_own:
        return ok(name, f"{_why(machine)}; `shimlab up` starts one of its own")
    found = machine.engine
    if found is None and shutil.which("docker") is None:
        return unasked(name, machine, "")
    if found is None:
        raise machine.refusal or LabError("no Docker engine answers", "start Docker")
    if found.ours:
        return ok(name, f"the lab's own, {found.host}")
    if is_remote(found):
        return warning(
            name,
            f"on another machine ({found.host.split('@')[-1]}): not tried, and kind reaches it on 127.0.0.1 only",
            "run the lab there, or unset DOCKER_HOST",
        )
    return ok(name, f"the user's, {found.host or 'where docker finds it'}")


def engine_version(machine: Machine) -> Finding:
    """Say whether the engine is new enough."""
    name = "engine version"
    if machine.engine is None:
        return unasked(name, machine, f"Debian 12 has {SEEN_ENGINE}")
    told = machine.engine.version
    match = re.match(r"(\d+)\.(\d+)", told)
    wanted = ".".join(map(str, OLDEST_ENGINE))
    if match is None:
        return warning(name, f"{told}: cannot be compared with {wanted}", f"use a release from {wanted} on")
    if (int(match[1]), int(match[2])) < OLDEST_ENGINE:
        return problem(name, f"{told} is older than {wanted}", f"install Docker {wanted} or newer")
    return ok(name, told if told.startswith(SEEN_ENGINE) else f"{told}; the lab was run on {SEEN_ENGINE}")


def engine_kind(machine: Machine) -> Finding:
    """Say whether the engine is of a kind that was tried: rootful, on this machine."""
    name = "engine kind"
    if machine.engine is None:
        return unasked(name, machine, "an ordinary one")
    options = {str(option).partition(",")[0] for option in machine.info.get("SecurityOptions") or []}
    if machine.info.get("OSType", "linux") != "linux":
        return problem(name, "runs Windows containers", "switch Docker to Linux containers")
    if "name=rootless" in options:
        if machine.info.get("CgroupVersion") == "1":
            return problem(
                name,
                "rootless on cgroup v1, which kind does not support",
                "use Docker with root, or cgroup v2",
            )
        return warning(
            name, "rootless: not tried; kubelet 1.20 knows nothing of user namespaces", "use Docker with root"
        )
    if "name=userns" in options:
        return warning(
            name, "with user namespaces: not tried", "take userns-remap out of Docker's daemon.json"
        )
    if "Docker Desktop" in str(machine.info.get("OperatingSystem", "")):
        return warning(name, "Docker Desktop: not tried", "if nodes do not start, use Docker Engine on Linux")
    return ok(name, "ordinary: rootful, on this machine")


def storage(machine: Machine, *, mounts: Path = Path("/proc/self/mounts")) -> Finding:
    """Say whether containers in the nodes can have layers: an overlay does not lie on an overlay."""
    name = "storage"
    if machine.elsewhere:
        return ok(name, f"driver {machine.info.get('Driver', 'unknown')}, where Docker runs")
    root = _root(machine)
    if root is None or not mounts.is_file():
        return unasked(name, machine, "")
    root = root.resolve()
    rows = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    # Of mounts at the same place the last one is seen.
    found = max(
        ((len(row[1]), number, row[2]) for number, row in enumerate(rows) if root.is_relative_to(row[1])),
        default=(0, 0, "an unknown file system"),
    )[2]
    if found in NO_UPPER_LAYER:
        return problem(
            name,
            f"{root} lies on {found}, which cannot carry an overlay",
            "give it an ordinary file system: a disk or a volume",
        )
    if machine.info.get("Driver") == "vfs":
        return warning(name, f"driver vfs on {found}: copies every layer", "let Docker use overlay2")
    return ok(name, f"{root} on {found}")


def disk(machine: Machine) -> Finding:
    """Say whether the engine's data has room for what comes: a build, or the nodes.

    Raises:
        LabError: if there is too little for a build that must come.
    """
    name = "disk"
    if machine.elsewhere:
        return warning(
            name,
            "where Docker runs, not seen from here",
            f"give it {image.BUILD_SPACE / 1e9:.0f} GB of free disk for the first `shimlab up`",
        )
    root = _root(machine)
    if root is None:
        return unasked(name, machine, "")
    try:
        free = host.free_bytes(root)
    except OSError as error:
        return warning(name, f"{root} cannot be looked at: {error.strerror}", f"df -h {root}")
    shown = f"{free / 1e9:.0f} GB free under {root}"
    if free < NEARLY_FULL:
        return problem(
            name,
            f"{root} is nearly full: {free / 1e6:.0f} MB free, and nodes that cannot write fail in odd ways",
            f"df -h {root}, and free {(NEARLY_FULL - free) / 1e9:.1f} GB there",
        )
    if machine.running:
        return ok(name, f"{shown}; the lab is up")
    if machine.engine is None:
        # The image may lie in the data of the engine that `down` has stopped.
        if free < image.BUILD_SPACE and root.exists():
            return warning(
                name,
                f"{shown}; a build takes {image.BUILD_SPACE / 1e9:.0f} GB",
                "free some, if the image must be built",
            )
        image.need_space(root, image.BUILD_SPACE)
        return ok(name, f"{shown}, enough for a build")
    tag = release.load().tag
    if not image.exists(tag):
        image.need_space(root, image.BUILD_SPACE)
        return ok(name, f"{shown}, enough for a build")
    # Each node fills a volume from the image: three times its size is the most that can be.
    needed = 3 * int(engine.docker("image", "inspect", "--format", "{{.Size}}", tag))
    if free < needed:
        return problem(
            name,
            f"{shown}; three nodes take up to {needed / 1e9:.0f} GB",
            f"free {(needed - free) / 1e9:.1f} GB there",
        )
    return ok(name, f"{shown}, enough for three nodes")


def _why(machine: Machine) -> str:
    return machine.refusal.what if machine.refusal else "none runs"


def _root(machine: Machine) -> Path | None:
    if machine.engine is not None:
        told = machine.info.get("DockerRootDir")
        return Path(str(told)) if told else None
    return private.DATA if machine.makes_own else None
