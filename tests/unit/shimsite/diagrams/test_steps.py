"""The steps of a record and their words: each has some, in both languages, and says who turns to whom as recorded."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.diagrams import OUT_OF_TREE, out_of_tree

from shimfacts.schema import FactError
from shimsite import build
from shimsite.diagrams import chain as record
from shimsite.diagrams import directives, geometry, layout, steps
from shimsite.diagrams.chain import Chain
from shimsite.diagrams.steps import Words

FILE = "notebooks/records/call-chain.json"
KEPT: dict[str, Any] = json.loads((build.ROOT / FILE).read_text("utf-8"))
WRITTEN: dict[str, Any] = yaml.safe_load((build.ROOT / "facts" / steps.PATH).read_text("utf-8"))
LINK = "labs/02-call-chain.ipynb#cell-x"
Change = Callable[[Any], object]


def chains(change: Change = lambda data: None) -> dict[str, Chain]:
    data = copy.deepcopy(KEPT)
    change(data)
    return record.read(data, FILE)


def load(folder: Path, change: Change = lambda data: None) -> Words:
    """Write the words after a change, and read them."""
    data = copy.deepcopy(WRITTEN)
    change(data["call-chain"])
    (folder / "tables").mkdir()
    (folder / steps.PATH).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return steps.load(folder)["call-chain"]


def said(data: Any, by: str, call: str) -> Any:
    return next(each for each in data["words"] if (each["by"], each["call"]) == (by, call))


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert steps.load(tmp_path) == {}
    assert directives.load(tmp_path, pytest.fail).fill("a\n", "en", str, pytest.fail) == "a\n"


def test_every_step_of_the_record_has_words_and_no_words_are_idle() -> None:
    words = steps.load(build.ROOT / "facts")["call-chain"]
    assert list(steps.problems(words, chains())) == []


PROBLEMS: dict[str, tuple[Change, Change, str]] = {
    "a step without words": (
        lambda words: words["words"].pop(0),
        lambda record: None,
        "no words for the step 'RunPodSandbox' by kubelet on dockershim",
    ),
    "a call that is new": (
        lambda words: None,
        lambda record: record["containerd"]["steps"][2].update(call="/containers/update"),
        "no words for the step '/containers/update' by containerd on containerd",
    ),
    "words without a step": (
        lambda words: said(words, "containerd", "StartContainer").update(call="StopContainer"),
        lambda record: None,
        "containerd StopContainer: no step of the record is that one",
    ),
    "a route that is not recorded": (
        lambda words: said(words, "dockerd", "POST /containers/create").update(
            route=["containerd", "dockerd"]
        ),
        lambda record: None,
        "dockerd POST /containers/create: on dockershim, containerd is not connected to a socket of dockerd",
    ),
    "a program that there is not": (
        lambda words: said(words, "containerd", "/containers/create")["route"].update(containerd=["crio"]),
        lambda record: None,
        "containerd /containers/create: on containerd, crio are not all among kubelet, containerd, containerd-shim",
    ),
    "no route": (
        lambda words: said(words, "kubelet", "RunPodSandbox")["route"].pop("containerd"),
        lambda record: None,
        "kubelet RunPodSandbox: has no route for containerd",
    ),
    "a proof for one of two": (
        lambda words: words["proof"].pop("containerd"),
        lambda record: None,
        "proof is for dockershim; the record holds dockershim, containerd",
    ),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_what_does_not_fit_the_record_is_told(tmp_path: Path, what: str) -> None:
    words, kept, complaint = PROBLEMS[what]
    found = list(steps.problems(load(tmp_path, words), chains(kept)))
    assert f"call-chain: {complaint}" in found


REFUSED: dict[str, tuple[Change, str]] = {
    "no Chinese": (
        lambda words: words["words"][0].pop("zh"),
        "call-chain: lacks `words.0.zh`; it has by, call, en, lights, route, starts, zh",
    ),
    "empty Chinese": (
        lambda words: words["words"][0].update(zh=" "),
        "call-chain: `words.0.zh` is empty",
    ),
    "two lines": (
        lambda words: words["words"][0].update(en="a\nb"),
        "call-chain: `words.0.en` is one line",
    ),
    "a key more": (
        lambda words: words["words"][0].update(fr="x"),
        "call-chain: unknown key 'words.0.fr'; there are by, call",
    ),
    "said twice": (
        lambda words: words["words"].append(words["words"][0]),
        "call-chain: says something of the same step twice",
    ),
    "a route of three": (
        lambda words: words["words"][0].update(route=["a", "b", "c"]),
        "`words.0.route` is a list of one or two names, or such a list for each runtime, not ['a', 'b', 'c']",
    ),
    "a light that there is not": (
        lambda words: words["words"][0].update(lights=["kernel"]),
        "unknown words.0.lights.0 'kernel'; there are runc, process",
    ),
    "starts is a word": (
        lambda words: words["words"][0].update(starts="yes"),
        "unknown words.0.starts 'yes'; there are True",
    ),
    "a proof without a cell": (
        lambda words: words["proof"].update(containerd="02-call-chain.ipynb"),
        "call-chain: `proof.containerd` ",
    ),
    "no mapping": (
        lambda words: words["words"].insert(0, "x"),
        "call-chain: `words.0` is a mapping with by, call, en, lights, route, starts, zh, not 'x'",
    ),
    "no list": (
        lambda words: words.update(words={}),
        "call-chain: `words` is a list of what is said of each step",
    ),
    "no proof": (lambda words: words.pop("proof"), "call-chain: lacks `proof`; it has proof, words"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(tmp_path: Path, what: str) -> None:
    change, complaint = REFUSED[what]
    with pytest.raises(FactError, match=re.escape(complaint)):
        load(tmp_path, change)


def listed(runtime: str, lang: str = "en") -> list[str]:
    """List the items of the steps as they are written."""
    words = steps.load(build.ROOT / "facts")["call-chain"]
    return steps.listing(words, chains()[runtime], lang, LINK).split("<li ")[1:]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("runtime", list(KEPT))
def test_each_step_shows_the_line_that_was_recorded(runtime: str, lang: str) -> None:
    items = listed(runtime, lang)
    for number, (item, step) in enumerate(zip(items, KEPT[runtime]["steps"], strict=True), 1):
        assert item.startswith(f'id="step-{runtime}-{number}" class="step"')
        assert re.findall(r"<dd><code>(.*?)</code></dd>", item) == [value for value in step.values() if value]
        assert f"]({LINK})" in item
        assert f"`{step['call']}`" in item


def test_steps_say_who_turns_to_whom() -> None:
    docker, containerd = listed("dockershim"), listed("containerd")
    assert "**kubelet** calls **dockershim** at `/var/run/dockershim.sock`" in docker[0]
    assert "**dockershim** calls **dockerd** at `/run/docker.sock`" in docker[1]
    assert "**dockerd** calls **containerd** at `/run/containerd/containerd.sock`" in docker[3]
    assert "**containerd** starts **containerd-shim**" in docker[4]
    assert "**containerd** calls **containerd-shim** at `/run/containerd/s/…`" in docker[5]
    assert "**kubelet** calls **containerd** at `/run/containerd/containerd.sock`" in containerd[0]
    assert "**containerd**, by itself" in containerd[2]
    assert "during `RunPodSandbox`" in docker[5]
    assert "during" not in docker[0]


def test_steps_say_what_they_are_about() -> None:
    assert "the program of the sandbox" in listed("dockershim")[6]
    assert "the program of the container" in listed("dockershim")[14]
    assert "这个沙箱" in listed("dockershim", "zh")[2]
    assert "这个容器" in listed("dockershim", "zh")[10]


@pytest.mark.parametrize("runtime", list(KEPT))
def test_what_a_step_lights_up_is_in_the_map(runtime: str) -> None:
    words, chain = steps.load(build.ROOT / "facts")["call-chain"], chains()[runtime]
    (picture,) = layout.draw([chain], "en", [("t", "d")], geometry.SMALL)
    there = {part.name for part in picture.parts}
    for step in chain.steps:
        found = words.of(step)
        assert found
        lit = steps.parts(step, found, chain).split()
        assert lit
        assert set(lit) <= there, (step, lit)


def test_a_step_lights_up_what_it_is_about() -> None:
    words = steps.load(build.ROOT / "facts")["call-chain"]

    def lit(runtime: str, number: int) -> list[str]:
        chain = chains()[runtime]
        found = words.of(chain.steps[number - 1])
        assert found
        return steps.parts(chain.steps[number - 1], found, chain).split()

    assert lit("dockershim", 1) == ["kubelet", "dockershim", "kubelet>dockershim"]
    assert lit("dockershim", 5) == ["shim-sandbox"]
    assert lit("dockershim", 14) == [
        "containerd",
        "shim-container",
        "containerd>shim-container",
        "gone-container",
    ]
    assert lit("containerd", 13) == [
        *("containerd", "shim-pod", "containerd>shim-pod"),
        *("gone-container", "process-container", "shim-pod/container"),
    ]


def test_steps_with_dockershim_out_of_the_tree_go_by_way_of_it(tmp_path: Path) -> None:
    """The words need no more than a route for it: the sockets and the parts of the map are found."""

    def routed(words: Any) -> None:
        words["proof"] = {OUT_OF_TREE: words["proof"]["dockershim"]}
        words["words"] = [
            each for each in words["words"] if not each["call"].endswith(("PodSandbox", "Container"))
        ]
        for call in ("RunPodSandbox", "CreateContainer", "StartContainer"):
            words["words"].append(
                {**WRITTEN["call-chain"]["words"][0], "call": call, "route": ["kubelet", OUT_OF_TREE]}
            )
        for each in words["words"]:
            if each["by"] == "dockerd":
                each["route"] = [OUT_OF_TREE, "dockerd"]
            elif each["call"] == "/containers/create":
                each["route"] = ["dockerd", "containerd"]

    words = load(tmp_path, routed)
    found = record.read(out_of_tree(), FILE)
    assert list(steps.problems(words, found)) == []
    chain = found[OUT_OF_TREE]
    items = steps.listing(words, chain, "en", LINK).split("<li ")[1:]
    assert len(items) == len(chain.steps)
    assert f"**kubelet** calls **{OUT_OF_TREE}** at `/run/{OUT_OF_TREE}.sock`" in items[0]
    assert f"**{OUT_OF_TREE}** calls **dockerd** at `/run/docker.sock`" in items[1]
    (picture,) = layout.draw([chain], "en", [("t", "d")], geometry.SMALL)
    there = {part.name for part in picture.parts}
    lit = [set(steps.parts(step, said, chain).split()) for step in chain.steps if (said := words.of(step))]
    assert lit[0] == {"kubelet", OUT_OF_TREE, f"kubelet>{OUT_OF_TREE}"}
    assert set().union(*lit) <= there
