"""Scenarios: scripts with named sections, run in order in one shell, each section's output for itself.

The shell gets the script as it is, but for the marks of its sections: where one stands, it notes that the section
begins or ends, and writes to another pair of files from there. So variables and the folder carry over, errors name
the line as it is in the file, and what a job in the background prints belongs to the section that started it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from shimfacts import snippets
from shimfacts.snippets import CLEAN_UP, Scenario
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.paths import repository
from shimlab.snippets import run as snippet
from shimlab.waiting import POLL_SECONDS, bound

ROOT = repository()
#: How long a shell may take to notice a signal, and jobs that its clean-up ended to be gone; seconds.
GRACE = 10

#: What the first line and the marks become. A section whose last command failed has failed, as a snippet has.
_DRIVER = """\
_section_starts() {
  printf 'start %s\\n' "$1" >>NOTES/events
  exec >>NOTES/"$1.out" 2>>NOTES/"$1.err"
}
_section_ends() {
  local last=$?
  if ((last != 0)); then exit "$last"; fi
  if [[ $1 != clean-up && ($- != *e* || $- != *u* || :$SHELLOPTS: != *:pipefail:*) ]]; then
    echo "it turned off what 'set -euo pipefail' turned on" >&2
    exit 1
  fi
  printf 'end %s\\n' "$1" >>NOTES/events
  exec >>NOTES/outside 2>&1
}
exec >>NOTES/outside 2>&1
"""


@dataclass(frozen=True)
class Ran:
    """What a scenario did: what each section printed, and what went wrong, in order."""

    outputs: Mapping[str, str]
    problems: tuple[str, ...]


def all_scenarios() -> list[Scenario]:
    """Read the scenarios, by name.

    Raises:
        ValueError: one is not written as a scenario is.
    """
    return [snippets.scenario(path) for path in snippets.scenario_files(ROOT)]


def workers(scenario: Scenario) -> dict[str, str]:
    """Choose the workers that a scenario needs, each under the variable that names it there.

    Raises:
        LabError: the lab has too few on that runtime.
    """
    control_plane = status.nodes()[0]
    free = [each for each in status.status() if each.name != control_plane and each.ready]
    found = {}
    for variable, runtime in scenario.nodes.items():
        node = next((each for each in free if each.asked == runtime), None)
        if node is None:
            raise LabError(
                f"{scenario.path.name} needs a worker that is Ready on {runtime}",
                f"`shimlab status` shows the nodes, `shimlab node {runtime} NODE` moves one there",
            )
        free.remove(node)
        found[variable] = node.name
    return found


def run(scenario: Scenario, folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run a scenario until it ends or a section fails; its clean-up runs in any case.

    When it is interrupted, the clean-up runs, stderr says how it went, and the interruption goes on to the caller.
    """
    with tempfile.TemporaryDirectory(prefix="scenario-") as notes:
        shell = _Shell(scenario, Path(notes), folder, environment)
        try:
            shell.follow()
        except BaseException:
            try:
                shell.stop("was interrupted")
            finally:
                # Interrupted once more, nothing is left to wait for.
                left = shell.finish()
                for line in (*shell.problems(), *left):
                    print(f"{scenario.path.name}: {line}", file=sys.stderr)
            raise
        left = shell.finish()
        return Ran(shell.outputs(), (*shell.problems(), *left))


def expected(outputs: Mapping[str, str]) -> str:
    """Write what sections printed as the file beside the scenario has it."""
    return snippets.with_marks(
        {name: snippet.normal(text) if text.strip() else "" for name, text in outputs.items()}
    )


class _Shell:
    """The one shell of a scenario, and the folder in which it notes how far it is."""

    def __init__(self, scenario: Scenario, notes: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.scenario = scenario
        self.notes = notes
        self.seconds = bound(scenario.seconds)
        #: Why it was stopped, and in which section; "" if it was not, or in none.
        self.why, self.where = "", ""
        driver = notes / "driver"
        driver.write_text(_DRIVER.replace("NOTES", shlex.quote(str(notes))), "utf-8")
        self.child = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", _driven(scenario, driver), str(scenario.path)],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Signals reach it and all that it started from here alone, and at once.
            start_new_session=True,
        )

    def follow(self) -> None:
        """Wait for its end, and stop it if a section takes too long."""
        seen, deadline = 0, time.monotonic() + self.seconds
        while not self._ends_within(POLL_SECONDS):
            if len(events := self._events()) > seen:
                seen, deadline = len(events), time.monotonic() + self.seconds
            elif time.monotonic() > deadline:
                self.stop(f"did not end within {self.seconds:.0f} s")
                return

    def stop(self, why: str) -> None:
        """End what runs as Ctrl-C would, then let the clean-up run."""
        self.why, self.where = why, self._open()[-1] if self._open() else ""
        # A shell that is told to terminate begins its clean-up at once, and there says of its program that it ended. So
        # first its programs are told and it goes by how they end; then it is told, in case it waits for none.
        for tell in (
            partial(self._signal, signal.SIGINT),
            partial(self._signal_programs, signal.SIGTERM),
            partial(self._signal_programs, signal.SIGKILL),
            partial(os.kill, self.child.pid, signal.SIGTERM),
        ):
            begun = self._begun()
            if CLEAN_UP in begun:
                break
            tell()
            deadline = time.monotonic() + GRACE
            # A program may catch the signal and end well: then the shell goes on to the next section; it is told again.
            while self._begun() == begun and time.monotonic() < deadline:
                if self._ends_within(POLL_SECONDS):
                    return
        if self.where != CLEAN_UP or why == "was interrupted":
            self._ends_within(self.seconds)

    def finish(self) -> list[str]:
        """End what still runs; say so if the shell had ended before what it started."""
        ended = self._ends_within(0)
        deadline = time.monotonic() + GRACE
        while self._signal(0):
            if not ended or time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
                self._ends_within(GRACE)
                return ["what it started in the background still ran after its clean-up"] if ended else []
            time.sleep(POLL_SECONDS)
        return []

    def outputs(self) -> dict[str, str]:
        """Return what each section printed, in the scenario's order."""
        return {name: self._read(f"{name}.out") for name in self._names()}

    def problems(self) -> Iterator[str]:
        """Say what went wrong, in the order in which it did."""
        open_, code = self._open(), self.child.returncode
        cleaning = CLEAN_UP in open_
        stopped = bool(self.why) and self.where != CLEAN_UP
        steps = [name for name in open_ if name != CLEAN_UP]
        # Told to stop, a shell may have come as far as the next section.
        step = self.where if stopped else "".join(steps[-1:])
        outside = not step and (stopped or (code != 0 and not cleaning))
        if step:
            other = "failed" if code else "ended the scenario before its own end"
            yield f"the section {step} {self.why if stopped else other}" + _told(self._said(step))
        if outside:
            yield f"{self._gap()} {self.why if stopped else 'failed'}" + _told(self._read("outside"))
        if CLEAN_UP not in self._begun():
            yield "the clean-up did not run"
        elif cleaning:
            yield f"the clean-up {'failed' if stopped or not self.why else self.why}" + _told(
                self._said(CLEAN_UP)
            )
        elif not (open_ or step or outside) and self._begun() != self._names():
            yield f"the sections ran as {', '.join(self._begun())}, not as {', '.join(self._names())}"
        for name in self._begun():
            told = snippet.complaints(self._read(f"{name}.err"))
            if name not in open_ and told:
                yield f"the section {name} complains on stderr" + _told(told)
        if not outside and (told := snippet.complaints(self._read("outside"))):
            yield "no reader sees this, which is printed outside of the sections" + _told(told)

    def _gap(self) -> str:
        """Say between which sections it is."""
        ended = [name for edge, name in self._events() if edge == "end" and name != CLEAN_UP]
        return f"what follows the section {ended[-1]}" if ended else "what stands above the sections"

    def _said(self, name: str) -> str:
        return self._read(f"{name}.out") + self._read(f"{name}.err")

    def _names(self) -> list[str]:
        return [each.name for each in self.scenario.sections]

    def _events(self) -> list[tuple[str, str]]:
        # The last line may be half written.
        lines = self._read("events").split("\n")[:-1]
        return [(edge, name) for edge, _, name in (line.partition(" ") for line in lines)]

    def _begun(self) -> list[str]:
        return [name for edge, name in self._events() if edge == "start"]

    def _open(self) -> list[str]:
        ended = [name for edge, name in self._events() if edge == "end"]
        return [name for name in self._begun() if name not in ended]

    def _read(self, name: str) -> str:
        path = self.notes / name
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    def _signal(self, sign: int) -> bool:
        """Send a signal to the shell and all that it started; tell whether anything of it is there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, sign)
            return True
        return False

    def _signal_programs(self, sign: int) -> None:
        """Send a signal to all that the shell started, and not to the shell itself; needs /proc."""
        for folder in Path("/proc").glob("[0-9]*"):
            pid = int(folder.name)
            with contextlib.suppress(ProcessLookupError):
                if pid != self.child.pid and os.getpgid(pid) == self.child.pid:
                    os.kill(pid, sign)

    def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(timeout=seconds)
            return True
        return False


def _driven(scenario: Scenario, driver: Path) -> str:
    """Return the script with commands in the place of its marks, each line under its own number."""
    _, *lines = scenario.path.read_text("utf-8").splitlines()
    edges = [(snippets.mark(line), line) for line in lines]
    made = [f"_section_{edge[0]}s {edge[1]}" if edge else line for edge, line in edges]
    return "\n".join([f". {shlex.quote(str(driver))}", *made]) + "\n"


def _told(text: str) -> str:
    return ":\n" + textwrap.indent(text.rstrip("\n"), "  ") if text.strip() else ", and printed nothing"
