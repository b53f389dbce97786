"""Ask for the lab before anything runs; as a pytest plugin, when the session starts.

No fixture ever runs for a cell of a notebook, so it cannot be a fixture that asks.
"""

from __future__ import annotations

import pytest

from shimlab.errors import LabError
from shimlab.lab import cluster


def require() -> None:
    """See that the lab answers.

    Raises:
        LabError: it does not.
    """
    if not cluster.kubeconfig().is_file():
        raise LabError("the lab is not up, and notebooks run on it", "run `shimlab up`")
    cluster.status()


def pytest_sessionstart() -> None:
    """End at once, in two lines, where no lab answers."""
    try:
        require()
    except LabError as error:
        pytest.exit(str(error), returncode=1)
