"""What is built for a node image: the stages of lab/node/Dockerfile, and the parts that each release takes of them."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shimlab import paths
from shimlab.images import release
from shimlab.images.release import Release

#: The label of all that the lab makes in the engine; its value says what it is.
MADE_BY = "io.shimlab"
BASE = "shimlab/base:bookworm"
#: Every tag that a build leaves until it is pruned.
BUILD = "shimlab-build"
DOCKERSHIM = "shimlab/dockershim"
# The stages that need none of each other but the toolchain; a release with a kubelet only takes the first.
PROGRAMS = ("kubernetes", "coredns-build", "roots", "node-root")
# What dockershim-out-of-tree is built from beside its own folder and its stages of the Dockerfile.
_DOCKERSHIM_SCRIPTS = ("add-suite", "build/go-toolchain", "build/go-env", "build/dockershim")


@dataclass(frozen=True)
class Part:
    """One stage to be built: its name, what of, under which reference, with which values for its arguments.

    ``built`` names stages that are there as images, by the image that each became.
    """

    target: str
    of: str
    reference: str
    arguments: tuple[tuple[str, str], ...]
    built: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def dockerfile(self) -> str:
        """Return the Dockerfile with the stages that this one still needs, and no others."""
        text = (context() / "node" / "Dockerfile").read_text(encoding="utf-8")
        return cut(text, self.target, dict(self.arguments), dict(self.built))


def context() -> Path:
    """Return the folder that a build sends to the engine."""
    return paths.repository() / "lab"


def toolchain(recipe: Mapping[str, str]) -> Part:
    """Return the Go of a release, which other releases may share."""
    values = {"GO": recipe["GO"], "GO_SUITE": recipe["GO_SUITE"]}
    return _part("toolchain", f"Go {recipe['GO']}", _go(recipe), values, {})


def programs(wanted: Release) -> list[Part]:
    """Return the parts that need none of each other but the toolchain, the longest first."""
    return [_of_release(wanted, target) for target in (PROGRAMS[:1] if wanted.on else PROGRAMS)]


def node(wanted: Release, beneath: str = "") -> Part:
    """Return the node without its image stores; ``beneath`` is the node image that it lies on, if it does."""
    return _of_release(wanted, "node-kubelet", ON=beneath) if wanted.on else _of_release(wanted, "node")


def images(wanted: Release) -> dict[str, Part]:
    """Return, by the reference that the node's stores hold, the part that each image is."""
    return {
        image.reference: _of_release(wanted, image.target, suffix=f"-{image.tag}", TAG=image.tag)
        for image in wanted.images
    }


def dockershim() -> Part:
    """Return dockershim-out-of-tree: every release takes the same, so it is an image by itself and stays."""
    folder = context() / "dockershim"
    values = release.recipe(folder / "release")
    part = _part("dockershim", f"Kubernetes {values['KUBERNETES']}", "", values, {})
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"]
    files += [context() / "node" / name for name in _DOCKERSHIM_SCRIPTS]
    digest = release.content(files, context(), part.dockerfile)
    return dataclasses.replace(
        part,
        reference=f"{DOCKERSHIM}:{digest}",
        built=(("toolchain", _go(values)),),
        labels=((MADE_BY, "dockershim"),),
    )


def cut(dockerfile: str, target: str, arguments: Mapping[str, str], built: Mapping[str, str]) -> str:
    """Return a Dockerfile with its head and the stages that ``target`` needs, in their order.

    The classic builder makes every stage that stands before the one it is asked for, needed or not. And it forgets:
    of two builds that make the same layer at the same time it finds only one again, with what was built on that one.
    So a stage of ``built`` is written as no more than the image that it became.
    """
    head, *rest = re.split(r"^(?=FROM )", dockerfile, flags=re.MULTILINE)
    values = dict(re.findall(r"^ARG (\w+)=(\S*)$", head, re.MULTILINE)) | dict(arguments)
    stages: dict[str, str] = {}
    for text in rest:
        # A stage without a name can be no part of another.
        if found := re.match(r"FROM \S+ AS (\S+)", text):
            name = found[1]
            stages[name] = f"FROM {built[name]} AS {name}\n" if name in built and name != target else text
    needed = {target}
    waiting = [target]
    while waiting:
        sources = re.findall(r"^(?:FROM |COPY --from=)(\S+)", stages[waiting.pop()], re.MULTILINE)
        for source in (re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], word) for word in sources):
            if source in stages and source not in needed:
                needed.add(source)
                waiting.append(source)
    return head + "".join(text for name, text in stages.items() if name in needed)


def _of_release(wanted: Release, target: str, *, suffix: str = "", **more: str) -> Part:
    recipe = {name: value for name, value in wanted.recipe if name != "ON"}
    built = {name: _tag(name, wanted) for name in PROGRAMS} | {"toolchain": _go(recipe)}
    if not wanted.on:
        built["dockershim"] = dockershim().reference
    values = {"RELEASE": wanted.minor, **recipe, **more}
    return _part(target, wanted.version, f"{_tag(target, wanted)}{suffix}", values, built)


def _tag(target: str, wanted: Release) -> str:
    return f"{BUILD}/{target}:{wanted.minor}"


def _go(recipe: Mapping[str, str]) -> str:
    return f"{BUILD}/toolchain:{recipe['GO']}"


def _part(target: str, of: str, reference: str, values: Mapping[str, str], built: Mapping[str, str]) -> Part:
    # The builders pass nothing of the caller's on: what reaches a build is named here.
    given = {"BASE": BASE, "GOPROXY": os.environ.get("GOPROXY", ""), **values}
    arguments = sorted((name, value) for name, value in given.items() if value)
    return Part(target, of, reference, tuple(arguments), tuple(sorted(built.items())))
