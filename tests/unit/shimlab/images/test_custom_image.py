"""A node image of somebody else's: what is none leaves no copy behind."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from shimlab.errors import LabError
from shimlab.images import custom_image
from shimlab.machine import engine
from shimlab.machine.engine import Engine

#: What it is asked is kept; the image is there, and `run` ends as a test wants it.
DOCKER = """#!/bin/sh
echo "$@" >>FOLDER/asked
case "$1 $2" in
"images --quiet") case "$3" in shimlab/node:given-*) ;; *) echo 0123 ;; esac ;;
"image inspect") echo sha256:0123 ;;
run*) RUN ;;
esac
"""


def asked(folder: Path, monkeypatch: pytest.MonkeyPatch, run: str) -> list[str]:
    """Take an image whose file cannot be read, or can, and return what docker was asked."""
    program = folder / "docker"
    program.write_text(DOCKER.replace("FOLDER", str(folder)).replace("RUN", run))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(engine, "current", cache(lambda: Engine("", "20.10.24")))
    try:
        custom_image.ensure("somebody/image:v1")
    finally:
        told = (folder / "asked").read_text().splitlines()
    return told


@pytest.mark.parametrize(
    ("run", "what"),
    [
        ("echo 'cat: /kind/version: No such file or directory' >&2; exit 1", "is no node image"),
        ("echo 'exec: \"cat\": executable file not found' >&2; exit 127", "is no node image"),
        ("echo", "is no node image"),
        ("echo 'OCI runtime create failed' >&2; exit 125", "OCI runtime create failed"),
    ],
    ids=["no file", "no cat", "empty", "docker fails"],
)
def test_an_image_that_is_no_nodes_gets_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str, what: str
) -> None:
    with pytest.raises(LabError, match=what):
        asked(tmp_path, monkeypatch, run)
    assert not [line for line in (tmp_path / "asked").read_text().splitlines() if line.startswith("build")]


def test_an_image_of_nodes_gets_a_copy_with_the_labs_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (build,) = (line for line in asked(tmp_path, monkeypatch, "echo v1.20.15") if line.startswith("build"))
    assert "--label io.shimlab=node --label io.shimlab.given=somebody/image:v1" in build
    assert "--tag shimlab/node:given-" in build


@pytest.mark.parametrize("name", ["kindest/node:v1.31.0", "localhost:5000/a/b@sha256:0123", "0123abcd"])
def test_names_of_images_are_taken(name: str) -> None:
    custom_image.check(name)


@pytest.mark.parametrize("name", ["--help", "-v", "a b", "a;b", "/a", " a", "a\n"])
def test_what_is_no_name_of_an_image_is_not(name: str) -> None:
    with pytest.raises(LabError, match="no name of an image"):
        custom_image.check(name)
