"""A unix socket inside a node, reached from wherever the docker command works.

Each connection to a local socket becomes one ``docker exec -i NODE socat STDIO UNIX-CONNECT:PATH``. That
needs no root and no shared file system, so it works on macOS and against a remote engine as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

# A relay gets its end of file when we close; one that stays longer than this is told to go.
PATIENCE = 3.0


class Relay:
    """A local unix socket whose every connection is the stdin and stdout of a new ``command``."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Remember the command and what it needs in its environment; nothing is opened yet."""
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._relays: list[subprocess.Popen[bytes]] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Relay:
        """Listen, and serve connections from a thread."""
        with contextlib.ExitStack() as stack:
            # A short name: the path of a unix socket may have 104 bytes on macOS, 108 on Linux.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shimlab-")))
            self._stderr = stack.enter_context((folder / "stderr").open("wb"))
            self._stderr_path = folder / "stderr"
            self.path = folder / "s"
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            listener.bind(str(self.path))
            listener.listen()
            self._wake, waker = socket.socketpair()
            stack.enter_context(self._wake)
            stack.enter_context(waker)
            thread = threading.Thread(target=self._serve, args=(listener, waker), daemon=True)
            stack.callback(self._end_relays)
            stack.callback(thread.join)
            stack.callback(self._wake.close)
            thread.start()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening, end every relay and remove the socket."""
        self._open.close()

    @property
    def target(self) -> str:
        """Name the local end as gRPC wants it."""
        return f"unix:{self.path}"

    def complaint(self) -> str:
        """Return what the relays wrote to stderr: why the far end could not be reached."""
        self._stderr.flush()
        return self._stderr_path.read_text(encoding="utf-8", errors="replace").strip()

    def _serve(self, listener: socket.socket, waker: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([listener, waker], [], [])
            if waker in ready:
                return
            connection, _ = listener.accept()
            # The relay owns the connection from here: no byte passes through this process. A session of its
            # own keeps Ctrl-C for us, so that the far side is closed in order instead of dying first.
            with connection:
                try:
                    relay = subprocess.Popen(
                        self._command,
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=self._stderr,
                        env=self._environment,
                        start_new_session=True,
                    )
                except OSError:
                    self._stderr.write(f"cannot start {self._command[0]}\n".encode())
                else:
                    self._relays.append(relay)

    def _end_relays(self) -> None:
        for relay in self._relays:
            try:
                relay.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                relay.terminate()
                try:
                    relay.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    relay.kill()
                    relay.wait()
