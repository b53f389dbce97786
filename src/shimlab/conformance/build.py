"""The tests' program and the images that the tests start: built once for each content, found again ever after."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from shimlab.conformance import specs
from shimlab.images import build, image, recipe, release
from shimlab.machine import engine
from shimlab.progress import step

#: The program; the other targets of lab/conformance/Dockerfile are images that tests start.
PROGRAM = "e2e"
TARGETS = (PROGRAM, "agnhost", "nonewprivs", "nginx")
# Bytes that a cold build takes at its peak on the file system of the engine's data: measured, rounded up.
BUILD_SPACE = 6 * 10**9
ROOT_FUNCTIONS = "node/build/root-functions"
# What decides the toolchain that the build starts from.
_TOOLCHAIN = ("node/add-suite", "node/build/go-toolchain", "node/build/go-env")


def references(minor: str) -> dict[str, str]:
    """Return the name of each target's image; the content that it is built from decides it."""
    own = specs.folder()
    files = [own.parent / name for name in (*_TOOLCHAIN, ROOT_FUNCTIONS)]
    files += [own / "Dockerfile", own / "nginx.conf", *(own / "build").iterdir()]
    files += [own / minor / "go.mod", own / minor / "go.sum"]
    said = dict(release.load(minor).recipe)
    digest = release.content(files, own.parent, minor, said["GO"], said["GO_SUITE"])
    return {target: f"shimlab/conformance-{target}:{minor}-{digest}" for target in TARGETS}


def ensure(minor: str, *, keep: bool = False) -> dict[str, str]:
    """Return the images of a release's tests by target, building them if this content was never built.

    ``keep`` keeps the stages of the build.

    Raises:
        LabError: there is too little space, or a step of the build fails; finished steps are found again.
    """
    names = references(minor)
    if not _all_there(names):
        with build.alone():
            # Whoever was waited for may have built them.
            if not _all_there(names):
                _build(minor, names, keep=keep)
    return names


def _all_there(names: dict[str, str]) -> bool:
    return all(build.exists(name) for name in names.values())


def _build(minor: str, names: dict[str, str], *, keep: bool) -> None:
    image.need_space(engine.data_root(), BUILD_SPACE)
    with step("Base image") as current:
        build.ensure_base(current)
    toolchain = recipe.toolchain(dict(release.load(minor).recipe))
    build.part(toolchain)
    given = dict(toolchain.arguments)
    arguments = {"TOOLCHAIN": toolchain.reference, "RELEASE": minor}
    arguments |= {name: given[name] for name in ("BASE", "GOPROXY") if name in given}
    with tempfile.TemporaryDirectory() as folder:
        context = _context(Path(folder))
        for target, name in names.items():
            with step(f"Building {target} of the tests of {minor}") as current:
                build.build(
                    context / "conformance" / "Dockerfile",
                    context,
                    target,
                    name,
                    arguments,
                    current,
                    labels={recipe.MADE_BY: "conformance"},
                )
    if not keep:
        image.prune()


def _context(folder: Path) -> Path:
    """Lay out what the build sends to the engine: lab/.dockerignore, which lets less through, is the node image's."""
    lab = specs.folder().parent
    shutil.copytree(specs.folder(), folder / "conformance")
    (folder / ROOT_FUNCTIONS).parent.mkdir(parents=True)
    shutil.copy(lab / ROOT_FUNCTIONS, folder / ROOT_FUNCTIONS)
    return folder
