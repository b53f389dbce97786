"""What is broken on a node, written down in the node itself: it is true after a restart of either machine."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

from shimlab.errors import LabError
from shimlab.node import exec as node_exec

# On the volume that kind mounts at /var: it lives as long as the node.
FOLDER = "/var/lib/shimlab/fault"
FILE = f"{FOLDER}/record.json"


@dataclass(frozen=True)
class Record:
    """The fault of one node."""

    fault: str
    #: The runtime that the node's label asks for.
    runtime: str
    #: When it was broken, in seconds, by the node's own clock.
    since: int
    #: Pods that were not ready before: nobody waits for them after the repair.
    excused: tuple[str, ...] = ()
    #: How things were that only the live node can tell.
    notes: dict[str, str] = field(default_factory=dict)

    def noting(self, **notes: str) -> Record:
        """Return the record with more notes."""
        return dataclasses.replace(self, notes={**self.notes, **notes})

    def write(self, name: str) -> None:
        """Write it into the node, whole or not at all.

        Raises:
            LabError: the node cannot be written.
        """
        script = 'mkdir -p "${1%/*}" && cat >"$1.new" && mv "$1.new" "$1"'
        node_exec.run(name, ["sh", "-c", script, "sh", FILE], input=json.dumps(dataclasses.asdict(self)))


def read(name: str) -> Record | None:
    """Return what is broken on a node, or None.

    Raises:
        LabError: the node does not run, or its record cannot be understood.
    """
    told = node_exec.run(name, ["sh", "-c", 'if [ -e "$1" ]; then cat "$1"; fi', "sh", FILE])
    if not told:
        return None
    try:
        fields = json.loads(told)
        return Record(**{**fields, "excused": tuple(fields["excused"])})
    except (ValueError, TypeError, KeyError) as error:
        raise LabError(
            f"{name}: {FILE} is no record of a fault", "make the lab anew: `shimlab down`, `shimlab up`"
        ) from error


def refuse(name: str) -> None:
    """Refuse to work on a node that is broken on purpose: what was put aside for its repair would not fit any more.

    Raises:
        LabError: it is broken.
    """
    if found := read(name):
        raise LabError(f"{name} is broken: {found.fault}", "`shimlab repair` undoes it; then again")


def forget(name: str) -> None:
    """Remove the record, and what was put aside for the repair.

    Raises:
        LabError: the node cannot be written.
    """
    # The record goes last: as long as it is there a repair can be asked for again.
    node_exec.run(name, ["sh", "-c", 'rm -rf "$1/files" && rm -rf "$1"', "sh", FOLDER])
