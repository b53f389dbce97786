"""Every fault there is, in the order in which they are listed."""

from __future__ import annotations

from shimlab.errors import LabError
from shimlab.faults.catalog import daemons, resources, runtimes, settings
from shimlab.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (*daemons.FAULTS, *settings.FAULTS, *resources.FAULTS, *runtimes.FAULTS)


def named(name: str) -> Fault:
    """Return a fault by its name.

    Raises:
        LabError: there is none of that name.
    """
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise LabError(f"there is no fault {name}", "`shimlab break --list` lists them")
