"""What several of doctor's checks need to know of this machine; looked up once."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shimlab import lock
from shimlab.cluster import status
from shimlab.doctor.finding import Finding, ok, warning
from shimlab.errors import LabError
from shimlab.machine import engine, host


@dataclass(frozen=True)
class Machine:
    """This machine, its engine and the lab on it."""

    root_debian: bool
    bounded: bool
    # The engine that the lab would use, or why there is none.
    engine: engine.Engine | None
    refusal: LabError | None
    info: Mapping[str, Any] = field(default_factory=dict)
    busy: bool = False
    running: bool = False

    @property
    def makes_own(self) -> bool:
        """Tell whether `shimlab up` would start an engine here."""
        return self.root_debian and self.engine is None

    @property
    def elsewhere(self) -> bool:
        """Tell whether the engine runs on another machine, virtual or real, whose files are not the ones here."""
        desktop = "Docker Desktop" in str(self.info.get("OperatingSystem", ""))
        return sys.platform != "linux" or desktop or (self.engine is not None and is_remote(self.engine))


def look() -> Machine:
    """Look at this machine."""
    root_debian, bounded = host.is_root_debian(), host.is_bounded()
    found: engine.Engine | None = None
    refusal: LabError | None = None
    info: dict[str, Any] = {}
    running = False
    try:
        found = engine.current()
        info = json.loads(engine.docker("info", "--format", "{{json .}}"))
    except LabError as error:
        found, refusal = None, error
    except ValueError:
        found, refusal = None, LabError("what answers `docker info` is no Docker engine", "install Docker")
    if found and not found.ours and bounded and root_debian:
        found, info = None, {}
        refusal = LabError("the engine here refuses privileged containers", "`shimlab up` starts its own")
    if found:
        try:
            running = bool(status.nodes())
        except LabError:
            # Not up is no failing; `leftovers` and `lab` say what there is.
            running = False
    return Machine(root_debian, bounded, found, refusal, info, is_busy(), running)


def unasked(name: str, machine: Machine, expected: str) -> Finding:
    """Return the finding where no engine could be asked: expected if the lab brings one, else not known."""
    if machine.makes_own:
        return ok(name, f"no engine runs yet{': ' if expected else ''}{expected}")
    return warning(
        name, "not known: no engine could be asked", "mend what is said of docker and engine first"
    )


def is_remote(found: engine.Engine) -> bool:
    """Tell whether an engine is reached over a network."""
    return found.host.startswith(("tcp://", "ssh://", "http://", "https://"))


def is_busy(locks: Path = Path("/proc/locks")) -> bool:
    """Tell whether a process holds the lock of `up` and `down`: asked of the kernel, since trying would take it."""
    try:
        held = lock.lock()
    except LabError:
        # Where the folder cannot be made nobody holds a lock in it; another check says so.
        return False
    if not held.exists() or not locks.is_file():
        return False
    inode = held.stat().st_ino
    rows = [line.split() for line in locks.read_text(encoding="ascii").splitlines()]
    return any(row[1] == "FLOCK" and row[5].endswith(f":{inode}") for row in rows if len(row) > 5)
