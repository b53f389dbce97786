"""The lab's own engine at another place than the machine's, so that tests stop and break none that is in use.

In dockerd's and docker's place stand programs that do one thing each: the first listens at the engine's socket and
answers, or does not; the second asks whoever listens there, as docker does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from shimlab import process
from shimlab.machine import engine, host, private
from shimlab.waiting import wait

#: Its first request is answered by what `answer` holds when it comes; without that file it is deaf.
DOCKERD = r"""#!PYTHON
import contextlib, json, os, resource, signal, socket, sys, time
from pathlib import Path

folder, option = Path("FOLDER"), dict(zip(sys.argv[1::2], sys.argv[2::2]))
Path(option["--pidfile"]).write_text(str(os.getpid()))
umask = os.umask(0)
limits = [resource.getrlimit(each) for each in (resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)]
seen = {"environment": dict(os.environ), "cwd": os.getcwd(), "umask": umask, "limits": limits}
(folder / "seen").write_text(json.dumps(seen))
if (folder / "stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
at = Path(option["--host"].removeprefix("unix://"))
if not (folder / "mute").exists():
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(at))
    listening.listen()
    while (folder / "answer").exists():
        with listening.accept()[0] as asking, contextlib.suppress(OSError):
            # Who only looks whether somebody listens has gone.
            asking.sendall((folder / "answer").read_bytes())
time.sleep(600)
"""
DOCKER = r"""#!PYTHON -IS
import os, socket, sys
from pathlib import Path

if sys.argv[1] == "--version":
    print("Docker version 20.10.24, build 297e128")
elif sys.argv[1] == "context":
    print("unix://FOLDER/none.sock")
elif sys.argv[1] == "version":
    address = os.environ["DOCKER_HOST"]
    try:
        asking = socket.socket(socket.AF_UNIX)
        asking.connect(address.removeprefix("unix://"))
    except OSError:
        sys.exit(f"\nCannot connect to the Docker daemon at {address}. Is the docker daemon running?")
    said = asking.recv(999).decode()
    sys.exit(said if said.startswith("Error") else print(said))
else:
    with open("FOLDER/asked", "a") as file:
        print(*sys.argv[1:], file=file)
"""


def moved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lab look for its own engine below a folder; a socket's path may have 107 bytes (unix(7))."""
    run = folder / "run"
    for name, value in {
        "RUN": run,
        "SOCKET": f"unix://{run}/docker.sock",
        "PIDFILE": run / "docker.pid",
        "DATA": folder / "data",
    }.items():
        monkeypatch.setattr(private, name, value)
    # And the user's nowhere.
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/none.sock")
    engine.current.cache_clear()


class Engine:
    """The stand-in: where it is, and how it will be once it is started."""

    def __init__(self, folder: Path) -> None:
        """Lay down both programs."""
        self.folder = folder
        (folder / "bin").mkdir()
        for name, text in {"docker": DOCKER, "dockerd": DOCKERD}.items():
            program = folder / "bin" / name
            program.write_text(text.replace("PYTHON", sys.executable).replace("FOLDER", str(folder)), "utf-8")
            program.chmod(0o755)
        self.answers("20.10.24")

    def answers(self, said: str | None) -> None:
        """Let it answer so from its next start on; with None it listens and is deaf."""
        if said is None:
            (self.folder / "answer").unlink()
        else:
            (self.folder / "answer").write_text(said)

    def will_be(self, how: str) -> None:
        """Let it be `stubborn`, and not end when it is asked to, or `mute`, and not listen."""
        (self.folder / how).touch()

    @property
    def pid(self) -> int:
        """Return its process."""
        found = private.pid()
        assert found is not None
        return found

    @property
    def seen(self) -> dict[str, Any]:
        """Return what it saw when it was started."""
        return dict(json.loads((self.folder / "seen").read_text()))

    def start(self) -> int:
        """Start it as the lab does and return its process; whether it answers is not waited for."""
        seen = self.folder / "seen"
        mute = (self.folder / "mute").exists()
        socket = Path(private.SOCKET.removeprefix("unix://"))
        private.start(lambda: seen.exists() and (mute or socket.exists()))
        return self.pid


@contextmanager
def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Put the stand-in where the lab finds it while the block runs; nothing of it runs afterwards."""
    moved(folder, monkeypatch)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.delenv("SHIMLAB_NAME", raising=False)
    monkeypatch.setattr(private, "is_mine", lambda: True)
    monkeypatch.setattr(host, "is_bounded", lambda: False)
    try:
        yield Engine(folder)
    finally:
        if (pid := private.pid()) is not None:
            os.kill(pid, 9)
            # It is this process's child, unless the lab was one of its own.
            wait(lambda: _reaped(pid), "the end of the engine that stands in", 20)
        engine.current.cache_clear()


def _reaped(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return process.has_ended(pid)
