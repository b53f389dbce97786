"""Run programs: short ones for their output, long ones with a log and a sign of life."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from shimlab.errors import LabError
from shimlab.progress import ANSI
from shimlab.waiting import bound

# How many of its last lines a failed program's error may quote.
TAIL = 1
#: In the environment of what we run: who started it (:func:`starter`). So what a killed command left is known.
MARK = "STARTED_BY_SHIMLAB"


class FailedError(LabError):
    """A program that was run did not do its work.

    ``status`` is what it ended with, None where it did not end in time; ``said`` is all that it printed as its reason.
    """

    def __init__(self, what: str, remedy: str, status: int | None, said: str = "") -> None:
        """Keep what programs can tell failures apart by."""
        super().__init__(what, remedy)
        self.status = status
        self.said = said


def output(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    input: str | None = None,
    timeout: float = 60,
    remedy: str = "",
) -> str:
    """Run a program and return its stdout as text.

    Raises:
        LabError: as ``data`` says.
    """
    encoded = None if input is None else input.encode()
    return data(argv, env=env, input=encoded, timeout=timeout, remedy=remedy).decode()


def data(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float = 60,
    remedy: str = "",
    shown: str = "",
    umask: int = -1,
) -> bytes:
    """Run a program and return its stdout as bytes.

    ``shown`` is what an error calls the command, where its own words would say little. ``umask`` is the caller's unless
    one is given.

    Raises:
        FailedError: if it ends with another status than 0, or takes longer than ``timeout`` seconds.
        LabError: if it is not installed or cannot be run.
    """
    # Some words are whole scripts.
    shown = plain(shown or " ".join(argv[:6]))
    timeout = bound(timeout)
    try:
        done = subprocess.run(
            list(argv),
            input=input,
            umask=umask,
            stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            env=_environment(env),
            # Ctrl-C is for us alone: we say what ends because of it.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed", remedy or f"install {argv[0]}") from error
    except OSError as error:
        # Built for another architecture, cut off while it was fetched, on a file system mounted noexec.
        raise LabError(f"{argv[0]} cannot be run: {error.strerror}", f"install {argv[0]} anew") from error
    except subprocess.TimeoutExpired as error:
        raise FailedError(
            f"`{shown}` did not end within {timeout:.0f} s", remedy or "try again", None
        ) from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
        told = (said or "it said nothing").splitlines()
        raise FailedError(
            f"`{shown}` failed ({done.returncode}): {' '.join(told[-TAIL:])}",
            remedy or "see above",
            done.returncode,
            said,
        )
    return done.stdout


def works(argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 20) -> bool:
    """Tell whether a program ends with status 0 within the bound."""
    try:
        output(argv, env=env, timeout=timeout)
    except LabError:
        return False
    return True


def stream(
    argv: Sequence[str],
    log: Path,
    *,
    on_line: Callable[[str], None],
    env: Mapping[str, str] | None = None,
    timeout: float = 3600,
    remedy: str = "",
    append: bool = False,
    job: str = "",
) -> None:
    """Run a long program: every line goes to ``log`` and to ``on_line``.

    The program gets a session of its own and is ended, with all its children, when we are interrupted or
    it takes longer than ``timeout`` seconds. With ``job`` it is ended alone then, and what it started is left to the
    caller, who finds it by that name (orphans).

    Raises:
        LabError: if it fails; the message quotes its last two lines, since a program that runs others (a builder)
            ends with one of its own, and names the log. Or the log cannot be written.
    """
    timeout = bound(timeout)
    deadline = time.monotonic() + timeout
    last = ["", ""]
    with _log(log, append=append) as write:
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(env, job),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise LabError(f"{argv[0]} is not installed", remedy or f"install {argv[0]}") from error
        assert child.stdout is not None  # noqa: S101 - stdout=PIPE says so
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(child.stdout, selectors.EVENT_READ)
                pending = b""
                while True:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        raise LabError(
                            f"{argv[0]} did not end within {timeout:.0f} s (log: {log})",
                            remedy or "try again",
                        )
                    if not selector.select(min(left, 5)):
                        on_line(last[-1])
                        continue
                    chunk = os.read(child.stdout.fileno(), 65536)
                    write(chunk)
                    # At its end a program may leave a line without a newline.
                    *lines, pending = (pending + (chunk or b"\n")).split(b"\n")
                    for raw in lines:
                        line = raw.decode("utf-8", "replace").rstrip()
                        if line.strip():
                            last = [last[-1], line]
                            on_line(line)
                    if not chunk:
                        break
            # Its output is closed: what does not end by itself now is ended.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=bound(30))
        finally:
            end(child, alone=bool(job))
            child.stdout.close()
    if child.returncode != 0:
        raise LabError(
            f"{argv[0]} failed ({child.returncode}): {plain(last[0])} {plain(last[1])}",
            f"{remedy or 'see'} (log: {log})",
        )


def plain(line: str) -> str:
    """Return a line as an error may quote it: without colours, and not longer than a line of text."""
    return " ".join(ANSI.sub("", line).split())[:160]


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or waits only for its parent to ask for it."""
    return _state(pid) in ("", "Z")


def is_stopped(pid: int) -> bool:
    """Tell whether a process was stopped by a signal, or by a debugger, and does nothing before it is continued."""
    return _state(pid) in ("T", "t")


def _state(pid: int) -> str:
    """Return the letter of a process's state; nothing where it is gone."""
    return next(iter(_stat(pid)), "")


def _stat(pid: int) -> list[str]:
    """Return what the kernel tells of a process after its name (proc(5), stat, from field 3); nothing if it is gone."""
    try:
        # The name before it may hold anything.
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        # Gone, or gone between the opening and the reading.
        return []


def end(child: subprocess.Popen[bytes], patience: float = 15, *, alone: bool = False) -> None:
    """End a program that leads its own session, with all in it or ``alone``; force it after ``patience`` seconds."""
    if child.poll() is not None:
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            (os.kill if alone else os.killpg)(child.pid, sign)
            child.wait(timeout=bound(patience))
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            return


def started(pid: int) -> str:
    """Return when a process was started, in the kernel's words; empty if there is none of that number, or no Linux.

    With its number it names one process (proc(5), stat, field 22).
    """
    return next(iter(_stat(pid)[19:]), "")


def starter(job: str = "") -> str:
    """Name this process as no other is named: the namespace of its number, the number, its start; then the job."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "-"
    return f"{namespace} {os.getpid()} {started(os.getpid())} {job}"


def _environment(more: Mapping[str, str] | None, job: str = "") -> dict[str, str]:
    return {**os.environ, MARK: starter(job), **(more or {})}


@contextlib.contextmanager
def _log(file: Path, *, append: bool) -> Iterator[Callable[[bytes], None]]:
    """Open a log and hand out what writes to it, at once.

    Raises:
        LabError: it cannot be written.
    """

    def refusal(error: OSError) -> LabError:
        return LabError(
            f"the log {file} cannot be written: {error.strerror}",
            "free space there, then run the same command again",
        )

    def write(chunk: bytes) -> None:
        try:
            sink.write(chunk)
        except OSError as error:
            raise refusal(error) from error

    try:
        # Without a buffer nothing is left to be written when it is closed.
        sink = file.open("ab" if append else "wb", buffering=0)
    except OSError as error:
        raise refusal(error) from error
    with sink:
        yield write
