"""How many rounds there are: each is a command that is ended at one moment in one way, and what comes after it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=20, help="how often each command is ended (20)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "round_" in metafunc.fixturenames:
        rounds = metafunc.config.getoption("--rounds")
        metafunc.parametrize("round_", range(rounds), ids=lambda number: f"{number + 1:02}")
