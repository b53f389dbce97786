"""What the tests of the documentation share: the repository, and its built site."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimsite import build


@pytest.fixture(scope="session")
def root() -> Path:
    return build.ROOT


@pytest.fixture(scope="session")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, as it was when the tests began; built here if there is none, or one of other sources."""
    folder = tmp_path_factory.mktemp("built") / "site"
    assert build.copied(folder, root), "the site does not build; see the output above"
    return folder
