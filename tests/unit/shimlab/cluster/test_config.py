"""The labs: what their files say, and what kind is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from shimlab import cli, paths
from shimlab.cluster import config
from shimlab.errors import LabError
from shimlab.images import release


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lab" / "clusters").mkdir(parents=True)
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path / "lab" / "clusters"


def test_the_default_comes_first_and_the_one_for_given_images_is_not_chosen_by_name() -> None:
    assert config.names()[0] == config.DEFAULT
    assert "removed" in config.names()
    assert config.FOR_GIVEN not in config.names()


@pytest.mark.parametrize("name", config.names())
def test_every_lab_runs_releases_that_there_are(name: str) -> None:
    lab = config.load(name)
    tags = {minor: release.load(minor).tag for minor in lab.releases}
    made = yaml.safe_load(lab.for_kind(tags))
    assert {node["image"] for node in made["nodes"]} == set(tags.values())


def test_nodes_are_called_as_kind_calls_them() -> None:
    assert config.load("removed").runtimes("lab") == {
        "lab-control-plane": "containerd",
        "lab-worker": "containerd",
        "lab-worker2": "dockershim",
    }


def test_kind_gets_everything_else_as_the_file_has_it() -> None:
    lab = config.load()
    made = yaml.safe_load(lab.for_kind(dict.fromkeys(lab.releases, "an/image:1")))
    for node in made["nodes"]:
        assert node.pop("image") == "an/image:1"
    written = yaml.safe_load((paths.repository() / "lab/clusters/deprecated.yaml").read_text())
    for node in written["nodes"]:
        del node["image"]
    assert made == written


def test_another_image_is_another_recipe() -> None:
    lab = config.load()
    one, other = (
        config.recipe(lab, lab.for_kind(dict.fromkeys(lab.releases, tag))) for tag in ("a:1", "a:2")
    )
    assert one != other
    assert one.split()[0] == other.split()[0] == lab.name


def test_a_missing_image_is_named() -> None:
    with pytest.raises(LabError, match=r"shimlab/node:1\.20"):
        config.load().for_kind({})


@pytest.mark.parametrize(
    "text",
    [
        "nodes: [",
        "kind: Cluster",
        "nodes: [{role: worker, image: 'debian:12', labels: {shimlab/runtime: containerd}}]",
        "nodes: [{role: worker, image: 'shimlab/node:1.20'}]",
    ],
)
def test_a_file_that_is_no_lab_is_named(folder: Path, text: str) -> None:
    (folder / "mine.yaml").write_text(text)
    with pytest.raises(LabError, match=r"mine\.yaml"):
        config.load("mine")


def test_a_lab_that_there_is_not() -> None:
    with pytest.raises(LabError, match="no lab forgotten") as refused:
        config.load("forgotten")
    assert "removed" in refused.value.remedy


@pytest.mark.parametrize("name", ["Shim", "-lab", "lab-", "a/b", "a" * 33])
def test_a_name_that_no_host_can_have_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIMLAB_NAME", name)
    with pytest.raises(LabError, match="no name for a cluster"):
        paths.name()


def test_a_second_lab_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = paths.state_dir()
    monkeypatch.setenv("SHIMLAB_NAME", "second")
    assert paths.state_dir() == first / "labs" / "second"


def test_a_lab_and_an_image_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["up", "--lab", "removed", "--image", "kindest/node:v1.24.17"]) == 2
    assert "not allowed with" in capsys.readouterr().err
