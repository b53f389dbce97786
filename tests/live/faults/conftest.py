"""Marks for tests about one worker: those of two workers may run at the same time, in processes of their own."""

from __future__ import annotations

import pytest

from shimlab.runtimes import RUNTIMES


def pytest_configure(config: pytest.Config) -> None:
    for name in RUNTIMES:
        config.addinivalue_line(
            "markers", f"on_{name}: about the worker on {name}, and leaves all others alone"
        )
