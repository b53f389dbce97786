"""The processes of a node, read from /proc.

Source of the formats: proc(5), cgroups(7) and namespaces(7) of the Linux man-pages.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import ClassVar

from shimlab.node.probe import Run, on, sections, text

# grep puts the file's name before every line, so that a newline in a name or an argument begins no line of its own.
# The two kinds of links are read with find: all processes for the price of one.
SCRIPT = r"""
section clock sh -c 'sed -n "s/^btime //p" /proc/stat; getconf CLK_TCK; getconf PAGESIZE'
section self echo $$
section files grep -aHs '' /proc/[0-9]*/stat /proc/[0-9]*/cmdline /proc/[0-9]*/cgroup
section status grep -aHsE '^(Uid|NSpid|RssAnon|Pss):' /proc/[0-9]*/status /proc/[0-9]*/smaps_rollup
section links find /proc/[0-9]*/exe /proc/[0-9]*/ns/[a-z]* -maxdepth 0 -printf '%p %l\0'
section programs find -L /proc/[0-9]*/exe -maxdepth 0 -printf '%p %D %i\n'
"""

_LINE = re.compile(r"/proc/(\d+)/(\w+):(.*)", re.DOTALL)
_LINK = re.compile(r"/proc/(\d+)/(exe|ns/\w+) (.*)", re.DOTALL)
_NAMESPACE = re.compile(r"\w+:\[(\d+)\]")
_PROGRAM = re.compile(r"/proc/(\d+)/exe (\d+) (\d+)")
_STAT = re.compile(r"(\d+) \((.*)\) (\S) ((?:-?\d+ ?)+)$", re.DOTALL)
# Below /kubepods: pod<uid> (cgroupfs driver) or kubepods-…-pod<uid with underscores>.slice (systemd driver).
# The pods of files have a hash for their UID.
_POD = re.compile(
    r"/(?:kubepods[a-z-]*-)?pod([0-9a-f]{32}|[0-9a-f]{8}[-_](?:[0-9a-f]{4}[-_]){3}[0-9a-f]{12})(?:\.slice)?(/.*)?$"
)
_CONTAINER = re.compile(r"([0-9a-f]{64})")
INIT = 1
SHIM = "containerd-shim"


@dataclass(frozen=True)
class Cgroup:
    """A cgroup that a process is in: hierarchy 0 without controllers is version 2, all others version 1."""

    hierarchy: int
    controllers: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Process:
    """A process as the node's own PID namespace sees it.

    ``comm`` and ``argv`` are what it calls itself. ``exe`` is what the kernel runs, as seen from the process's own
    root, and ``exe_file`` that file's device and inode. ``namespaces`` maps each kind (mnt, net, pid, …) to its
    inode; ``apart`` names the kinds in which it is not with process 1. ``pid_inside`` is its PID in its own PID
    namespace. ``state`` is the kernel's letter (R, S, D, Z, T, …). Memory is in bytes: resident, of that its own (no
    file, not shared), and its fair share of what it shares; CPU time in seconds since its start.
    """

    columns: ClassVar = ("pid", "ppid", "name", "exe", "apart", "pod_uid")

    pid: int
    ppid: int
    comm: str
    argv: tuple[str, ...]
    started: datetime
    cgroups: tuple[Cgroup, ...]
    exe: str = ""
    exe_file: tuple[int, int] | None = None
    namespaces: Mapping[str, int] = field(default_factory=dict, hash=False)
    apart: tuple[str, ...] = ()
    pid_inside: int = 0
    state: str = ""
    uid: int = 0
    threads: int = 1
    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    anon_bytes: int = 0
    pss_bytes: int = 0

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
        found = (pod_and_container(cgroup.path) for cgroup in self.cgroups)
        return next((each for each in found if each[0]), (None, None))

    def option(self, name: str) -> str | None:
        """Return the value of an option in the argument vector: ``-name value`` or ``--name=value``."""
        for index, word in enumerate(self.argv):
            if word == name and index + 1 < len(self.argv):
                return self.argv[index + 1]
            if word.startswith(f"{name}="):
                return word.removeprefix(f"{name}=")
        return None


def processes(node: str, *, run: Run | None = None) -> list[Process]:
    """List every process of a node by PID, but for those that look, in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    return parse(sections(run or on(node), SCRIPT))


def parse(found: Mapping[str, bytes]) -> list[Process]:
    """Read the findings of the script; processes that ended while it ran are left out, and so are its own."""
    boot, ticks, page = (int(word) for word in found["clock"].split())
    files = _files(text(found["files"]) + text(found["status"]))
    links: dict[int, dict[str, str]] = defaultdict(dict)
    for line in text(found["links"]).split("\0"):
        if link := _LINK.fullmatch(line):
            links[int(link[1])][link[2].removeprefix("ns/")] = link[3]
    programs = {
        int(pid): (int(device), int(inode))
        for pid, device, inode in _PROGRAM.findall(text(found["programs"]))
    }
    spaces = {
        pid: {
            kind: int(inode[1])
            for kind, link in sorted(named.items())
            if not kind.endswith("_for_children") and (inode := _NAMESPACE.fullmatch(link))
        }
        for pid, named in links.items()
    }
    everyone = [
        _process(
            told,
            links[pid].get("exe", ""),
            programs.get(pid),
            spaces.get(pid, {}),
            spaces.get(INIT, {}),
            (boot, ticks, page),
        )
        for pid, told in sorted(files.items())
        if "stat" in told
    ]
    ours = _below(int(found["self"]), everyone)
    return [each for each in everyone if each.pid not in ours]


def pod_and_container(cgroup: str) -> tuple[str | None, str | None]:
    """Return the UID of the pod and the id of the container that a cgroup's path names, as kubelets lay them out."""
    found = _POD.search(cgroup)
    if found is None:
        return None, None
    inside = _CONTAINER.search(found[2] or "")
    return found[1].replace("_", "-"), inside[1] if inside else None


def ancestors(process: Process, everyone: Iterable[Process]) -> list[Process]:
    """Follow the parents of a process up to the one that has none here, nearest first."""
    by_pid = {each.pid: each for each in everyone}
    chain: list[Process] = []
    parent = by_pid.get(process.ppid)
    while parent is not None and parent not in chain:
        chain.append(parent)
        parent = by_pid.get(parent.ppid)
    return chain


def is_shim(process: Process) -> bool:
    """Tell whether a process is a shim: named so, and not inside a container, where anybody may be named so."""
    return process.comm.startswith(SHIM) and "mnt" not in process.apart


def _below(pid: int, everyone: Iterable[Process]) -> set[int]:
    """Return a process and all that it started. Parents may have higher PIDs: the numbers begin anew some day."""
    children: dict[int, list[int]] = defaultdict(list)
    for each in everyone:
        children[each.ppid].append(each.pid)
    found, waiting = set(), [pid]
    while waiting:
        found.add(current := waiting.pop())
        waiting += [child for child in children[current] if child not in found]
    return found


def _files(answer: str) -> dict[int, dict[str, str]]:
    """Put the lines that grep printed together again: PID → file → text."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for line in answer.split("\n"):
        if parts := _LINE.fullmatch(line):
            pid, file, part = int(parts[1]), parts[2], parts[3]
            before = found[pid].get(file)
            found[pid][file] = part if before is None else f"{before}\n{part}"
    return found


def _process(
    told: Mapping[str, str],
    exe: str,
    exe_file: tuple[int, int] | None,
    namespaces: Mapping[str, int],
    init: Mapping[str, int],
    clock: tuple[int, int, int],
) -> Process:
    stat = _STAT.match(told["stat"])
    if stat is None:
        raise ValueError(f"not a line of /proc/PID/stat: {told['stat']!r}")
    pid, comm, state, rest = stat.groups()
    # numbers[0] is field 4 of proc(5): the state was field 3.
    numbers = [int(number) for number in rest.split()]
    boot, ticks, page = clock
    cmdline = told.get("cmdline", "")
    status = dict(line.split(":", 1) for line in told.get("status", "").splitlines())
    shared = dict(line.split(":", 1) for line in told.get("smaps_rollup", "").splitlines())
    return Process(
        pid=int(pid),
        ppid=numbers[0],
        comm=comm,
        argv=tuple(cmdline.removesuffix("\0").split("\0")) if cmdline else (),
        started=datetime.fromtimestamp(boot + numbers[18] / ticks, UTC),
        cgroups=tuple(_cgroups(told.get("cgroup", ""))),
        exe=exe,
        exe_file=exe_file,
        namespaces=namespaces,
        apart=tuple(kind for kind, inode in namespaces.items() if inode != init.get(kind, inode)),
        pid_inside=int(status.get("NSpid", pid).split()[-1]),
        state=state,
        # Real, effective, saved and file system's; what it may do is the effective one's.
        uid=int(status.get("Uid", "0 0").split()[1]),
        threads=numbers[16],
        cpu_seconds=(numbers[10] + numbers[11]) / ticks,
        rss_bytes=numbers[20] * page,
        anon_bytes=_kilobytes(status.get("RssAnon")),
        pss_bytes=_kilobytes(shared.get("Pss")),
    )


def _kilobytes(told: str | None) -> int:
    return int(told.split()[0]) * 1024 if told else 0


def _cgroups(lines: str) -> Iterable[Cgroup]:
    for line in lines.splitlines():
        number, separator, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if separator and colon:
            yield Cgroup(int(number), tuple(filter(None, controllers.split(","))), path)
