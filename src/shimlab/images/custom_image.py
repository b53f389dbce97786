"""A node image that somebody else built, such as kindest/node: taken as it is, with our label on it."""

from __future__ import annotations

import hashlib

from shimlab import paths, process
from shimlab.errors import LabError
from shimlab.images import image
from shimlab.machine import engine
from shimlab.progress import step

PULL_SECONDS = 900


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
        made_from = engine.docker("image", "inspect", "--format", "{{.Id}}", reference).strip()
        tag = f"shimlab/node:given-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"
        if not image.exists(tag):
            engine.docker(
                *[
                    "build",
                    "--label",
                    f"{image.MADE_BY}=node",
                    "--label",
                    f"{image.MADE_BY}.given={reference}",
                ],
                *["--tag", tag, "-"],
                input=f"FROM {reference}\n",
                timeout=120,
            )
        if engine.docker("run", "--rm", "--entrypoint", "cat", tag, "/kind/version").strip() == "":
            raise LabError(f"{reference} has no /kind/version", "name an image that kind can boot")
    return tag
