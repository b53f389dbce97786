"""What the tests of the documentation share: the repository, and its built site."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimsite import build


@pytest.fixture(scope="session")
def root() -> Path:
    return build.ROOT


@pytest.fixture(scope="session")
def site(root: Path) -> Path:
    """The built site; built here if there is none, or one of other sources."""
    if not build.is_fresh(root):
        assert build.build(root), "the site does not build; see the output above"
    return root / "site"
