"""The option that records outputs again, and the lab that the snippets run on."""

from __future__ import annotations

import os

import pytest

from shimlab.cluster import environment
from shimlab.errors import LabError


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="record the snippets' outputs again")


@pytest.fixture(scope="session")
def lab() -> dict[str, str]:
    """What a snippet finds in its environment: PATH with kubectl and shimlab, KUBECONFIG, DOCKER_HOST."""
    try:
        found = environment.environment()
    except LabError as error:
        pytest.exit(str(error), returncode=1)
    return {**os.environ, **found, "LC_ALL": "C.UTF-8"}
