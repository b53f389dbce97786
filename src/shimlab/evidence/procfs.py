"""The processes of a node, read from /proc.

Source of the formats: proc(5) of the Linux man-pages, sections on /proc/PID/stat, cmdline and cgroup.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from shimlab.evidence.probe import Run, on

# A process may put anything but NUL into its name and arguments, newlines too. base64 makes each file one
# word, so a line of the answer is a process whatever it calls itself. One that ends meanwhile leaves a short
# line.
SCRIPT = r"""
echo "boot $(sed -n 's/^btime //p' /proc/stat) $(getconf CLK_TCK)"
for dir in /proc/[0-9]*; do
  echo "process ${dir#/proc/} $(base64 -w0 $dir/stat) $(base64 -w0 $dir/cgroup) $(base64 -w0 $dir/cmdline)"
done 2>/dev/null
"""

_STAT = re.compile(r"(\d+) \((.*)\) (\S) ((?:-?\d+ ?)+)$", re.DOTALL)
# Below /kubepods: pod<uid> (cgroupfs driver) or kubepods-…-pod<uid with underscores>.slice (systemd driver).
_POD = re.compile(
    r"/(?:kubepods[a-z-]*-)?pod([0-9a-f]{8}[-_](?:[0-9a-f]{4}[-_]){3}[0-9a-f]{12})(?:\.slice)?(/.*)?$"
)
_CONTAINER = re.compile(r"([0-9a-f]{64})")


@dataclass(frozen=True)
class Process:
    """A process as the node's own PID namespace sees it."""

    pid: int
    ppid: int
    comm: str
    argv: tuple[str, ...]
    started: datetime
    cgroups: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name the program: comm is cut off at 15 bytes, the first argument is not."""
        first = PurePosixPath(self.argv[0].split(" ", 1)[0]).name if self.argv else ""
        return first if first.startswith(self.comm) else self.comm

    @property
    def pod_uid(self) -> str | None:
        """Return the UID of the pod whose cgroup the process is in."""
        return self._kubernetes()[0]

    @property
    def container_id(self) -> str | None:
        """Return the id of the pod's container whose cgroup the process is in."""
        return self._kubernetes()[1]

    def _kubernetes(self) -> tuple[str | None, str | None]:
        for path in self.cgroups:
            if found := _POD.search(path):
                inside = _CONTAINER.search(found[2] or "")
                return found[1].replace("_", "-"), inside[1] if inside else None
        return None, None

    def option(self, name: str) -> str | None:
        """Return the value of an option in the argument vector: ``-name value`` or ``--name=value``."""
        for index, word in enumerate(self.argv):
            if word == name and index + 1 < len(self.argv):
                return self.argv[index + 1]
            if word.startswith(f"{name}="):
                return word.removeprefix(f"{name}=")
        return None


def processes(node: str, *, run: Run | None = None) -> list[Process]:
    """List every process of a node by PID, in one command.

    Raises:
        LabError: the node cannot be asked.
    """
    return parse((run or on(node))(["sh", "-s"], input=SCRIPT).splitlines())


def parse(lines: Iterable[str]) -> list[Process]:
    """Read the answer of the script; lines of processes that ended while it ran are left out."""
    found: list[Process] = []
    boot, ticks = 0, 100
    for line in lines:
        match line.split(" "):
            case ["boot", seconds, per_second]:
                boot, ticks = int(seconds), int(per_second)
            case ["process", _, stat, cgroup, cmdline] if stat:
                found.append(_process(_decode(stat), _decode(cgroup), _decode(cmdline), boot, ticks))
    return sorted(found, key=lambda process: process.pid)


def ancestors(process: Process, everyone: Iterable[Process]) -> list[Process]:
    """Follow the parents of a process up to the one that has none here, nearest first."""
    by_pid = {each.pid: each for each in everyone}
    chain: list[Process] = []
    parent = by_pid.get(process.ppid)
    while parent is not None and parent not in chain:
        chain.append(parent)
        parent = by_pid.get(parent.ppid)
    return chain


def _decode(word: str) -> str:
    # surrogateescape keeps bytes that are no UTF-8, so that nothing is lost and nothing fails.
    return base64.b64decode(word).decode("utf-8", "surrogateescape")


def _process(stat: str, cgroup: str, cmdline: str, boot: int, ticks: int) -> Process:
    found = _STAT.match(stat.rstrip("\n"))
    if found is None:
        raise ValueError(f"not a line of /proc/PID/stat: {stat!r}")
    pid, comm, _, rest = found.groups()
    numbers = rest.split()
    return Process(
        pid=int(pid),
        ppid=int(numbers[0]),
        comm=comm,
        argv=tuple(cmdline.removesuffix("\0").split("\0")) if cmdline else (),
        # Field 22 of stat, starttime; the state was field 3, so numbers[0] is field 4.
        started=datetime.fromtimestamp(boot + int(numbers[18]) / ticks, UTC),
        # Lines are HIERARCHY:CONTROLLERS:PATH in cgroup v1, 0::PATH in v2.
        cgroups=tuple(
            dict.fromkeys(line.split(":", 2)[2] for line in cgroup.splitlines() if line.count(":") > 1)
        ),
    )
