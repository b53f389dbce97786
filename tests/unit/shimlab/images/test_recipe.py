"""What is built for a node image: the stages that each part takes, and the values they get."""

from __future__ import annotations

import re

import pytest

from shimlab.images import recipe, release

DOCKERFILE = """\
ARG BASE=debian
ARG SHIM=shim
FROM ${BASE} AS tools
RUN tools
FROM tools AS programs
RUN programs
FROM tools AS shim
RUN shim
FROM ${SHIM} AS ready
FROM scratch AS pause
COPY --from=programs /pause /
FROM ${BASE} AS node
COPY --from=programs /a /b
COPY --from=ready /c /d
"""


def stages(dockerfile: str) -> list[str]:
    return re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE)


@pytest.mark.parametrize(
    ("target", "needed"),
    [
        ("tools", ["tools"]),
        ("programs", ["tools", "programs"]),
        ("pause", ["tools", "programs", "pause"]),
        ("node", ["tools", "programs", "shim", "ready", "node"]),
    ],
)
def test_a_part_gets_the_stages_that_it_needs_in_their_order(target: str, needed: list[str]) -> None:
    text = recipe.cut(DOCKERFILE, target, {}, {})
    assert stages(text) == needed
    assert text.startswith("ARG BASE=debian\nARG SHIM=shim\n")


def test_an_image_in_a_stages_place_spares_what_the_stage_is_made_of() -> None:
    text = recipe.cut(DOCKERFILE, "node", {"SHIM": "made/before:1"}, {})
    assert stages(text) == ["tools", "programs", "ready", "node"]
    text = recipe.cut(DOCKERFILE, "node", {}, {"programs": "made/programs:1", "shim": "made/shim:1"})
    assert stages(text) == ["programs", "shim", "ready", "node"]
    assert "FROM made/programs:1 AS programs\nFROM made/shim:1 AS shim\nFROM ${SHIM} AS ready\n" in text


def test_a_part_that_is_built_anew_is_not_taken_from_what_it_was() -> None:
    text = recipe.cut(DOCKERFILE, "programs", {}, {"programs": "old:1", "tools": "made/tools:1"})
    assert text.endswith("FROM made/tools:1 AS tools\nFROM tools AS programs\nRUN programs\n")


def test_the_nodes_of_all_releases_take_the_same_dockershim() -> None:
    shim = recipe.dockershim()
    assert shim.labels == ((recipe.MADE_BY, "dockershim"),)
    for minor in ("1.20", "1.24"):
        node = recipe.node(release.load(minor))
        assert f"FROM {shim.reference} AS dockershim\n" in node.dockerfile
    assert dict(shim.arguments)["GO"] == "1.15"
    assert stages(shim.dockerfile) == ["toolchain", "dockershim-build", "dockershim"]


@pytest.mark.parametrize("minor", release.known())
def test_nothing_is_compiled_but_in_the_parts_that_compile(minor: str) -> None:
    wanted = release.load(minor)
    for part in (recipe.node(wanted, "the/node:beneath"), *recipe.images(wanted).values()):
        for name in recipe.PROGRAMS:
            assert f" AS {name}\nLABEL" not in part.dockerfile


def test_a_kubelet_is_compiled_and_put_on_the_node_that_it_lies_on() -> None:
    kubelet = release.load("1.23")
    assert [part.target for part in recipe.programs(kubelet)] == ["kubernetes"]
    node = recipe.node(kubelet, "the/node:beneath")
    assert node.target == "node-kubelet"
    assert dict(node.arguments)["ON"] == "the/node:beneath"
    assert stages(node.dockerfile) == ["kubernetes", "node-kubelet"]


@pytest.mark.parametrize("minor", ["1.20", "1.24"])
def test_every_image_of_a_store_is_a_part_with_a_name_of_its_own(minor: str) -> None:
    wanted = release.load(minor)
    parts = recipe.images(wanted)
    assert list(parts) == [image.reference for image in wanted.images]
    assert len({part.reference for part in parts.values()}) == len(parts)
    for image in wanted.images:
        assert dict(parts[image.reference].arguments)["TAG"] == image.tag
