"""A build of a node image that is ended in the middle: nothing of it is left at work, and the next one goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support import moments
from tests.support.command import shimlab

from shimlab import paths
from shimlab.images import image, stores
from shimlab.machine import engine

LAB = "shimlab-abused"
BUILD = {
    "a part is begun": moments.says("• Building "),
    "a step of it runs": lambda command: bool(_workshop()),
    "the stores are begun": moments.says("• Filling the image stores"),
    "a store's volume is there": lambda command: any(map(stores.VOLUME.fullmatch, _volumes())),
    "the stores are being filled": lambda command: bool(_filling()),
}


def _containers() -> list[str]:
    form = f'{{{{.Names}}}} {{{{.Label "{image.MADE_BY}"}}}} {{{{.Label "{image.MADE_BY}.stage"}}}}'
    return engine.docker("ps", "--all", "--format", form).splitlines()


def _workshop() -> list[str]:
    return [line for line in _containers() if " build" in line or len(line.split()) > 2]


def _volumes() -> list[str]:
    return sorted(engine.docker("volume", "ls", "--quiet").split())


def _filling() -> str:
    return engine.docker("ps", "--quiet", "--filter", "name=shimlab-stores-").strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project with one script of the node changed: most of the image is there, and its end has to be built."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("src", "lab"):
        shutil.copytree(
            paths.repository() / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    with (folder / "lab/node/root/usr/local/lib/shimlab/pod-network").open("a") as script:
        script.write(f"# changed by a test, {os.getpid()}\n")
    before = set(_tags())
    yield folder
    if made := set(_tags()) - before:
        engine.docker("rmi", *made, timeout=300)


def _tags() -> list[str]:
    return engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "shimlab/*").split()


@pytest.fixture
def environment(checkout: Path) -> Mapping[str, str]:
    return {**os.environ, "SHIMLAB_NAME": LAB, "PYTHONPATH": str(checkout / "src")}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("moment", "way"),
    list(zip(BUILD, ["Ctrl-C", "SIGKILL", "SIGTERM twice", "SIGKILL", "SIGHUP"], strict=True)),
)
def test_build(moment: str, way: str, environment: Mapping[str, str]) -> None:
    containers, volumes = _containers(), _volumes()
    with moments.begun(
        "build", "--lab", "deprecated", "--keep", lab=LAB, state=paths.state_dir(), environment=environment
    ) as build:
        build.at(BUILD[moment])
        moments.WAYS[way][0](build)
        assert build.ended() == moments.WAYS[way][1], build.text
        print(f"{way}, {moment}: {build.text.splitlines()[-1:]}")
        if way != "SIGKILL":
            assert "interrupted; nothing half-made is left" in build.text, build.text
            assert (_containers(), _volumes()) == (containers, volumes)
    # What a killed one left is gone when the next one has begun, and that is ended at once.
    with moments.begun(
        "build", "--lab", "deprecated", "--keep", lab=LAB, state=paths.state_dir(), environment=environment
    ) as build:
        build.at(BUILD["a part is begun"])
        moments.WAYS["Ctrl-C"][0](build)
        assert build.ended() == 130, build.text
    assert (_containers(), _volumes()) == (containers, volumes)
    assert not list(paths.cache_dir().glob("build-*"))


@pytest.mark.timeout(1200)
def test_the_image_is_built_after_all(environment: Mapping[str, str]) -> None:
    containers, volumes = _containers(), _volumes()
    done = shimlab("build", "--lab", "deprecated", "--keep", env=environment, seconds=900)
    assert done.returncode == 0, done.stderr
    assert (_containers(), _volumes()) == (containers, volumes)
