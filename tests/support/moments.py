"""Commands that are ended while they do one thing or another: by what is under way, never by a clock."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import ARGV

from shimlab.cluster.status import KIND_LABEL
from shimlab.machine import engine
from shimlab.machine.kind import NETWORK
from shimlab.waiting import bound, soon

# The longest that a command may be on its way to a moment, and then to its end; seconds.
SECONDS = 300
POLL = 0.05


@dataclass
class Command:
    """A command under way in a session of its own, and what it has said so far."""

    child: subprocess.Popen[bytes]
    #: The lab's name, and its state folder.
    lab: str
    state: Path
    _said: list[str] = field(default_factory=list)
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def text(self) -> str:
        """Return what it has said."""
        return "".join(self._said)

    @property
    def kind(self) -> str:
        """Return what kind has said."""
        log = self.state / "log" / "kind.log"
        return log.read_text("utf-8", "replace") if log.is_file() else ""

    def at(self, moment: Callable[[Command], bool]) -> None:
        """Wait until it is there.

        Raises:
            AssertionError: it ended before, or never came there.
        """
        seen = soon(lambda: self._is_at(moment) or self.child.poll() is not None, SECONDS, POLL)
        assert seen, f"it never came there\n{self.text}"
        assert self.child.poll() is None or self._is_at(moment), f"it ended before\n{self.text}"

    def send(self, *signs: signal.Signals) -> None:
        """Send signals to all of its session, as a terminal does."""
        for sign in signs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, sign)

    def close(self) -> None:
        """Go away, as a reader does who has read enough (`| head`)."""
        self._closed.set()

    def ended(self) -> int:
        """Wait for its end and return its status."""
        return self.child.wait(bound(SECONDS))

    def _is_at(self, moment: Callable[[Command], bool]) -> bool:
        return moment(self)

    def _listen(self, read: int) -> None:
        with os.fdopen(read, "rb", buffering=0) as pipe:
            os.set_blocking(read, False)
            while not self._closed.wait(POLL / 2):
                with contextlib.suppress(BlockingIOError):
                    chunk = pipe.read(65536)
                    if chunk == b"":
                        return
                    self._said.append((chunk or b"").decode("utf-8", "replace"))


@contextlib.contextmanager
def begun(
    *arguments: str, lab: str, state: Path, environment: Mapping[str, str], argv: Sequence[str] = ARGV
) -> Iterator[Command]:
    """Begin a command of a lab; it is ended at the latest when the block ends."""
    with contextlib.suppress(FileNotFoundError):
        # What an earlier command's kind said.
        (state / "log" / "kind.log").unlink()
    read, write = os.pipe()
    child = subprocess.Popen(
        [*argv, *arguments],
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write,
        start_new_session=True,
    )
    os.close(write)
    command = Command(child, lab, state)
    ear = threading.Thread(target=command._listen, args=[read])
    ear.start()
    try:
        yield command
    finally:
        command.close()
        ear.join()
        command.send(signal.SIGKILL)
        child.wait()


# ---- Ways to end it --------------------------------------------------------------------------------------------------

#: Each with the status that the command has then.
WAYS: dict[str, tuple[Callable[[Command], None], int]] = {
    "Ctrl-C": (lambda command: command.send(signal.SIGINT), 130),
    "SIGTERM twice": (lambda command: command.send(signal.SIGTERM, signal.SIGTERM), 130),
    "SIGHUP": (lambda command: command.send(signal.SIGHUP), 130),
    "SIGKILL": (lambda command: command.send(signal.SIGKILL), -signal.SIGKILL),
    "a reader who leaves": (lambda command: command.close(), 141),
}


# ---- Moments ---------------------------------------------------------------------------------------------------------


def says(text: str) -> Callable[[Command], bool]:
    """The command says so, as it does when a step begins."""
    return lambda command: text in command.text


def kind_says(text: str) -> Callable[[Command], bool]:
    return lambda command: text in command.kind


def nodes(count: int) -> Callable[[Command], bool]:
    """So many of the lab's nodes are there, in whatever state."""
    return lambda command: len(containers(command.lab)) >= count


def network() -> Callable[[Command], bool]:
    """The labs' network is there, or, where another lab has it already, kind has come as far."""
    return lambda command: bool(_network()) and "Preparing nodes" in command.kind


def containers(lab: str) -> list[str]:
    """Return the names of a lab's nodes, in whatever state."""
    of_lab = ["--filter", f"label={KIND_LABEL}={lab}"]
    return sorted(engine.docker("ps", "--all", *of_lab, "--format", "{{.Names}}").split())


def volumes() -> set[str]:
    """Return the volumes that no container has."""
    return set(engine.docker("volume", "ls", "--quiet", "--filter", "dangling=true").split())


def left(lab: str, volumes_before: set[str]) -> list[str]:
    """Return what is left of a lab: its nodes, and volumes that no container has and that were not there before.

    A volume that another lab's end lets go for a moment is none.
    """
    soon(lambda: not volumes() - volumes_before, 10)
    return [*containers(lab), *sorted(volumes() - volumes_before)]


def _network() -> str:
    return engine.docker("network", "ls", "--filter", f"name=^{NETWORK}$", "--quiet").strip()


#: What `up` does, in its order.
UP: dict[str, Callable[[Command], bool]] = {
    "the engine is looked for": says("• Docker engine"),
    "kind is asked": says("• Creating the cluster"),
    "the network is there": network(),
    "the first node is there": nodes(1),
    "all nodes are there": nodes(3),
    "the nodes are configured": kind_says("Writing configuration"),
    "kubeadm init": kind_says("Starting control-plane"),
    "kubeadm join": kind_says("Joining worker nodes"),
    "kind has ended": lambda command: (command.state / "made-from").is_file(),
}
#: What a migration does.
MIGRATION = {
    each: says(f"• {each}")
    for each in (
        "Cordoning",
        "Draining",
        "Stopping its kubelet",
        "Removing what",
        "Rewriting the kubelet's flags",
        "Starting the kubelet on",
        "Waiting for the node's own pods",
        "Labelling it and letting pods in",
    )
}
BREAK = {each: says(f"• {each}") for each in ("Starting a pod on", "Breaking", "Waiting until it shows")}
REPAIR = {each: says(f"• {each}") for each in ("Repairing", "Waiting until", "Starting a pod on")}
