"""What would be left of the lab after `shimlab down`: looked for where it would be, not where we put it.

Only what is known to be the lab's, by label, name or note, is called left: an engine may hold somebody else's as well.
"""

from __future__ import annotations

import os
from pathlib import Path

from shimlab import lock, paths
from shimlab.cluster import contents, status, volumes
from shimlab.machine import engine, kind, private

PROC = Path("/proc")


def found() -> list[str]:
    """Return a line for each container, network, volume, mount and process of the lab that still exists.

    Raises:
        LabError: an engine is there and does not answer, so what is in it is not known.
    """
    with lock.engine_alone() as last:
        return _found(last=last)


def _found(*, last: bool) -> list[str]:
    # The private engine is root's; for others what is left of it is somebody else's.
    ours = os.geteuid() == 0
    try:
        there = contents.look()
        lines = [f"cluster {name}" for name in there.nodes]
        lines += [f"container {name}" for name in there.broken_off]
        lines += [f"volume {name}" for name in volumes.left()]
    except engine.NoEngineError:
        there, lines = None, []
        if ours and last and private.was_killed():
            lines.append(f"what an engine of the lab's that was killed left in {private.DATA}")
    if not last or (there and there.labs):
        # Another lab is up, or comes or goes right now. The network is that lab's too.
        return [*lines, *_processes(private_ones=False)]
    if there and status.has_unused_network():
        lines.append(f"network {kind.NETWORK}")
    # An engine of ours that holds somebody else's containers goes on for them.
    goes_on = bool(there and there.foreign) and engine.current().ours
    private_ones = ours and not goes_on
    return [
        *lines,
        *(f"mount {at}" for at in (private.mounts() if private_ones else [])),
        *_processes(private_ones=private_ones),
    ]


def _processes(*, private_ones: bool) -> list[str]:
    """Find processes of our engine and of the lab's nodes by their command line, in /proc (Linux only)."""
    lines = []
    for folder in PROC.glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        program = Path(os.fsdecode(argv[0])).name
        names_us = private_ones and any(str(private.RUN).encode() in word for word in argv)
        # What runs in a container that some engine has is that container's, which is named above or is not ours.
        is_left = program in {"kubelet", "kube-proxy"} and _is_of_a_node(argv) and not _has_a_shim(folder)
        if is_left or (
            program in {"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy"} and names_us
        ):
            lines.append(f"process {folder.name} {program}")
    return lines


def _is_of_a_node(argv: list[bytes]) -> bool:
    """Tell by what kind has them told whether a kubelet or kube-proxy is of one of this lab's nodes."""
    lab = paths.name()
    begins = (f"--provider-id=kind://docker/{lab}/", f"--hostname-override={lab}-")
    return any(os.fsdecode(word).startswith(begins) for word in argv)


def _has_a_shim(folder: Path) -> bool:
    """Tell whether a process has a containerd-shim above it, as all have that run in a container."""
    while True:
        try:
            # proc(5), stat: the name in parentheses may hold anything; the parent is the second field after it.
            name, _, rest = (folder / "stat").read_text("utf-8", "replace").rpartition(")")
        except OSError:
            return False
        if "(containerd-shim" in name:
            return True
        parent = rest.split()[1]
        if parent == "0":
            return False
        folder = folder.with_name(parent)
