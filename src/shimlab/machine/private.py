"""The Docker engine that is the lab's own, on a root Debian without one that it can use: process, folders, mounts."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from shimlab import interruption, paths, process
from shimlab.errors import LabError
from shimlab.machine import host
from shimlab.waiting import bound, soon

RUN = Path("/run/shimlab")
SOCKET = f"unix://{RUN}/docker.sock"
PIDFILE = RUN / "docker.pid"
DATA = paths.ROOT_STATE / "docker"
# The trial's Docker needed under a second to start; a busy host may take a while to load its networks.
START_SECONDS = 60
STOP_SECONDS = 30
BOUNDED_RUNTIME = "shimlab-bounded"
# Where Debian's packages put what an engine runs; root's own PATH may lack half of it (su without a dash).
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What an engine needs of its caller to reach registries; proxies are read in both spellings.
HANDED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
# A caller's soft limits on these would be those of every process in every node.
LIMITS = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NPROC")


def pid() -> int | None:
    """Return the process of our engine, whether it answers or not; None if none runs (Linux only)."""
    with contextlib.suppress(OSError, ValueError):
        told = int(PIDFILE.read_text(encoding="ascii"))
        if _is_ours(told):
            return told
    # Its file may have been removed under it.
    numbers = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return next((number for number in numbers if _is_ours(number) and _is_of_this_root(number)), None)


def is_mine() -> bool:
    """Tell whether this user may use our engine if it runs: root, and whom root let in."""
    return os.geteuid() == 0 or os.access(SOCKET.removeprefix("unix://"), os.W_OK)


def was_killed() -> bool:
    """Tell whether our engine ended without clearing up: what it had is there and its process is not.

    That is its pid file, or after a restart of the machine the containers in its data: one that `down` stops has none.
    """
    if pid() is not None:
        return False
    containers = DATA / "containers"
    return os.access(PIDFILE, os.R_OK) or (os.access(containers, os.R_OK) and any(containers.iterdir()))


def mounts(table: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """Return the mounts of our engine, in the order in which they were made (proc(5): mountinfo).

    An engine binds its data folder onto itself, and one that was killed leaves that as well. A disk that somebody
    mounted there is not a bind of a folder, and not ours.
    """
    if not table.is_file():
        return []
    rows = [line.split()[3:5] for line in table.read_text(encoding="utf-8").splitlines()]
    return [
        at for root, at in rows if at.startswith((f"{RUN}/", f"{DATA}/")) or (at == str(DATA) and root != "/")
    ]


def volumes() -> list[str]:
    """Return the names of the volumes in the data of our engine, which need not run."""
    folder = DATA / "volumes"
    if not os.access(folder, os.R_OK):
        return []
    return sorted(each.name for each in folder.iterdir() if (each / "_data").is_dir())


def start(answers: Callable[[], object]) -> None:
    """Start our engine and wait until it ``answers``.

    Raises:
        LabError: if it ends or does not answer within START_SECONDS; nothing of it runs then.
    """
    if was_killed():
        _forget_the_killed()
    RUN.mkdir(mode=0o711, parents=True, exist_ok=True)
    DATA.mkdir(parents=True, exist_ok=True)
    log = paths.log_dir() / "dockerd.log"
    argv = command()
    with log.open("wb") as sink, _without_limits():
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment(argv[0]),
            cwd="/",
            umask=0o022,
            start_new_session=True,
        )
    why: LabError | None = None

    def is_there() -> bool:
        nonlocal why
        if child.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise LabError(f"dockerd ended: {' '.join(last)[:200]}", f"its log is {log}")
        try:
            return bool(answers())
        except LabError as error:
            why = error
            return False

    try:
        has_started = soon(is_there, START_SECONDS)
    except BaseException:
        # Ctrl-C among them: an engine that nobody has seen answer would be nobody's.
        with interruption.cleaning_up():
            process.end(child)
        raise
    if not has_started:
        process.end(child)
        told = f" ({why.what})" if why else ""
        raise LabError(
            f"dockerd does not answer within {bound(START_SECONDS):.0f} s{told}", f"its log is {log}"
        )


def command() -> list[str]:
    """Return the command line of our engine, and put what it names where it names it.

    Raises:
        LabError: there is no dockerd.
    """
    program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    if program is None:
        raise LabError("there is no dockerd", "apt-get install docker.io")
    argv = [
        *[program, "--host", SOCKET, "--data-root", str(DATA), "--exec-root", str(RUN / "docker")],
        *["--pidfile", str(PIDFILE), "--bridge", "none"],
    ]
    if host.is_bounded():
        # The wrapper must outlive a checkout: containers name it until they are removed.
        wrapper = paths.ROOT_STATE / "runc-bounded"
        shutil.copy(paths.repository() / "lab/node/root/usr/local/lib/shimlab/runc-bounded", wrapper)
        wrapper.chmod(0o755)
        argv += ["--add-runtime", f"{BOUNDED_RUNTIME}={wrapper}", "--default-runtime", BOUNDED_RUNTIME]
    return argv


def environment(program: str) -> dict[str, str]:
    """Return the environment of our engine: its own, so that it does not keep what one caller happened to have.

    A TMPDIR that is not there, for instance, would fail every container until the engine is stopped.
    """
    handed_on = {name: value for name, value in os.environ.items() if name.upper() in HANDED_ON}
    return {**handed_on, "HOME": "/root", "PATH": f"{Path(program).parent}:{SYSTEM_PATH}"}


def stop() -> None:
    """Stop our engine, which runs, and undo its mounts.

    Raises:
        LabError: if it does not stop.
    """
    number = pid()
    if number is not None:
        os.kill(number, signal.SIGTERM)
        if not _gone(number, STOP_SECONDS):
            sign = "CONT" if process.is_stopped(number) else "KILL"
            raise LabError(
                f"our Docker engine (pid {number}) does not stop within {bound(STOP_SECONDS):.0f} s",
                f"kill -{sign} {number}, then `shimlab down` again",
            )
    clear_up()


def clear_up() -> None:
    """Undo the mounts of our engine, which does not run any more, and remove its folder in /run.

    Raises:
        LabError: a mount stays.
    """
    for mount in reversed(mounts()):
        _unmount(mount)
    shutil.rmtree(RUN, ignore_errors=True)


def _is_ours(number: int) -> bool:
    try:
        argv = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return SOCKET.encode() in argv and any(Path(os.fsdecode(word)).name == "dockerd" for word in argv[:2])


def _is_of_this_root(number: int) -> bool:
    """Tell whether a process sees the files that we see: a lab in a container has an engine of the same words."""
    try:
        return Path(f"/proc/{number}/root").samefile("/")
    except OSError:
        return False


@contextlib.contextmanager
def _without_limits() -> Iterator[None]:
    """Start what is started in the block with the soft limits as high as the hard ones."""
    before = {number: resource.getrlimit(number) for number in (getattr(resource, each) for each in LIMITS)}
    for number, (_, most) in before.items():
        resource.setrlimit(number, (most, most))
    try:
        yield
    finally:
        for number, limits in before.items():
            resource.setrlimit(number, limits)


def _forget_the_killed(seconds: float = 20) -> None:
    # A killed process has a number until its parent asks for it, and an engine that finds the number alive refuses
    # to start, or waits for a containerd that does not answer any more.
    for pidfile in (PIDFILE, *(RUN / "docker" / "containerd").glob("*.pid")):
        try:
            running = Path("/proc", pidfile.read_text(encoding="ascii").strip(), "cmdline")
            soon(running.read_bytes, seconds)
        except OSError:
            pass
        pidfile.unlink(missing_ok=True)


def _gone(number: int, seconds: float) -> bool:
    def has_ended() -> bool:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(number, os.WNOHANG)
        return process.has_ended(number)

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
