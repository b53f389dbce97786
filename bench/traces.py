"""What the lab could leave on a machine, looked at before and after (Linux only: /proc, /sys)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from shimlab.machine import engine

# Folders of the lab's own, where it may leave what it is asked to keep, and those that belong to the kernel or to
# whoever else works on this machine meanwhile.
OURS = ("/var/lib/shimlab", "/run/shimlab")
NOT_LOOKED_AT = ("/proc", "/sys", "/dev", *OURS)


def take() -> dict[str, set[str]]:
    """Return what there is of each kind."""
    return {
        **_in_the_engine(),
        "mount": {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()},
        "loop device": {
            f"{device.parent.parent.name} {device.read_text().strip()}"
            for device in Path("/sys/block").glob("loop*/loop/backing_file")
        },
        "process": set(_processes()),
        "file": set(_files(Path("/"))),
    }


def left(before: dict[str, set[str]]) -> list[str]:
    """Return what is there now and was not before, a line each."""
    now = take()
    return [f"{kind} {name}" for kind in now for name in sorted(now[kind] - before.get(kind, set()))]


def _in_the_engine() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"container": set(), "network": set(), "volume": set()}
    try:
        engine.current.cache_clear()
        engine.current()
    except engine.NoEngineError:
        return found
    found["container"] = set(engine.docker("ps", "--all", "--format", "{{.Names}}").split())
    found["network"] = set(engine.docker("network", "ls", "--format", "{{.Name}}").split())
    found["volume"] = set(engine.docker("volume", "ls", "--quiet").split())
    return found


def _processes() -> Iterator[str]:
    """Name the programs that a lab starts and that could outlive it; other people's processes come and go."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        program = Path(os.fsdecode(argv[0])).name
        if program.startswith(("docker", "containerd", "kube", "kind", "runc", "etcd", "coredns", "pause")):
            yield f"{folder.name} {program}"


def _files(root: Path) -> Iterator[str]:
    """Name every file of this root's file system outside the folders that are not looked at."""
    device = root.stat().st_dev
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [
            name
            for name in subfolders
            # Strings: half a million paths go by here.
            if (path := f"{folder.rstrip('/')}/{name}") not in NOT_LOOKED_AT and _device(path) == device
        ]
        yield from (f"{folder.rstrip('/')}/{name}" for name in files)


def _device(path: str) -> int:
    try:
        return os.lstat(path).st_dev
    except OSError:
        return -1
