"""The unix sockets of a node, the processes that hold them, and who is connected to whom.

Source of the formats: sock_diag(7) for the kernel's answer, include/uapi/linux/unix_diag.h for its attributes,
proc(5) on /proc/PID/fd. ss(8) asks the same question and prints names as they are; a name may look like the next
line.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from shimlab.errors import LabError
from shimlab.node import procfs as proc
from shimlab.node.probe import Run, on, sections, text

# NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST|NLM_F_DUMP; AF_UNIX, all states, name, file, peer and owner.
# Until NLMSG_DONE or NLMSG_ERROR. The arguments are the paths that somebody wants to know of.
SCRIPT = (
    proc.SCRIPT
    + r"""
section sockets perl -e '
  socket(my $kernel, 16, 3, 4) or die;
  my @header = (40, 20, 0x301, 1, 0);
  my @request = (1, 0, 0, 0xffffffff, 0, 0x47, 0xffffffff, 0xffffffff);
  send($kernel, pack("LSSLL CCSLLLLL", @header, @request), 0) or die;
  binmode STDOUT;
  for (my $end = 0; !$end && sysread($kernel, my $answer, 1 << 20);) {
    print $answer;
    for (my $at = 0; $at < length $answer; $at += ($size + 3) & ~3) {
      (our $size, my $type) = unpack("LS", substr($answer, $at, 6));
      $end = 1 if $type == 2 || $type == 3 || $size < 16;
      last if $end;
    }
  }'
section holders find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*' -printf '%h %l\n'
look() {
  for path do
    printf '%s ' "$(stat -Lc '%d %i' -- "$path" 2>/dev/null || echo - -)"
    if [ -L "$path" ]; then printf 'link '; else printf 'file '; fi
    realpath -mz -- "$path"
  done
}
section look look "$@"
"""
)

_HOLDS = re.compile(r"/proc/(\d+)/fd socket:\[(\d+)\]")
_KINDS = {1: "stream", 2: "datagram", 5: "seqpacket"}
_LISTENS = 10  # TCP_LISTEN, which unix sockets share
_BY_FAMILY, _DONE = 20, 3
_NAME, _FILE, _PEER = 0, 1, 2


@dataclass(frozen=True, order=True)
class Owner:
    """A process with a file descriptor on a socket."""

    pid: int
    comm: str


@dataclass(frozen=True)
class UnixSocket:
    """A unix socket of the node's network namespace; ``path`` is what it was bound to, @… if abstract.

    ``file`` is the device and inode of the file that a listener made; a connection that it accepted has the same. The
    path alone does not lead there: the file may have been renamed since, as the kubelet does with dockershim's, or
    unlinked. ``peer`` is the inode of the other end.
    """

    columns: ClassVar = ("path", "listening", "owners")

    path: str
    inode: int
    listening: bool
    owners: tuple[Owner, ...]
    file: tuple[int, int] | None = None
    kind: str = "stream"
    peer: int | None = None


@dataclass(frozen=True)
class SocketPath:
    """What a path leads to: where its links end, and who listens there."""

    path: str
    resolved: str
    exists: bool
    is_link: bool
    listeners: tuple[Owner, ...]


@dataclass(frozen=True, order=True)
class Connection:
    """Two ends of a connection: who accepted it at ``path``, and who asked for it.

    ``path`` is the one that was asked about, or else what the listener was bound to.
    """

    columns: ClassVar = ("client", "path", "server")

    path: str
    server: tuple[Owner, ...]
    client: tuple[Owner, ...]
    server_inode: int
    client_inode: int


def unix_sockets(node: str, *, run: Run | None = None) -> list[UnixSocket]:
    """List the node's bound unix sockets by path, in one round trip.

    Raises:
        LabError: the node cannot be asked.
    """
    return sorted(
        (each for each in parse(sections(run or on(node), SCRIPT)) if each.path),
        key=lambda each: (each.path, not each.listening, each.inode),
    )


def at(node: str, paths: Iterable[str], *, run: Run | None = None) -> list[SocketPath]:
    """Say for each path where it leads and who listens there, whatever the path is called, in one round trip.

    Links are followed, and then the file must be the very one that the listener made. Names are not compared:
    the kubelet binds dockershim's socket to a temporary name and renames it, and a socket that was unlinked
    goes on listening where nobody can reach it any more.

    Raises:
        LabError: the node cannot be asked.
    """
    asked = list(paths)
    found = sections(run or on(node), SCRIPT, *asked)
    owners: dict[tuple[int, int] | None, set[Owner]] = defaultdict(set)
    for each in parse(found):
        if each.listening and each.file:
            owners[each.file].update(each.owners)
    return [_where(path, word, owners) for path, word in zip(asked, _words(found), strict=True)]


def connections(node: str, path: str | None = None, *, run: Run | None = None) -> list[Connection]:
    """List who is connected to whom over unix sockets with a path, or only over the one that ``path`` leads to.

    An end that a process of another container of this machine holds, one that the node does not see, has no owner.

    Raises:
        LabError: the node cannot be asked.
    """
    found = sections(run or on(node), SCRIPT, *([path] if path else []))
    file = next((_file(word) for word in _words(found)), None)
    everyone = {each.inode: each for each in parse(found)}
    listeners = {each.file or each.path for each in everyone.values() if each.listening}
    pairs = []
    for each in everyone.values():
        if not each.path or each.listening or not each.peer or each.kind == "datagram":
            continue
        peer = everyone.get(each.peer)
        # A client may have a name as well; then the listener's is the server's.
        if peer and peer.path and (each.file or each.path) not in listeners:
            continue
        if path is None or (file is not None and each.file == file):
            client = peer.owners if peer else ()
            pairs.append(Connection(path or each.path, each.owners, client, each.inode, each.peer))
    return sorted(pairs)


def parse(found: Mapping[str, bytes]) -> list[UnixSocket]:
    """Read the findings of the script into sockets, anonymous ends among them.

    Raises:
        LabError: the kernel's answer is not whole.
    """
    names = {process.pid: process.comm for process in proc.parse(found)}
    holders: dict[int, set[Owner]] = defaultdict(set)
    for line in text(found["holders"]).splitlines():
        if (hold := _HOLDS.fullmatch(line)) and (pid := int(hold[1])) in names:
            holders[int(hold[2])].add(Owner(pid, names[pid]))
    return [
        UnixSocket(path, inode, listening, tuple(sorted(holders.get(inode, ()))), file, kind, peer)
        for path, inode, listening, file, kind, peer in _answers(found["sockets"])
    ]


def _answers(data: bytes) -> Iterator[tuple[str, int, bool, tuple[int, int] | None, str, int | None]]:
    """Take the kernel's messages apart: path, inode, whether it listens, file, kind and peer."""
    messages = list(_messages(data))
    if not messages or messages[-1][0] != _DONE:
        raise LabError(
            "the kernel did not tell of its unix sockets",
            "see that the node has perl, and its kernel unix_diag",
        )
    for kind, body in messages:
        if kind != _BY_FAMILY:
            continue
        _, sort, state, _, inode, _, _ = struct.unpack_from("=BBBBIII", body)
        attributes = dict(_attributes(body[16:]))
        file = peer = None
        if _FILE in attributes:
            number, device = struct.unpack("=II", attributes[_FILE])
            file = (_device(device), number)
        if _PEER in attributes:
            (peer,) = struct.unpack("=I", attributes[_PEER])
        yield (
            _path(attributes.get(_NAME, b"")),
            inode,
            state == _LISTENS,
            file,
            _KINDS.get(sort, str(sort)),
            peer,
        )


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 16:
        size, kind = struct.unpack_from("=IH", data)
        if size < 16:
            return
        yield kind, data[16:size]
        data = data[(size + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if size < 4:
            return
        yield kind, data[4:size]
        data = data[(size + 3) & ~3 :]


def _path(name: bytes) -> str:
    """Return a bound name as a path; an abstract one begins with a zero byte and may hold more."""
    if name.startswith(b"\0"):
        return "@" + text(name[1:]).replace("\0", "@")
    return text(name.split(b"\0", 1)[0])


def _device(kernels: int) -> int:
    """Return what stat(1) prints as %d, makedev(3), for the kernel's own number: 12 bits of major, 20 of minor."""
    major, minor = kernels >> 20, kernels & 0xFFFFF
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12


def _words(found: Mapping[str, bytes]) -> list[str]:
    return text(found["look"]).split("\0")[:-1]


def _file(word: str) -> tuple[int, int] | None:
    """Return a file's device and inode; of the inode, the 32 bits that the kernel tells of a socket's file."""
    device, inode, _ = word.split(" ", 2)
    return None if inode == "-" else (int(device), int(inode) & 0xFFFFFFFF)


def _where(path: str, word: str, owners: Mapping[tuple[int, int] | None, set[Owner]]) -> SocketPath:
    _, _, link, resolved = word.split(" ", 3)
    file = _file(word)
    listeners = tuple(sorted(owners.get(file, ()))) if file else ()
    return SocketPath(path, resolved, file is not None, link == "link", listeners)
