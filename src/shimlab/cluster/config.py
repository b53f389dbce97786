"""The labs that can be brought up: each a kind configuration in lab/clusters, whose nodes name their release."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shimlab import paths
from shimlab.errors import LabError

DEFAULT = "deprecated"
# The lab for a node image that somebody else built: nothing in it needs more than containerd.
FOR_GIVEN = "containerd"
GIVEN = "given"
# What a configuration writes as a node's image; the part after it is the release, or GIVEN.
PLACEHOLDER = "shimlab/node:"


@dataclass(frozen=True)
class Lab:
    """One lab: its name and its kind configuration, as lab/clusters has it."""

    name: str
    configuration: Mapping[str, Any]

    @property
    def releases(self) -> tuple[str, ...]:
        """Return the minor releases that its nodes run, the control plane's first, each once."""
        return tuple(dict.fromkeys(_release(node) for node in self.configuration["nodes"]))

    @property
    def pod_network(self) -> str:
        """Return the range of the pods' addresses."""
        return str(self.configuration["networking"]["podSubnet"])

    def runtimes(self, cluster: str) -> dict[str, str]:
        """Return the runtime that each node is made with, by the name that kind gives it in a cluster."""
        found: dict[str, str] = {}
        counts: dict[str, int] = {}
        for node in self.configuration["nodes"]:
            role = node["role"]
            counts[role] = counts.get(role, 0) + 1
            number = str(counts[role]) if counts[role] > 1 else ""
            found[f"{cluster}-{role}{number}"] = node["labels"]["shimlab/runtime"]
        return found

    def for_kind(self, images: Mapping[str, str]) -> str:
        """Return the configuration with the image that stands for each release in its nodes' place, as YAML.

        Raises:
            LabError: an image is missing.
        """
        nodes = []
        for node in self.configuration["nodes"]:
            if _release(node) not in images:
                raise LabError(f"there is no image for {node['image']}", "`shimlab up` builds it")
            nodes.append({**node, "image": images[_release(node)]})
        return yaml.safe_dump({**self.configuration, "nodes": nodes}, sort_keys=False)


def names() -> list[str]:
    """Return the names of the labs that are built from releases, the default first."""
    found = sorted(path.stem for path in _folder().glob("*.yaml") if path.stem != FOR_GIVEN)
    return sorted(found, key=lambda name: name != DEFAULT)


def load(name: str = DEFAULT) -> Lab:
    """Read a lab from its file.

    Raises:
        LabError: there is no such lab, or its file is not a kind configuration whose nodes name their release.
    """
    file = _folder() / f"{name}.yaml"
    if name not in (*names(), FOR_GIVEN):
        raise LabError(f"there is no lab {name}", f"choose one of: {', '.join(names())}")
    try:
        lab = Lab(name, yaml.safe_load(file.read_text(encoding="utf-8")))
        _ = lab.runtimes(""), lab.releases, lab.pod_network
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise LabError(
            f"{file} is not the configuration of a lab ({type(error).__name__}: {error})",
            "see lab/clusters/deprecated.yaml for one",
        ) from error
    return lab


def built(name: str) -> Lab:
    """Read a lab that is made of releases, which the one for somebody else's image is not.

    Raises:
        LabError: it is that one, or as :func:`load` does.
    """
    if name == FOR_GIVEN:
        raise LabError(
            f"the lab {FOR_GIVEN} is made of somebody else's node image",
            f"`shimlab up --image kindest/node:…`, or choose one of: {', '.join(names())}",
        )
    return load(name)


def recipe(lab: Lab, configuration: str) -> str:
    """Return one line that says what a cluster is made from: the lab, and the hash of kind's configuration."""
    return f"{lab.name} {hashlib.sha256(configuration.encode()).hexdigest()}\n"


def _release(node: Mapping[str, Any]) -> str:
    image = str(node["image"])
    if not image.startswith(PLACEHOLDER):
        raise KeyError(f"image: {PLACEHOLDER}<release>")
    return image.removeprefix(PLACEHOLDER)


def _folder() -> Path:
    return paths.repository() / "lab" / "clusters"
