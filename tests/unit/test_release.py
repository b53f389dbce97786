from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shimlab import paths
from shimlab.errors import LabError
from shimlab.lab import release


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


def test_an_unknown_release_names_the_known_ones() -> None:
    with pytest.raises(LabError) as caught:
        release.load("1.19")
    assert "1.19" in caught.value.what
    assert "1.20" in caught.value.remedy


def test_a_broken_list_is_named_with_its_line(checkout: Path) -> None:
    listed = checkout / "lab/node/kubernetes/1.20/images"
    listed.write_text("pause k8s.gcr.io/pause:3.2 podman\n")
    with pytest.raises(LabError, match=r"images:1 is not"):
        release.load()


def test_the_tag_follows_content_and_mode_but_not_prose_or_other_releases(checkout: Path) -> None:
    node = checkout / "lab/node"
    before = release.load().tag
    (node / "README.md").write_text("other words\n")
    other = node / "kubernetes/1.99"
    other.mkdir()
    (other / "go.mod").write_text("module other\n")
    assert release.load().tag == before
    with (node / "Dockerfile").open("a") as dockerfile:
        dockerfile.write("# changed\n")
    changed = release.load().tag
    assert changed != before
    (node / "Dockerfile").chmod(0o755)
    assert release.load().tag != changed
