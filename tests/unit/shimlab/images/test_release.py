from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shimlab import paths
from shimlab.errors import LabError
from shimlab.images import release


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the lab's files that a test may change."""
    shutil.copytree(paths.repository() / "lab", tmp_path / "lab")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path


def test_the_default_release_lists_what_kubeadm_asks_for() -> None:
    found = release.load()
    references = {image.reference for image in found.images}
    assert {"k8s.gcr.io/pause:3.2", "k8s.gcr.io/coredns:1.7.0", "k8s.gcr.io/etcd:3.4.13-0"} <= references
    on_dockershim = {image.target for image in found.images if "docker" in image.stores}
    assert "kube-proxy" in on_dockershim
    assert "kube-apiserver" not in on_dockershim


@pytest.mark.parametrize("minor", ["1.19", "", ".."])
def test_an_unknown_release_names_the_known_ones(minor: str) -> None:
    with pytest.raises(LabError) as caught:
        release.load(minor)
    assert minor in caught.value.what
    assert caught.value.remedy == f"choose one of: {', '.join(release.known())}"


def test_the_known_releases_come_in_the_order_of_their_numbers(checkout: Path) -> None:
    folders = checkout / "lab/node/kubernetes"
    for minor in ("1.9", "1.100"):
        shutil.copytree(folders / "1.20", folders / minor)
    (folders / "1.10").mkdir()  # without a file `release` it is none
    assert release.known()[0] == "1.9"
    assert release.known()[-1] == "1.100"
    assert "1.10" not in release.known()


def test_a_kubelet_lies_on_the_node_of_another_release() -> None:
    kubelet, beneath = release.load("1.23"), release.load("1.24")
    assert (kubelet.version, kubelet.on) == ("1.23.17", "1.24")
    assert (beneath.version, beneath.on) == ("1.24.17", None)
    # The node's stores are the other's, so its images are too.
    assert kubelet.images == beneath.images


def test_a_kubelet_lies_on_a_whole_release_and_on_no_other(checkout: Path) -> None:
    said = checkout / "lab/node/kubernetes/1.23/release"
    text = said.read_text()
    for wrong, complaint in (("1.23", "called 1.23"), ("1.37", "called 1.37"), ("1.19", "no release 1.19")):
        said.write_text(text.replace("ON=1.24", f"ON={wrong}"))
        with pytest.raises(LabError, match=complaint):
            release.load("1.23")


def test_what_the_file_release_must_say_is_missed_by_name(checkout: Path) -> None:
    (checkout / "lab/node/kubernetes/1.20/release").write_text("KUBERNETES=1.20.15\n")
    with pytest.raises(LabError, match="does not say GO, GO_SUITE"):
        release.load("1.20")


def test_a_broken_list_is_named_with_its_line(checkout: Path) -> None:
    listed = checkout / "lab/node/kubernetes/1.20/images"
    listed.write_text("pause k8s.gcr.io/pause:3.2 podman\n")
    with pytest.raises(LabError, match=r"images:1 is not"):
        release.load()


def test_the_tag_follows_content_and_mode_but_not_prose_or_other_releases(checkout: Path) -> None:
    node = checkout / "lab/node"
    before = release.load().tag
    for prose in (node / "README.md", checkout / "lab/clusters/deprecated.yaml"):
        prose.write_text("other words\n")
    for other in (node / "kubernetes/1.99", node / "coredns/0.9"):
        other.mkdir()
        (other / "go.mod").write_text("module other\n")
    (node / "kubernetes/1.24/go.mod").write_text("module changed\n")
    assert release.load().tag == before
    with (node / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("# changed\n")
    changed = release.load().tag
    assert changed != before
    (node / "Dockerfile").chmod(0o755)
    assert release.load().tag != changed


@pytest.mark.parametrize(
    "file",
    [
        "lab/.dockerignore",
        "lab/dockershim/main.go",
        "lab/node/coredns/1.7.0/go.sum",
        "lab/node/kubernetes/1.20/images",
        "lab/node/root/etc/docker/daemon.json",
    ],
)
def test_the_tag_follows_each_kind_of_file(checkout: Path, file: str) -> None:
    before = release.load().tag
    with (checkout / file).open("a") as changed:
        changed.write("\n")
    assert release.load().tag != before


def test_the_tag_follows_what_a_release_lies_on_and_not_the_other_way_round(checkout: Path) -> None:
    folders = checkout / "lab/node/kubernetes"
    kubelet, beneath = release.load("1.23").tag, release.load("1.24").tag
    (folders / "1.23/go.sum").write_text("changed\n")
    assert release.load("1.24").tag == beneath
    assert (changed := release.load("1.23").tag) != kubelet
    (folders / "1.24/go.sum").write_text("changed\n")
    assert release.load("1.24").tag != beneath
    assert release.load("1.23").tag != changed


def test_a_tag_stays_as_it_was_first_asked_for(checkout: Path) -> None:
    loaded = release.load()
    before = loaded.tag
    (checkout / "lab/node/Dockerfile").write_text("FROM scratch\n")
    assert loaded.tag == before
    assert release.load().tag != before
