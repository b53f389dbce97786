"""Who listens at a Unix socket: what tells an engine that does not answer from one that is not there."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

# A connection is made by the kernel, whatever the listener does meanwhile.
CONNECT_SECONDS = 5
UNKNOWN = 0


def at(path: Path) -> int | None:
    """Return the PID of the process that listens at a socket, UNKNOWN where no kernel tells; None if nobody does.

    Raises:
        PermissionError: the socket is not for this user.
    """
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(CONNECT_SECONDS)
        try:
            asking.connect(str(path))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return None
        except PermissionError:
            raise
        except OSError:
            # Its queue is full, as with a process that was stopped long ago.
            return UNKNOWN
        return _peer(asking)


def _peer(connected: socket.socket) -> int:
    """Return who called listen(2), as the kernel keeps it (socket(7): SO_PEERCRED, Linux alone)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return UNKNOWN
    form = "3i"
    return int(struct.unpack(form, connected.getsockopt(socket.SOL_SOCKET, option, struct.calcsize(form)))[0])
