"""Diagrams: a picture that holds all of a record and nothing else, and the same in sentences; the marks on a page."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.support.diagrams import (
    KEPT,
    LANGUAGES,
    OUT_OF_TREE,
    chains,
    changed,
    drawn,
    out_of_tree,
    recorded,
    values,
)

from shimsite import build
from shimsite.diagrams import alt_text, directives, geometry, layout, steps
from shimsite.diagrams.chain import Chain, RecordError
from shimsite.diagrams.shapes import LOOKS, Picture, Text
from shimsite.diagrams.words import CAPTIONS

#: The record in the repository, and the one of a node on which dockershim is a program of its own.
ALL = {**KEPT, **out_of_tree()}

# ---- The picture ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("runtime", ALL)
def test_the_picture_holds_the_record_and_nothing_else(runtime: str, lang: str) -> None:
    chain = chains(ALL)[runtime]
    picture = drawn(chain, lang)
    # runc is in the name of the shim.
    assert set(recorded(picture)) == values(chain) | {"runc"}
    captions = {word for text in CAPTIONS[lang].values() for word in text.split("{}")} | {" · "}
    said = {piece for text in picture.texts() for piece, is_recorded in text.pieces if not is_recorded}
    assert said <= captions


@pytest.mark.parametrize("lang", LANGUAGES)
def test_captions_name_nothing_that_a_record_should(lang: str) -> None:
    names = {name for chain in chains().values() for name in values(chain)} - {"containerd", "1", "2", "v1"}
    for caption in CAPTIONS[lang].values():
        assert not [name for name in names if name in caption], caption


def test_shims_and_processes_are_as_many_as_recorded() -> None:
    for runtime, shims in {"dockershim": 2, "containerd": 1}.items():
        names = [part.name for part in drawn(chains()[runtime]).parts]
        assert sum(name.startswith("shim-") and "/" not in name for name in names) == shims
        assert sum(name.startswith("process-") for name in names) == 2
        assert sum(name.startswith("systemd/shim-") for name in names) == shims


def test_lines_are_those_of_the_record() -> None:
    def lines(runtime: str, mark: str) -> set[str]:
        return {part.name for part in drawn(chains()[runtime]).parts if mark in part.name and part.shapes}

    assert lines("dockershim", ">") == {
        "kubelet>dockershim",
        "dockershim>dockerd",
        "dockerd>containerd",
        "containerd>shim-sandbox",
        "containerd>shim-container",
    }
    assert lines("containerd", ">") == {"kubelet>containerd", "containerd>shim-pod"}
    assert lines("dockershim", "/") == {
        *("systemd/shim-sandbox", "systemd/shim-container"),
        *("shim-sandbox/sandbox", "shim-container/container"),
    }
    assert lines("containerd", "/") == {"systemd/shim-pod", "shim-pod/sandbox", "shim-pod/container"}
    assert "kubelet-containerd" in lines("dockershim", "-containerd")
    assert "dockerd-containerd" in lines("containerd", "-containerd")


@pytest.mark.parametrize("spoken", [False, True])
def test_dockershim_out_of_the_tree_is_a_box_of_its_own_between_the_kubelet_and_dockerd(spoken: bool) -> None:
    chain = chains(out_of_tree(spoken=spoken))[OUT_OF_TREE]
    assert chain.programs == ("kubelet", OUT_OF_TREE, "dockerd", "containerd", "containerd-shim")
    assert chain.inside == ""
    picture = drawn(chain)
    names = [part.name for part in picture.parts if part.shapes]
    assert [name for name in names if ">" in name] == [
        f"kubelet>{OUT_OF_TREE}",
        f"{OUT_OF_TREE}>dockerd",
        "dockerd>containerd",
        "containerd>shim-sandbox",
        "containerd>shim-container",
    ]
    assert [name for name in names if name.endswith("-containerd")] == ["kubelet-containerd"]
    heights = {name: text.y for name in chain.programs[:4] for text in picture.texts() if text.words == name}
    assert list(heights) == sorted(heights, key=lambda name: heights[name]) == list(chain.programs[:4])
    called = [text.words for text in picture.texts() if text.words in CAPTIONS["en"].values()]
    assert [word for word in called if word in ("CRI, gRPC", "Docker API, HTTP", "ttrpc")] == [
        *("CRI, gRPC", "Docker API, HTTP", "ttrpc", "ttrpc"),
    ]


def test_a_connection_past_two_programs_is_drawn_to_the_one_that_it_leads_to() -> None:
    data = out_of_tree()
    data[OUT_OF_TREE]["sockets"][1].update(connected="dockershim-out-, kubelet")
    picture = drawn(chains(data)[OUT_OF_TREE])
    names = [part.name for part in picture.parts if part.look == "aside"]
    assert names == ["kubelet-dockerd", "kubelet-containerd"]
    overlaps(picture)


def test_a_connection_that_is_not_recorded_is_not_drawn() -> None:
    data = changed(lambda d: d["dockershim"]["sockets"][2].update(connected="dockerd"))
    assert "kubelet-containerd" not in [part.name for part in drawn(chains(data)["dockershim"]).parts]
    data = changed(lambda d: d["containerd"]["sockets"][0].update(connected="kubelet"))
    picture = drawn(chains(data)["containerd"])
    assert not [part.name for part in picture.parts if "dockerd" in part.name]
    assert "dockerd" not in picture.svg("x")


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Walk over all values of a record but those of steps, each with the way to it."""
    if isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            if key != "steps":
                yield from leaves(data[key], (*path, key))
    else:
        yield path, data


@pytest.mark.parametrize(
    "path", [path for path, value in leaves(KEPT["dockershim"]) if isinstance(value, str)]
)
def test_another_record_is_another_picture(path: tuple[Any, ...]) -> None:
    """Every value of the record is in the picture, or is checked against the others: none is passed over."""
    data = copy.deepcopy(KEPT)
    place: Any = data["dockershim"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = place[path[-1]].replace("dockerd", "docker2") + "x"
    before = drawn(chains()["dockershim"])
    try:
        after = drawn(chains(data)["dockershim"])
    except RecordError:
        return
    assert after.svg("x") != before.svg("x")
    assert after.description != before.description


def test_another_number_of_shims_is_another_picture() -> None:
    data = changed(lambda d: d["dockershim"].update(shims=1))
    assert [
        part.name for part in drawn(chains(data)["dockershim"]).parts if part.name.startswith("shim-")
    ] == [
        "shim-pod/sandbox",
        "shim-pod/container",
        "shim-pod",
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("runtime", ALL)
def test_the_description_says_what_the_picture_shows(runtime: str, lang: str) -> None:
    chain = chains(ALL)[runtime]
    picture = drawn(chain, lang)
    for name in recorded(picture):
        assert name in picture.description, name
    # A process 1 there is in either.
    everything = {value for each in chains(ALL).values() for value in values(each)} - {"1"}
    shown = set(recorded(picture))
    for name in everything - shown:
        # `v1` is in `v1alpha2`, and `containerd://…` is not in `containerd`: whole words count.
        assert not re.search(rf"(?<![\w/.:-]){re.escape(name)}(?![\w/:-]|\.\w)", picture.description), name
    assert idle(chain, lang) == (["dockerd"] if runtime == "containerd" else [])


def idle(chain: Chain, lang: str) -> list[str]:
    """List of whom the sentences say that they have no part in it."""
    before, after = alt_text.SENTENCES[lang]["idle"].split("{others}")
    found = [
        each for each in alt_text.sentences(chain, lang) if each.startswith(before) and each.endswith(after)
    ]
    return [name for each in found for name in each[len(before) : -len(after)].split(alt_text.AND[lang])]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nobody_who_takes_part_is_said_to_have_none(lang: str) -> None:
    """A program may be connected past the one that it calls: that is no call, and it takes part all the same."""
    past = changed(lambda d: d["containerd"]["sockets"][1].update(connected="containerd, dockerd"))
    assert idle(chains(past)["containerd"], lang) == ["dockerd", "dockerd"]
    assert "kubelet" in chains()["dockershim"].sockets[2].connected
    assert idle(chains()["dockershim"], lang) == []
    data = out_of_tree()
    data[OUT_OF_TREE]["sockets"][1].update(connected="dockershim-out-, kubelet")
    assert idle(chains(data)[OUT_OF_TREE], lang) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize("rows", [geometry.FULL, geometry.SMALL], ids=["full", "small"])
def test_no_text_leaves_the_picture_or_lies_on_another(runtime: str, lang: str, rows: geometry.Rows) -> None:
    overlaps(drawn(chains(ALL)[runtime], lang, rows))


def overlaps(picture: Picture) -> None:
    """Fail where a text leaves the picture or lies on another."""
    boxes = [(text, extent(text)) for text in picture.texts()]
    for text, (left, right, top, bottom) in boxes:
        assert left >= 0, text
        assert right <= picture.width, text
        assert top >= 0, text
        assert bottom <= picture.height, text
    for (one, a), (other, b) in combinations(boxes, 2):
        apart = a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
        assert apart, f"{one.words!r} lies on {other.words!r}"


def extent(text: Text) -> tuple[float, float, float, float]:
    size = LOOKS[text.look][0]
    left = text.x - (text.width if text.anchor == "end" else 0)
    return left, left + text.width, text.y - size * 0.8, text.y + size * 0.2


def test_chains_of_a_figure_share_their_rows() -> None:
    told = [("t", "d")] * 2
    pair = layout.draw(list(chains().values()), "en", told)
    assert len({picture.height for picture in pair}) == 1
    assert drawn(chains()["containerd"]).height < pair[1].height


def test_what_is_the_same_in_chains_of_a_figure_stands_at_the_same_height() -> None:
    three = [chains(ALL)[runtime] for runtime in ALL]
    pictures = layout.draw(three, "en", [("t", "d")] * 3)
    assert len({picture.height for picture in pictures}) == 1
    for name in ("kubelet", "dockerd", "containerd", "pause"):
        found = [text.y for picture in pictures for text in picture.texts() if text.words == name]
        assert (len(found), len(set(found))) == (3, 1), name


def test_a_picture_is_well_formed_named_and_refers_to_nothing() -> None:
    svg = drawn(chains()["dockershim"], "zh").svg("one")
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == ("one-title", "one-desc")
    assert [child.get("id") for child in root if child.tag in ("title", "desc")] == ["one-title", "one-desc"]
    assert re.findall(r'\bid="([^"]+)"', svg) == ["one-title", "one-desc"]
    assert not re.search(r"href|url\(|<style|<script|<image", svg)


# ---- The marks --------------------------------------------------------------------------------------


def fill(markdown: str, lang: str = "en") -> tuple[str, list[str]]:
    warnings: list[str] = []
    found = directives.load(build.ROOT, warnings.append)
    return found.fill(markdown, lang, lambda part: f"labs/{part}", warnings.append), warnings


def test_marks_are_filled_where_they_stand() -> None:
    text, warnings = fill("a\n\n<!-- diagram: call-chain dockershim containerd -->\n\nb\n")
    assert warnings == []
    assert text.startswith('a\n\n<figure class="chains chains--2"')
    assert text.endswith("</figure>\n\nb\n")
    assert text.count("<svg") == 2
    assert "\n\n<svg" not in text


def test_marks_in_a_fence_stay() -> None:
    text = "```markdown\n<!-- diagram: call-chain dockershim -->\n```\n"
    assert fill(text) == (text, [])


def test_two_pictures_of_one_page_have_different_ids() -> None:
    mark = "<!-- diagram: call-chain dockershim -->\n\n"
    text, _ = fill(mark * 2 + "<!-- steps: call-chain dockershim -->\n")
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) == 3 * 2 + len(KEPT["dockershim"]["steps"])


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        (
            "<!-- diagram: call-chian dockershim -->",
            "<!-- diagram: call-chian dockershim -->: there is no record 'call-chian'",
        ),
        (
            "<!-- diagram: call-chain podman -->",
            "the record 'call-chain' holds dockershim, containerd, not podman",
        ),
        ("<!-- diagram: call-chain -->", "holds dockershim, containerd, not nothing"),
        ("<!-- diagram: -->", "there is no record ''"),
        ("<!-- steps: call-chain dockershim containerd -->", "steps are of one runtime"),
    ],
)
def test_a_mark_that_cannot_be_filled_is_told(mark: str, complaint: str) -> None:
    text, warnings = fill(f"a\n\n{mark}\n")
    assert len(warnings) == 1
    assert complaint in warnings[0]
    assert text == "a\n\n"


def test_a_figure_tells_in_words_what_it_shows() -> None:
    for lang in LANGUAGES:
        text, _ = fill("<!-- diagram: call-chain containerd -->\n", lang)
        for sentence in alt_text.sentences(chains()["containerd"], lang):
            assert f"<li>{sentence}</li>" in text
        assert directives.IN_WORDS[lang] in text


def test_what_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "facts" / "tables").mkdir(parents=True)
    (tmp_path / "facts" / steps.PATH).write_bytes((build.ROOT / "facts" / steps.PATH).read_bytes())
    told: list[str] = []
    found = directives.load(tmp_path, told.append)
    assert found.fill("<!-- diagram: call-chain dockershim -->\n", "en", str, told.append) == "\n"
    assert len(told) == 1
    assert told[0].startswith("notebooks/records/call-chain.json: cannot be read")
