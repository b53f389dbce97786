"""What dockerd says over its own API, as JSON.

Source: Docker Engine API v1.41 (Docker 20.10), GET /containers/json and /images/json. The path needs no version: the
daemon then answers in its own.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from shimlab.clients.transport import NodeTransport
from shimlab.errors import LabError
from shimlab.node import sockets
from shimlab.node.probe import Run

SOCKET = "/run/docker.sock"
DAEMON = "dockerd"
TIMEOUT = 20.0


class _Http(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self._path)


def runs(node: str, *, run: Run | None = None) -> bool:
    """Tell whether a dockerd listens on its socket.

    Only then may anybody ask it: where systemd listens alone, the first question would start the daemon.

    Raises:
        LabError: the node cannot be asked.
    """
    (there,) = sockets.at(node, [SOCKET], run=run)
    return any(owner.comm == DAEMON for owner in there.listeners)


def get(node: str, *paths: str) -> list[Any]:
    """Return dockerd's answers to GET requests, all over one connection.

    Raises:
        LabError: nobody answers, or dockerd refuses.
    """
    answers = []
    with NodeTransport(node).open(SOCKET) as line:
        connection = _Http(str(line.path))
        try:
            for path in paths:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != http.client.OK:
                    raise LabError(
                        f"{node}: dockerd refuses {path}: {answer.status} {answer.reason}", "see its log"
                    )
                answers.append(json.loads(body))
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            said = (line.complaint() or str(error)).splitlines()[-1:]
            raise LabError(
                f"{node}: dockerd does not answer ({' '.join(said)})",
                "see how it is: journalctl -u docker, in the node",
            ) from error
        finally:
            connection.close()
    return answers
