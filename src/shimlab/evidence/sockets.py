"""The unix sockets of a node and the processes that hold them.

Source of the formats: unix(7) on /proc/net/unix, proc(5) on /proc/PID/fd; flag 0x10000 is __SO_ACCEPTCON of
include/linux/net.h; ``ss -xle`` of iproute2 prints UNIX_DIAG_VFS, the device and inode of the file behind a listener.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from shimlab.evidence import procfs as proc
from shimlab.evidence.probe import Run, on

ACCEPTS = 0x10000
SCRIPT = (
    proc.SCRIPT
    + r"""
echo "table $(base64 -w0 /proc/net/unix)"
find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*' -printf 'holds %h %l\n' 2>/dev/null || true
ss -xlneH
"""
)

_ROW = re.compile(
    r"[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} +(\d+)(?: (.*))?$", re.I
)
_FILE = re.compile(r" (\d+) +\* 0 .* ino:(\d+) dev:(\d+)/(\d+) ")
_HOLDS = re.compile(r"holds /proc/(\d+)/fd socket:\[(\d+)\]$")


@dataclass(frozen=True, order=True)
class Owner:
    """A process with a file descriptor on a socket."""

    pid: int
    comm: str


@dataclass(frozen=True)
class UnixSocket:
    """A unix socket of the node's network namespace; ``path`` is what it was bound to, @… if abstract.

    ``file`` is the device and inode of the file that a listener made. The path alone does not lead there: the
    file may have been renamed since, as the kubelet does with dockershim's, or unlinked.
    """

    path: str
    inode: int
    listening: bool
    owners: tuple[Owner, ...]
    file: tuple[int, int] | None = None


@dataclass(frozen=True)
class SocketPath:
    """What a path leads to: where its links end, and who listens there."""

    path: str
    resolved: str
    exists: bool
    is_link: bool
    listeners: tuple[Owner, ...]


def unix_sockets(node: str, *, run: Run | None = None) -> list[UnixSocket]:
    """List the node's bound unix sockets by path, in one command.

    Raises:
        LabError: the node cannot be asked.
    """
    return parse((run or on(node))(["sh", "-s"], input=SCRIPT))


def parse(answer: str) -> list[UnixSocket]:
    """Read the answer of the script into sockets with a path; anonymous ends of pairs are left out."""
    lines = answer.splitlines()
    names = {process.pid: process.comm for process in proc.parse(lines)}
    holders: dict[int, set[Owner]] = defaultdict(set)
    files: dict[int, tuple[int, int]] = {}
    table = ""
    for line in lines:
        if found := _HOLDS.match(line):
            pid, inode = int(found[1]), int(found[2])
            if pid in names:
                holders[inode].add(Owner(pid, names[pid]))
        elif found := _FILE.search(line):
            inode, file, major, minor = map(int, found.groups())
            # ss splits the kernel's number at 16 bits; put together again, it is what stat(1) prints as %d.
            files[inode] = (major << 16 | minor, file)
        elif line.startswith("table "):
            table = base64.b64decode(line.removeprefix("table ")).decode("utf-8", "surrogateescape")
    sockets = [
        UnixSocket(
            path, inode, bool(flags & ACCEPTS), tuple(sorted(holders.get(inode, ()))), files.get(inode)
        )
        for flags, inode, path in _rows(table)
    ]
    return sorted(sockets, key=lambda each: (each.path, not each.listening, each.inode))


def at(node: str, paths: Iterable[str], *, run: Run | None = None) -> list[SocketPath]:
    """Say for each path where it leads and who listens there, whatever the path is called.

    Links are followed, and then the file must be the very one that the listener made. Names are not compared:
    the kubelet binds dockershim's socket to a temporary name and renames it, and a socket that was unlinked
    goes on listening where nobody can reach it any more.

    Raises:
        LabError: the node cannot be asked.
    """
    run = run or on(node)
    asked = list(paths)
    words = run(["sh", "-s", "--", *asked], input=_LOOK).split("\0")[:-1]
    owners: dict[tuple[int, int] | None, set[Owner]] = defaultdict(set)
    for each in unix_sockets(node, run=run):
        if each.listening and each.file:
            owners[each.file].update(each.owners)
    return [_where(path, word, owners) for path, word in zip(asked, words, strict=True)]


def _where(path: str, word: str, owners: dict[tuple[int, int] | None, set[Owner]]) -> SocketPath:
    device, inode, link, resolved = word.split(" ", 3)
    exists = inode != "-"
    file = (int(device), int(inode)) if exists else None
    listeners = tuple(sorted(owners.get(file, ()))) if exists else ()
    return SocketPath(path, resolved, exists, link == "link", listeners)


_LOOK = """
for path do
  printf '%s ' "$(stat -Lc '%d %i' -- "$path" 2>/dev/null || echo - -)"
  if [ -L "$path" ]; then printf 'link '; else printf 'file '; fi
  realpath -mz -- "$path"
done
"""


def _rows(table: str) -> list[tuple[int, int, str]]:
    """Split /proc/net/unix into flags, inode and path; a path with a newline in it stays whole."""
    rows: list[tuple[int, int, str]] = []
    for line in table.split("\n")[1:]:
        if found := _ROW.match(line):
            rows.append((int(found[1], 16), int(found[2]), found[3] or ""))
        elif rows and rows[-1][2]:
            flags, inode, path = rows[-1]
            rows[-1] = (flags, inode, f"{path}\n{line}")
    return [(flags, inode, path.removesuffix("\n")) for flags, inode, path in rows if path]
