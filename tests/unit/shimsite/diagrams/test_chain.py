"""A record of a call chain: read strictly, and drawn only if everything in it has its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.diagrams import FILE, OUT_OF_TREE, chains, changed, drawn, out_of_tree

from shimsite import build
from shimsite.diagrams import chain as record
from shimsite.diagrams.chain import RecordError


def test_the_record_in_the_repository_is_read() -> None:
    found = record.load(build.ROOT, "call-chain")
    assert list(found) == ["dockershim", "containerd"]
    assert found["dockershim"].programs == ("kubelet", "dockerd", "containerd", "containerd-shim")
    assert found["dockershim"].inside == "dockershim"
    assert found["containerd"].programs == ("kubelet", "containerd", "containerd-shim")
    assert found["containerd"].inside == ""
    assert [process.of for process in found["containerd"].pod] == ["sandbox", "container"]


def renamed(data: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Give a chain in which one program has another name wherever it stands."""
    return json.loads(json.dumps(data).replace(old, new))  # type: ignore[no-any-return]


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a key is missing": (lambda d: d["dockershim"].pop("cri"), "dockershim.cri: is missing"),
    "a key is unknown": (lambda d: d["dockershim"].update(pods=1), "dockershim.pods: is unknown"),
    "a key has another name": (
        lambda d: d["containerd"]["sockets"][1].update(path2=d["containerd"]["sockets"][1].pop("path")),
        "containerd.sockets.1.path: is missing",
    ),
    "a number is text": (lambda d: d["containerd"].update(shims="1"), "containerd.shims: is a number"),
    "a number is a truth": (lambda d: d["containerd"].update(shims=True), "containerd.shims: is a number"),
    "a text is a list": (lambda d: d["containerd"].update(node=["x"]), "containerd.node: is a text"),
    "a text is empty": (lambda d: d["containerd"].update(kubelet=""), "containerd.kubelet: is a text"),
    "a list is a text": (lambda d: d["containerd"].update(steps="x"), "containerd.steps: is a list"),
    "a list is empty": (lambda d: d["containerd"].update(processes=[]), "containerd.processes: is a list"),
    "a step lacks its name": (
        lambda d: d["dockershim"]["steps"][3].pop("name"),
        "dockershim.steps.3.name: is miss",
    ),
    "a step is about something else": (
        lambda d: d["dockershim"]["steps"][3].update(of="node"),
        "dockershim.steps.3.of: is no pod, sandbox or container: 'node'",
    ),
    "a parent is a number": (
        lambda d: d["dockershim"]["processes"][0].update(parents=[1]),
        "dockershim.processes.0.parents.0: is a text",
    ),
    "a parent more": (
        lambda d: d["dockershim"]["processes"][0]["parents"].insert(1, "dockerd"),
        "dockershim.processes.0.parents: are its shim, containerd-shim-runc-v2, and one above it, not",
    ),
    "parents that differ": (
        lambda d: d["dockershim"]["processes"][0]["parents"].__setitem__(1, "init"),
        "dockershim.processes: have different parents",
    ),
    "two namespaces": (
        lambda d: d["dockershim"]["processes"][0].update(namespace="other"),
        "dockershim.processes: are under shims of one name, in one namespace",
    ),
    "no sandbox": (
        lambda d: d["dockershim"]["processes"][0].update(name="sleep"),
        "dockershim.processes: are one pause and one other, not ['sleep', 'sleep']",
    ),
    "shims of which one does not know whose": (
        lambda d: d["dockershim"].update(shims=3),
        "dockershim.shims: is 3 for 2 processes",
    ),
    "a program without a socket": (
        lambda d: d["dockershim"]["sockets"].pop(1),
        "dockershim.sockets: has none at which dockerd listens",
    ),
    "a caller without a connection": (
        lambda d: d["dockershim"]["sockets"][1].update(connected="systemd"),
        "dockershim.sockets: /run/docker.sock: dockerd spoke after kubelet, which is not connected there",
    ),
    "another socket first": (
        lambda d: d["dockershim"]["sockets"].reverse(),
        "dockershim.sockets.0: is the one for kubelet, but neither it nor dockerd listens there",
    ),
    "nobody connected to the first": (
        lambda d: d["dockershim"]["sockets"][0].update(connected="crictl"),
        "dockershim.sockets.0: is not the one that kubelet, who spoke first, is connected to",
    ),
    "too few programs": (
        lambda d: d["containerd"].update(
            steps=[step for step in d["containerd"]["steps"] if step["by"] != "containerd-shim"]
        ),
        "containerd.steps: are by kubelet, containerd, too few programs",
    ),
    "nobody at the first socket": (
        lambda d: d["dockershim"]["sockets"][0].update(listens="crio"),
        "dockershim.sockets.0: is the one for kubelet, but neither it nor dockerd listens there",
    ),
    "nothing": (lambda d: d.clear(), "the top: is a mapping that is not empty"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_record_of_another_shape_is_refused(what: str) -> None:
    change, complaint = WRONG[what]
    with pytest.raises(RecordError) as refused:
        chains(changed(change))
    assert str(refused.value).startswith(f"{FILE}: {complaint}"), refused.value


def test_a_record_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"notebooks/records/x\.json: cannot be read"):
        record.load(tmp_path, "x")
    (tmp_path / record.FOLDER).mkdir(parents=True)
    (tmp_path / record.FOLDER / "x.json").write_text("{", "utf-8")
    with pytest.raises(RecordError, match="cannot be read"):
        record.load(tmp_path, "x")


UNDRAWABLE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one more daemon": (
        lambda d: d["dockershim"]["sockets"][2].update(connected="dockerd, podman, kubelet"),
        "who takes no part has a place between by itself, and there are dockerd, podman",
    ),
    "a daemon of which nobody knows what it speaks": (
        lambda d: d.update(dockershim=renamed(d["dockershim"], "dockerd", "podman")),
        "what is spoken to podman is not known",
    ),
    "a daemon that is connected past the next": (
        lambda d: d["dockershim"]["sockets"][3].update(connected="containerd, dockerd"),
        "dockershim: dockerd is connected to containerd-shim past containerd, and only kubelet has a place for that",
    ),
    "a shim that does not say what it runs": (
        lambda d: d.update(containerd=renamed(d["containerd"], "containerd-shim-runc-v2", "containerd-shim")),
        "the shim's name 'containerd-shim' does not say what it runs",
    ),
}


@pytest.mark.parametrize("what", UNDRAWABLE)
def test_what_has_no_place_is_not_drawn(what: str) -> None:
    change, complaint = UNDRAWABLE[what]
    with pytest.raises(RecordError, match=re.escape(complaint)):
        [drawn(chain) for chain in chains(changed(change)).values()]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda top, docker: docker.update(connected="kubelet"),
            f"sockets: /run/docker.sock: dockerd spoke after {OUT_OF_TREE}, which is not connected there",
        ),
        (
            lambda top, docker: top.update(listens="cri-dockerd"),
            "sockets.0: is the one for kubelet, but neither it nor dockerd listens there",
        ),
        (
            lambda top, docker: top.update(connected="crictl"),
            f"sockets: /run/{OUT_OF_TREE}.sock: {OUT_OF_TREE} spoke after kubelet, which is not connected there",
        ),
    ],
)
def test_a_runtime_that_writes_nothing_down_stands_where_its_sockets_say(
    change: Callable[[dict[str, Any], dict[str, Any]], object], complaint: str
) -> None:
    data = out_of_tree()
    change(*data[OUT_OF_TREE]["sockets"][:2])
    with pytest.raises(RecordError, match=re.escape(f"{OUT_OF_TREE}.{complaint}")):
        chains(data)
