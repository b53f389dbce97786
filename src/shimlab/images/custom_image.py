"""A node image that somebody else built, such as kindest/node: taken as it is, with our label on it."""

from __future__ import annotations

import hashlib
import re

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import engine
from shimlab.progress import step

PULL_SECONDS = 900
# distribution/reference: these letters; host, path, tag and digest in their order are for the engine to judge.
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
# docker(1), run: statuses that are docker's own and not the container's.
NOT_RUN = (None, 125)


def check(reference: str) -> None:
    """Refuse what cannot be the name of an image, before anything begins.

    Raises:
        LabError: it cannot.
    """
    if not REFERENCE.fullmatch(reference):
        raise LabError(f"{reference!r} is no name of an image", "name one such as kindest/node:v1.20.15")


def ensure(reference: str) -> str:
    """Return the name of a copy of an image that carries the lab's label, which shares its layers.

    By that label `shimlab down` knows the nodes for the lab's own, and `shimlab down --all` the image.

    Raises:
        LabError: the image is not in the engine and no registry gives it.
    """
    with step(f"Node image {reference}") as current:
        if not image.exists(reference):
            process.stream(
                ["docker", "pull", reference],
                paths.log_dir() / "pull.log",
                on_line=current.note,
                env=engine.current().environment,
                timeout=PULL_SECONDS,
                remedy="give the engine a way to that registry, or `docker load` the image",
            )
        _refuse_other(reference)
        made_from = engine.docker("image", "inspect", "--format", "{{.Id}}", reference).strip()
        tag = f"shimlab/node:given-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"
        if not image.exists(tag):
            labels = (f"{image.MADE_BY}=node", f"{image.MADE_BY}.given={reference}")
            engine.docker(
                *["build", *[word for label in labels for word in ("--label", label)], "--tag", tag, "-"],
                input=f"FROM {reference}\n",
                timeout=120,
            )
    return tag


def _refuse_other(reference: str) -> None:
    """Refuse an image that is none of a node, before there is a copy of it: kind reads this file of each.

    Raises:
        LabError: it has no such file, or cannot be looked into.
    """
    # One that is broken off is found by its label.
    labels = ["--label", f"{image.MADE_BY}=build", "--label", f"{image.OF_LAB}={paths.name()}"]
    try:
        told = engine.docker(
            *["run", "--rm", "--network", "none", *labels, "--entrypoint", "cat", reference, "/kind/version"]
        )
    except process.FailedError as error:
        if error.status in NOT_RUN:
            raise
        told = ""
    if not told.strip():
        raise LabError(
            f"{reference} is no node image: it has no /kind/version", "name an image that kind can boot"
        )
