"""The Docker engine under the nodes: the one that is there, or a private one of ours on a bare Debian."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.machine import host
from shimlab.waiting import bound, soon

RUN = Path("/run/shimlab")
SOCKET = f"unix://{RUN}/docker.sock"
PIDFILE = RUN / "docker.pid"
DATA = paths.ROOT_STATE / "docker"
# The trial's Docker needed under a second to start; a busy host may take a while to load its networks.
START_SECONDS = 60
BOUNDED_RUNTIME = "shimlab-bounded"


@dataclass(frozen=True)
class Engine:
    """An engine that answered: how to reach it and what it said of itself."""

    host: str
    version: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Tell whether this is the private engine that the lab started."""
        return self.host == SOCKET


def docker(*arguments: str, input: str | None = None, timeout: float = 60) -> str:
    """Run the docker command against the lab's engine and return its stdout.

    Raises:
        LabError: if no engine answers or the command fails.
    """
    return process.output(
        ["docker", *arguments],
        env=current().environment,
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
        LabError: if none answers, or it may not be used.
    """
    if shutil.which("docker") is None:
        raise LabError("there is no docker command", _where_from())
    # Root's private engine is not for others: they have their own, or are told so.
    if os.access(SOCKET.removeprefix("unix://"), os.W_OK) and (own := _ask(SOCKET)):
        return own
    found = _ask(os.environ.get("DOCKER_HOST", ""))
    if found is None:
        raise LabError("no Docker engine answers", _why_not())
    return found


def ensure() -> Engine:
    """Return an engine that can run the nodes, starting a private one on a root Debian that has none.

    Raises:
        LabError: if there is none and none can be started.
    """
    current.cache_clear()
    try:
        found = current()
    except LabError:
        if not host.is_root_debian():
            raise
        found = None
    # An engine of the host's own refuses privileged containers where CAP_SYS_RESOURCE cannot be granted.
    if found is not None and (found.ours or not (host.is_bounded() and host.is_root_debian())):
        return found
    if found is None and host.has_systemd() and not host.is_bounded():
        process.output(["systemctl", "start", "docker"], timeout=START_SECONDS, remedy="journalctl -u docker")
    else:
        start_private()
    current.cache_clear()
    return current()


def stop_private() -> bool:
    """Stop the private engine, if it runs and no container of anybody else's is in it; tell whether it was stopped.

    Raises:
        LabError: if it does not stop.
    """
    pid = _private_pid()
    if pid is None:
        return False
    current.cache_clear()
    if current().ours and docker("ps", "--all", "--quiet").strip():
        return False
    os.kill(pid, signal.SIGTERM)
    if not _gone(pid, 30):
        raise LabError(
            f"our Docker engine (pid {pid}) does not stop", f"kill {pid}, then `shimlab down` again"
        )
    for mount in reversed(mounts()):
        _unmount(mount)
    shutil.rmtree(RUN, ignore_errors=True)
    current.cache_clear()
    return True


def was_killed() -> bool:
    """Tell whether our private engine ended without clearing up: its pid file is there and its process is not."""
    return os.access(PIDFILE, os.R_OK) and _private_pid() is None


def mounts(table: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """Return the mounts of our private engine, in the order in which they were made (proc(5): mountinfo).

    An engine binds its data folder onto itself, and one that was killed leaves that as well. A disk that somebody
    mounted there is not a bind of a folder, and not ours.
    """
    if not table.is_file():
        return []
    rows = [line.split()[3:5] for line in table.read_text(encoding="utf-8").splitlines()]
    return [
        at for root, at in rows if at.startswith((f"{RUN}/", f"{DATA}/")) or (at == str(DATA) and root != "/")
    ]


def start_private() -> None:
    """Start our private engine and wait until it answers.

    Raises:
        LabError: if it ends or does not answer within START_SECONDS; nothing of it runs then.
    """
    if was_killed():
        _forget_the_killed()
    RUN.mkdir(mode=0o711, parents=True, exist_ok=True)
    DATA.mkdir(parents=True, exist_ok=True)
    log = paths.log_dir() / "dockerd.log"
    argv = [
        *["dockerd", "--host", SOCKET, "--data-root", str(DATA), "--exec-root", str(RUN / "docker")],
        *["--pidfile", str(PIDFILE), "--bridge", "none"],
    ]
    if host.is_bounded():
        # The wrapper must outlive a checkout: containers name it until they are removed.
        wrapper = paths.ROOT_STATE / "runc-bounded"
        shutil.copy(paths.repository() / "lab/node/root/usr/local/lib/shimlab/runc-bounded", wrapper)
        wrapper.chmod(0o755)
        argv += ["--add-runtime", f"{BOUNDED_RUNTIME}={wrapper}", "--default-runtime", BOUNDED_RUNTIME]
    with log.open("wb") as sink:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )

    def answers() -> bool:
        if child.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise LabError(f"dockerd ended: {' '.join(last)[:200]}", f"its log is {log}")
        return Path(SOCKET.removeprefix("unix://")).exists() and bool(_ask(SOCKET))

    if not soon(answers, START_SECONDS):
        process.end(child)
        raise LabError(f"dockerd does not answer within {bound(START_SECONDS):.0f} s", f"its log is {log}")


def _ask(address: str) -> Engine | None:
    environment = {"DOCKER_HOST": address} if address else {}
    try:
        # Not `docker info`: some releases of it end well, or bury the reason, when the engine refuses them.
        version = process.output(
            ["docker", "version", "--format", "{{.Server.Version}}"], env=environment, timeout=30
        ).strip()
    except LabError as error:
        if "permission denied" in error.what.lower():
            raise LabError(
                "Docker refuses this user its socket (permission denied)",
                "join its group (`sudo usermod -aG docker $USER`, log in again) or run as root",
            ) from error
        return None
    return Engine(address, version, environment) if version else None


def _forget_the_killed(seconds: float = 20) -> None:
    # A killed process has a number until its parent asks for it, and an engine that finds the number alive refuses
    # to start, or waits for a containerd that does not answer any more.
    for pidfile in (PIDFILE, *(RUN / "docker" / "containerd").glob("*.pid")):
        try:
            command = Path("/proc", pidfile.read_text(encoding="ascii").strip(), "cmdline")
            soon(command.read_bytes, seconds)
        except OSError:
            pass
        pidfile.unlink(missing_ok=True)


def _private_pid() -> int | None:
    try:
        pid = int(PIDFILE.read_text(encoding="ascii"))
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if SOCKET.encode() in argv else None


def _gone(pid: int, seconds: float) -> bool:
    def has_ended() -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return process.has_ended(pid)

    return soon(has_ended, seconds)


def _unmount(place: str, seconds: float = 20) -> None:
    # The engine's own containerd ends a moment after it, and holds its folder until then.
    why: LabError | None = None

    def is_unmounted() -> bool:
        nonlocal why
        try:
            process.output(["umount", place], remedy=f"umount {place}, then `shimlab down` again")
        except LabError as error:
            why = error
            return False
        return True

    if not soon(is_unmounted, seconds) and why:
        raise why


def _where_from() -> str:
    if host.is_root_debian():
        return "`shimlab up` installs one from Debian's packages"
    return "install Docker (Debian, Ubuntu: apt-get install docker.io), or be root on a Debian 12"


def _why_not() -> str:
    if host.is_root_debian():
        return "`shimlab up` starts one"
    return "start Docker, or be root on a Debian 12: there `shimlab up` brings its own"
