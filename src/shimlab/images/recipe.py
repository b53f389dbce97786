"""What is built for a node image: the stages of lab/node/Dockerfile, and the parts that each release takes of them."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping
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
#: What the name of each part that stays begins with, before its stage; the end of its tag is its content's digest.
KEPT = "shimlab/part-"
#: The stages that a node image is put together from and that stay when it is done; a release with a kubelet only takes
#: the first.
PROGRAMS = ("kubernetes", "dockershim", "coredns-program", "roots", "node-root")
# The same for all releases.
_SHARED = ("dockershim", "node-root")
# The stages that PROGRAMS start from, made as images before them.
_BEFORE = (
    "toolchain",
    "go-std",
    "kubernetes-modules",
    "dockershim-modules",
    "coredns-modules",
    "roots-packages",
)
# The stages that keep processors busy; all others wait for the network or the disk.
_COMPILE = ("go-std", "kubernetes", "dockershim", "coredns-program")
# Arguments that say where something is from and not what it is: go.sum pins what a proxy gives.
_SOURCES = ("BASE", "GOPROXY")


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

    @property
    def needs(self) -> frozenset[str]:
        """Return the references that must be there before this one is built."""
        written = re.findall(r"^FROM (\S+) AS (\S+)$", self.dockerfile, re.MULTILINE)
        return frozenset(image for image, name in written if (name, image) in self.built)

    @property
    def is_current(self) -> bool:
        """Tell whether its files are still those that its name was made from; a part that does not stay has no such."""
        return not self.reference.startswith(KEPT) or self.reference.endswith(content_of(self))

    @property
    def compiles(self) -> bool:
        """Tell whether it keeps processors busy, rather than the network or the disk."""
        return self.target in _COMPILE


def context() -> Path:
    """Return the folder that a build sends to the engine."""
    return paths.repository() / "lab"


def toolchain(recipe: Mapping[str, str]) -> Part:
    """Return the Go of a release, which other releases may share."""
    return _before(recipe)["toolchain"]


def programs(wanted: Release) -> list[Part]:
    """Return what a release's node is put together from, in the order to begin them.

    Each stays as an image whose name tells its content: it is found again whatever else of the node has changed.
    """
    return [_kept(wanted, target) for target in (PROGRAMS[:1] if wanted.on else PROGRAMS)]


def with_what_they_start_from(parts: Iterable[Part]) -> list[Part]:
    """Return parts of ``programs``, each after those that it needs and that do not stay."""
    found: dict[str, Part] = {}

    def add(part: Part) -> None:
        for each in _before(dict(part.arguments)).values():
            if each.reference in part.needs:
                add(each)
        found.setdefault(part.reference, part)

    for part in parts:
        add(part)
    return list(found.values())


def kind_of(reference: str) -> str:
    """Return what the name of a part that stays begins with: the same for every content of it."""
    return re.sub(r"[0-9a-f]{12}$", "", reference)


def node(wanted: Release, beneath: str = "") -> Part:
    """Return the node without its image stores; ``beneath`` is the node image that it lies on, if it does."""
    return _of_release(wanted, "node-kubelet", ON=beneath) if wanted.on else _of_release(wanted, "node")


def images(wanted: Release) -> dict[str, Part]:
    """Return, by the reference that the node's stores hold, the part that each image is.

    A release that lies on another one brings none: they are in that one's stores.
    """
    return {
        image.reference: _of_release(wanted, image.target, suffix=f"-{image.tag}", TAG=image.tag)
        for image in (() if wanted.on else wanted.images)
    }


def content_of(part: Part) -> str:
    """Return the digest of all that goes into a part: its stages, their arguments, and the files that they copy.

    Remarks do not count, neither the Dockerfile's nor those of a file `release`.
    """
    text = (context() / "node" / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^(#.*)?\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    head, start, stages = cut(text, part.target, dict(part.arguments), {}).partition("FROM ")
    values = _values(head, dict(part.arguments))
    asked = {*re.findall(r"^ARG (\w+)", stages, re.MULTILINE), *re.findall(r"\$\{(\w+)\}", start + stages)}
    said = [f"{name}={values.get(name, '')}" for name in sorted(asked.difference(_SOURCES))]
    files = set()
    for words in re.findall(r"^COPY (?!--from=)(.+)$", stages, re.MULTILINE):
        for word in words.split()[:-1]:
            files.update(_files(context() / _filled(word, values)))
    for path in sorted(path for path in files if path.name == "release"):
        files.remove(path)
        said += [f"{name}={value}" for name, value in sorted(release.recipe(path).items())]
    return release.content(files, context(), stages, *said)


def cut(dockerfile: str, target: str, arguments: Mapping[str, str], built: Mapping[str, str]) -> str:
    """Return a Dockerfile with its head and the stages that ``target`` needs, in their order.

    The classic builder makes every stage that stands before the one it is asked for, needed or not. And it forgets:
    of two builds that make the same layer at the same time it finds only one again, with what was built on that one.
    So a stage of ``built`` is written as no more than the image that it became.
    """
    head, *rest = re.split(r"^(?=FROM )", dockerfile, flags=re.MULTILINE)
    values = _values(head, arguments)
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
        for source in (_filled(word, values) for word in sources):
            if source in stages and source not in needed:
                needed.add(source)
                waiting.append(source)
    return head + "".join(text for name, text in stages.items() if name in needed)


def _values(head: str, arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments that the head of a Dockerfile names, with what it gives to those that nobody gives."""
    return dict(re.findall(r"^ARG (\w+)=(\S*)$", head, re.MULTILINE)) | dict(arguments)


def _filled(word: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], word)


def _files(path: Path) -> list[Path]:
    """Return the files that COPY takes; lab/.dockerignore leaves prose out."""
    found = path.rglob("*") if path.is_dir() else [path]
    return [each for each in found if not each.is_dir() and each.suffix != ".md"]


def _before(values: Mapping[str, str]) -> dict[str, Part]:
    """Return, by stage, the parts that do not stay: a Go, a release's modules, what all releases share."""
    go, version = values.get("GO", ""), values.get("KUBERNETES", "")
    of = {"toolchain": f"Go {go}", "go-std": f"Go {go}", "roots-packages": "all releases"}
    tags = {"toolchain": go, "go-std": go, "roots-packages": "all"}
    built = {target: f"{BUILD}/{target}:{tags.get(target, version)}" for target in _BEFORE}
    given = {name: value for name, value in values.items() if name not in _SOURCES}
    return {
        target: _part(target, of.get(target, version), reference, given, built)
        for target, reference in built.items()
    }


def _kept(wanted: Release, target: str) -> Part:
    values = {"RELEASE": wanted.minor, **_said(wanted)}
    if target == "dockershim":
        # It takes the Go of its own time, whatever the release takes.
        values = release.recipe(context() / "dockershim" / "release")
    shared = target in _SHARED
    built = {name: part.reference for name, part in _before(values).items()}
    part = _part(target, "all releases" if shared else wanted.version, "", values, built)
    name = f"{KEPT}{target}:{'' if shared else f'{wanted.minor}-'}{content_of(part)}"
    return dataclasses.replace(part, reference=name, labels=((MADE_BY, "part"),))


def _of_release(wanted: Release, target: str, *, suffix: str = "", **more: str) -> Part:
    built = {part.target: part.reference for part in programs(wanted)}
    values = {"RELEASE": wanted.minor, **_said(wanted), **more}
    return _part(target, wanted.version, f"{BUILD}/{target}:{wanted.minor}{suffix}", values, built)


def _said(wanted: Release) -> dict[str, str]:
    return {name: value for name, value in wanted.recipe if name != "ON"}


def _part(target: str, of: str, reference: str, values: Mapping[str, str], built: Mapping[str, str]) -> Part:
    # The builders pass nothing of the caller's on: what reaches a build is named here.
    given = {"BASE": BASE, "GOPROXY": os.environ.get("GOPROXY", ""), **values}
    arguments = sorted((name, value) for name, value in given.items() if value)
    return Part(target, of, reference, tuple(arguments), tuple(sorted(built.items())))
