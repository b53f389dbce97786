"""The Docker engine under the nodes: the one that is there, or a private one of ours on a bare Debian.

An engine is in one of three states: none is there; one is there and answers; one is there and does not answer, or
refuses us. The third is an error wherever it is met. Taken for the first, it would have what is its own called gone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from shimlab import interruption, orphans, process
from shimlab.errors import LabError
from shimlab.machine import host, listener, private
from shimlab.waiting import bound

# An answer takes a tenth of a second; a machine that builds on all cores has been seen to take some.
ANSWER_SECONDS = 30
# Where docker looks for its engine where nothing else is said.
USUAL = "unix:///var/run/docker.sock"
# What docker says where nobody is there, in releases from 19.03 to 29.
NOBODY = ("cannot connect to the docker daemon", "failed to connect to the docker api")


class NoEngineError(LabError):
    """No engine is there that the lab could use, so nothing runs in one."""


class SilentEngineError(LabError):
    """An engine is there, and does not answer or refuses us: what is in it cannot be known."""


@dataclass(frozen=True)
class Engine:
    """An engine that answered: how to reach it and what it said of itself."""

    host: str
    version: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Tell whether this is the private engine that the lab started."""
        return self.host == private.SOCKET


def docker(*arguments: str, input: str | None = None, timeout: float = 60) -> str:
    """Run the docker command against the lab's engine and return its stdout.

    One that makes something is not interrupted: the engine would go on, and it would come up after our clearing up.

    Raises:
        LabError: if no engine answers or the command fails.
    """
    found = current()
    with interruption.deferred() if arguments[0] in orphans.MAKING else contextlib.nullcontext():
        return process.output(
            ["docker", *arguments],
            env=found.environment,
            input=input,
            timeout=timeout,
            remedy="run the same command again; `shimlab status` tells how the lab is",
        )


def data_root() -> Path:
    """Return where the engine keeps its images, on its own machine.

    Raises:
        LabError: if no engine answers.
    """
    return Path(docker("info", "--format", "{{.DockerRootDir}}").strip())


@functools.lru_cache(maxsize=1)
def current() -> Engine:
    """Return the engine that the lab uses: our private one if it runs, else the one the user's docker talks to.

    Raises:
        NoEngineError: if none is there.
        SilentEngineError: if one is there and does not answer, or may not be used.
        LabError: if docker cannot ask.
    """
    if shutil.which("docker") is None:
        raise _without_a_client()
    # Root's private engine is not for others: they have their own, or are told so.
    if private.is_mine() and (own := _ask(private.SOCKET)):
        return own
    found = _ask(os.environ.get("DOCKER_HOST", ""))
    if found is None:
        raise NoEngineError("no Docker engine answers", _why_not())
    return found


def ensure() -> Engine:
    """Return an engine that can run the nodes, starting a private one on a root Debian that has none.

    Raises:
        LabError: if there is none and none can be started, or the one that is there does not answer.
    """
    current.cache_clear()
    try:
        found = current()
    except NoEngineError:
        if not host.is_root_debian():
            raise
        found = None
    # An engine of the host's own refuses privileged containers where CAP_SYS_RESOURCE cannot be granted.
    if found is not None and (found.ours or not (host.is_bounded() and host.is_root_debian())):
        return found
    if found is None and host.has_systemd() and not host.is_bounded():
        process.output(
            ["systemctl", "start", "docker"], timeout=private.START_SECONDS, remedy="journalctl -u docker"
        )
    else:
        start_private()
    current.cache_clear()
    return current()


def start_private() -> None:
    """Start our private engine and wait until it answers.

    Raises:
        LabError: if it ends or does not answer in time; nothing of it runs then.
    """
    private.start(lambda: _ask(private.SOCKET))


def stop_private() -> bool:
    """Stop the private engine, if it runs and no container of anybody else's is in it; tell whether it was stopped.

    Raises:
        LabError: if it does not answer, or does not stop.
    """
    if private.pid() is None:
        return False
    current.cache_clear()
    if current().ours and docker("ps", "--all", "--quiet").strip():
        return False
    with interruption.cleaning_up():
        private.stop()
    current.cache_clear()
    return True


def _ask(address: str) -> Engine | None:
    """Return the engine at an address, where it is empty the one that docker finds; None if nobody is there.

    Raises:
        SilentEngineError: somebody is there, and does not answer or refuses us.
        LabError: docker cannot be run.
    """
    if address.startswith("unix://"):
        pid = _listener(address)
        if pid is None:
            return None
        _refuse_stopped(address, pid)
    environment = {"DOCKER_HOST": address} if address else {}
    try:
        # Not `docker info`: some releases of it end well, or bury the reason, when the engine refuses them.
        version = process.output(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            env=environment,
            timeout=ANSWER_SECONDS,
        ).strip()
    except process.FailedError as error:
        where = address or _found_by_docker()
        if "permission denied" in error.said.lower():
            raise _refused() from error
        if _is_nobody(where, error):
            return None
        raise _silent(where, error) from error
    if not version:
        raise SilentEngineError(
            f"what answers at {address or _found_by_docker()} is no Docker engine", "install Docker"
        )
    return Engine(address, version, environment)


def _listener(address: str) -> int | None:
    """Return who listens at an address of a Unix socket, as :func:`listener.at` does; for ours its process as well.

    Raises:
        SilentEngineError: the socket is not for this user.
    """
    try:
        found = listener.at(Path(address.removeprefix("unix://")))
    except PermissionError as error:
        raise _refused() from error
    # One that begins or ends has no socket, and runs.
    return found or (private.pid() if address == private.SOCKET else None) or found


def _is_nobody(where: str, error: process.FailedError) -> bool:
    if where.startswith("unix://"):
        return _listener(where) is None
    # What is far, or not known, is only told of.
    return any(words in error.said.lower() for words in NOBODY)


def _refuse_stopped(where: str, pid: int) -> None:
    # A socket that systemd listens at has systemd as its process.
    if pid > 1 and process.is_stopped(pid):
        raise SilentEngineError(
            f"the Docker engine at {where} is stopped (pid {pid})",
            f"kill -CONT {pid}, then run the same command again",
        )


def _silent(where: str, error: process.FailedError) -> SilentEngineError:
    pid = (_listener(where) or 0) if where.startswith("unix://") else 0
    _refuse_stopped(where, pid)
    at = f" at {where}" if where else ""
    who = f" (pid {pid})" if pid > 1 else ""
    if error.status is None:
        what = f"the Docker engine{at} does not answer within {bound(ANSWER_SECONDS):.0f} s{who}"
    else:
        # Its last line is the reason; the first may be the client's own version.
        said = (error.said.splitlines() or ["docker said nothing"])[-1]
        what = f"the Docker engine{at} does not answer{who}: {process.plain(said)}"
    if where == private.SOCKET and pid > 1:
        return SilentEngineError(
            what, f"wait and try again; if it stays so: kill -KILL {pid}, then `shimlab down`"
        )
    return SilentEngineError(
        what, "start that engine anew (systemctl restart docker), or name another in DOCKER_HOST"
    )


def _refused() -> SilentEngineError:
    return SilentEngineError(
        "Docker refuses this user its socket (permission denied)",
        "join its group (`sudo usermod -aG docker $USER`, log in again) or run as root",
    )


def _found_by_docker() -> str:
    """Return the address that docker finds by itself, in its environment or its contexts; empty if it does not say."""
    if told := os.environ.get("DOCKER_HOST"):
        return told
    try:
        return process.output(
            ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        ).strip()
    except process.FailedError:
        return ""


def _without_a_client() -> LabError:
    """Return what to say where there is no docker command: an engine may be there all the same."""
    for address in (*([private.SOCKET] if private.is_mine() else []), os.environ.get("DOCKER_HOST") or USUAL):
        if address.startswith("unix://") and (pid := _listener(address)) is not None:
            who = f"pid {pid}, " if pid > 1 else ""
            return LabError(
                f"there is no docker command, and an engine runs ({who}{address})", "put docker on the PATH"
            )
    return NoEngineError("there is no docker command", _where_from())


def _where_from() -> str:
    if host.is_root_debian():
        return "`shimlab up` installs one from Debian's packages"
    return "install Docker (Debian, Ubuntu: apt-get install docker.io), or be root on a Debian 12"


def _why_not() -> str:
    if host.is_root_debian():
        return "`shimlab up` starts one"
    return "start Docker, or be root on a Debian 12: there `shimlab up` brings its own"
