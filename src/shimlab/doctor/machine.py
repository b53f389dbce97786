"""What several of doctor's checks need to know of this machine; looked up once."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    #: What is at work on the lab, if anything is.
    busy: str = ""
    running: bool = False

    @property
    def makes_own(self) -> bool:
        """Tell whether `shimlab up` would start an engine here: not beside one that is there and does not answer."""
        nobody = self.refusal is None or isinstance(self.refusal, engine.NoEngineError)
        return self.root_debian and self.engine is None and nobody

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
        info = json.loads(engine.docker("info", "--format", "{{json .}}", timeout=engine.ANSWER_SECONDS))
    except LabError as error:
        found, refusal = None, error
    except ValueError:
        found, refusal = None, LabError("what answers `docker info` is no Docker engine", "install Docker")
    if found and not found.ours and bounded and root_debian:
        found, info = None, {}
        refusal = engine.NoEngineError(
            "the engine here refuses privileged containers", "`shimlab up` starts its own"
        )
    if found:
        try:
            running = bool(status.nodes())
        except LabError:
            # Not up is no failing; `leftovers` and `lab` say what there is.
            running = False
    return Machine(root_debian, bounded, found, refusal, info, lock.at_work(), running)


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
