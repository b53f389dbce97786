"""What is built for a node image: the stages that each part takes, and the values they get."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from shimlab import paths
from shimlab.images import recipe, release
from shimlab.images.recipe import Part

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


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the lab's files that a test may change."""
    shutil.copytree(paths.repository() / "lab", tmp_path / "lab")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path


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


def part(minor: str, target: str) -> Part:
    return next(each for each in recipe.programs(release.load(minor)) if each.target == target)


def names() -> dict[str, str]:
    """The name of every part of every release, by release and stage."""
    return {
        f"{minor} {each.target}": each.reference
        for minor in release.known()
        for each in recipe.programs(release.load(minor))
    }


def test_the_nodes_of_all_releases_take_the_same_dockershim() -> None:
    shim = part("1.20", "dockershim")
    assert shim == part("1.24", "dockershim")
    for minor in ("1.20", "1.24"):
        node = recipe.node(release.load(minor))
        assert f"FROM {shim.reference} AS dockershim\n" in node.dockerfile
    assert dict(shim.arguments)["GO"] == "1.15"
    assert stages(shim.dockerfile) == ["go-std", "dockershim-modules", "dockershim-build", "dockershim"]


SHIMS = {"1.20 dockershim", "1.24 dockershim"}
OF_1_20 = {"1.20 kubernetes", "1.20 coredns-program", *SHIMS}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        # A node's own scripts, and what puts a node together, compile nothing again.
        ("lab/node/root/usr/local/lib/shimlab/pod-network", set()),
        ("lab/node/root/usr/local/lib/shimlab/kubelet-cgroups", set()),
        ("lab/node/build/node-finish", set()),
        ("lab/node/build/use-kubelet", set()),
        ("lab/node/kubernetes/1.20/go.sum", {"1.20 kubernetes"}),
        ("lab/node/kubernetes/1.20/go.mod", {"1.20 kubernetes"}),
        ("lab/node/kubernetes/1.23/go.sum", {"1.23 kubernetes"}),
        ("lab/node/kubernetes/1.20/images", {"1.20 roots"}),
        ("lab/node/coredns/1.7.0/go.sum", {"1.20 coredns-program"}),
        ("lab/dockershim/main.go", SHIMS),
        ("lab/dockershim/go.sum", SHIMS),
        ("lab/node/build/kubernetes", {f"{minor} kubernetes" for minor in release.known()}),
        ("lab/node/build/dockershim", SHIMS),
        ("lab/node/build/node-root", {"1.20 node-root", "1.24 node-root"}),
        ("lab/node/build/root-functions", {"1.20 roots", "1.24 roots"}),
        ("lab/node/pause/pause.c", {"1.20 roots", "1.24 roots"}),
    ],
)
def test_a_file_decides_the_parts_that_take_it_and_no_others(
    checkout: Path, file: str, changed: set[str]
) -> None:
    before, tag = names(), release.load("1.24" if "1.23" in file else "1.20").tag
    with (checkout / file).open("a") as opened:
        opened.write("# changed\n")
    after = names()
    assert {name for name in before if after[name] != before[name]} == changed
    if "1.23" not in file:
        # Whatever it is, the node image of that content was never built.
        assert release.load("1.20").tag != tag


def test_the_mode_of_a_script_and_the_go_of_a_release_decide_as_well(checkout: Path) -> None:
    before = names()
    (checkout / "lab/node/build/coredns").chmod(0o644)
    after = names()
    assert {name for name in before if after[name] != before[name]} == {
        "1.20 coredns-program",
        "1.24 coredns-program",
    }
    said = checkout / "lab/node/kubernetes/1.20/release"
    said.write_text(said.read_text().replace("GO=1.15", "GO=1.16"))
    last = names()
    # dockershim names its own Go.
    assert {name for name in after if last[name] != after[name]} == OF_1_20 - SHIMS


def test_a_stage_decides_the_parts_that_it_belongs_to_and_a_remark_none(checkout: Path) -> None:
    dockerfile, said = checkout / "lab/node/Dockerfile", checkout / "lab/node/kubernetes/1.20/release"
    text, before = dockerfile.read_text(), names()
    dockerfile.write_text(f"# A remark.\n{text}\n# Another.\n")
    said.write_text(f"# A remark.\n{said.read_text()}")
    (checkout / "lab/dockershim/README.md").write_text("prose\n")
    assert names() == before
    dockerfile.write_text(text.replace("RUN /build/kubernetes\n", "RUN /build/kubernetes --fast\n"))
    after = names()
    assert {name for name in before if after[name] != before[name]} == {
        f"{minor} kubernetes" for minor in release.known()
    }
    dockerfile.write_text(text.replace("RUN /build/go-std\n", "RUN /build/go-std --fast\n"))
    assert not set(names().values()) & {
        name for each, name in before.items() if each.split()[1] not in ("roots", "node-root")
    }


def test_where_modules_come_from_decides_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    before = names()
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    assert dict(part("1.20", "kubernetes").arguments)["GOPROXY"] == "https://proxy.example"
    assert names() == before


def test_a_part_that_stays_is_found_by_its_label_and_names_its_content() -> None:
    for minor in release.known():
        for each in recipe.programs(release.load(minor)):
            assert each.labels == ((recipe.MADE_BY, "part"),)
            assert re.fullmatch(rf"shimlab/part-{each.target}:({minor}-)?[0-9a-f]{{12}}", each.reference)
            assert recipe.kind_of(each.reference) == each.reference[:-12]
            assert each.is_current


def test_what_is_fetched_is_a_part_apart_from_what_compiles_it() -> None:
    wanted = recipe.programs(release.load("1.20"))
    parts = recipe.with_what_they_start_from(wanted)
    place = {each.reference: number for number, each in enumerate(parts)}
    assert len(place) == len(parts)
    assert set(wanted) <= set(parts)
    for each in parts:
        # All that it needs is there, and stands before it.
        assert all(place[need] < place[each.reference] for need in each.needs)
    assert {each.target for each in parts if each.compiles} == {
        "go-std",
        "kubernetes",
        "dockershim",
        "coredns-program",
    }
    for each in parts:
        fetches = "-modules\n" in each.dockerfile and each.target.endswith("-modules")
        assert not (fetches and each.compiles)
        assert ("RUN /build/kubernetes-modules" in each.dockerfile) == (each.target == "kubernetes-modules")


@pytest.mark.parametrize("minor", release.known())
def test_nothing_is_compiled_but_in_the_parts_that_compile(minor: str) -> None:
    wanted = release.load(minor)
    for part in (recipe.node(wanted, "the/node:beneath"), *recipe.images(wanted).values()):
        for name in recipe.PROGRAMS:
            assert f" AS {name}\nLABEL" not in part.dockerfile
        assert part.needs <= {each.reference for each in recipe.programs(wanted)}


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
