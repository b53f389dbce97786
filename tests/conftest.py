"""What tests of several folders share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter; pytest keeps its own folders to their owner."""
    with tempfile.TemporaryDirectory(prefix="shimlab-test-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
