"""Settings of a running dockerd that it takes without being started again.

Sources: Docker documentation, dockerd, "Configuration reload behavior" (SIGHUP has the daemon read daemon.json again);
moby v20.10.24, daemon/reload.go and daemon/reload_unix.go: what the file does not name stays as it is, so a setting has
to be taken back in words; and where the file names runtimes, the list that dockerd has by itself is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shimlab.clients import docker
from shimlab.node import exec as node_exec
from shimlab.waiting import wait

FILE = "/etc/docker/daemon.json"
SECONDS = 30
#: What can be switched, and the field of GET /info that tells how it is.
SWITCHES = {"debug": "Debug", "live-restore": "LiveRestoreEnabled"}
_PUT_ASIDE = '[ -e "$2" ] || cp -p "$1" "$2"'
_WRITE = 'jq --arg setting "$3" --argjson on "$4" "$5" "$2" >"$1.new" && mv "$1.new" "$1"'
_WHOLE = ".[$setting] = $on"
_FOR_READING = f'del(.runtimes, ."default-runtime") | {_WHOLE}'


@contextmanager
def switched_on(name: str, setting: str) -> Iterator[None]:
    """Switch a setting of a node's dockerd on while the block runs, in its file and in the running daemon.

    A dockerd that is started again in the meantime has it too. A file that an interrupted block left is put right.

    Raises:
        LabError: the node cannot be written, or dockerd does not take it.
    """
    aside = f"{FILE}.before-{setting}"
    node_exec.run(name, ["sh", "-euc", _PUT_ASIDE, "sh", FILE, aside])
    try:
        _switch(name, setting, aside, on=True)
        yield
    finally:
        _switch(name, setting, aside, on=False)
        node_exec.run(name, ["mv", aside, FILE])


def is_on(name: str, setting: str) -> bool:
    """Ask a node's dockerd whether a setting is on.

    Raises:
        LabError: dockerd does not answer.
    """
    (told,) = docker.get(name, "/info")
    return bool(told[SWITCHES[setting]])


def _switch(name: str, setting: str, aside: str, *, on: bool) -> None:
    def write(program: str) -> None:
        words = [FILE, aside, setting, str(on).lower(), program]
        node_exec.run(name, ["sh", "-euc", _WRITE, "sh", *words])

    write(_FOR_READING)
    node_exec.run(name, ["systemctl", "kill", "--kill-who=main", "--signal=HUP", "docker.service"])
    wait(
        lambda: is_on(name, setting) == on,
        f"dockerd of {name} with {setting} {'on' if on else 'off'}",
        SECONDS,
    )
    write(_WHOLE)
