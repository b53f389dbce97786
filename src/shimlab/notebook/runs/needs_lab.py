"""Ask for the lab before anything runs; as a pytest plugin, when the session starts.

No fixture ever runs for a cell of a notebook, so it cannot be a fixture that asks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shimlab.clients import kube
from shimlab.cluster import status
from shimlab.errors import LabError
from shimlab.notebook.runs import books


def require() -> None:
    """See that the lab answers.

    Raises:
        LabError: it does not.
    """
    if not kube.kubeconfig().is_file():
        raise LabError("the lab is not up, and notebooks run on it", "run `shimlab up`")
    status.status()


def picked(part: str) -> list[Path]:
    """Return the notebooks with ``part`` in their name that run on the lab that is up.

    None, with the reason on stderr, if none can be run; what is left out is said.
    """
    found = books.paths(part)
    if not found:
        print("no notebook of that name", file=sys.stderr)
        return []
    try:
        require()
    except LabError as error:
        print(error, file=sys.stderr)
        return []
    lab = status.lab()
    for path in found:
        if lab not in (labs := runs_on(path)):
            print(f"{path.name}: not run, it needs {' or '.join(labs)} and {lab} is up", file=sys.stderr)
    return [path for path in found if lab in runs_on(path)]


def runs_on(path: Path) -> list[str]:
    """Return the names of the labs that a notebook says it runs on."""
    return list(books.read(path).metadata.get("shimlab", {}).get("labs", []))


def pytest_sessionstart() -> None:
    """End at once, in two lines, where no lab answers."""
    try:
        require()
    except LabError as error:
        pytest.exit(str(error), returncode=1)
