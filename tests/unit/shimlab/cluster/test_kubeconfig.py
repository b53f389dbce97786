"""A kubeconfig without anything secret in it, and clients that need no files of their own."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config

from shimlab.cluster import kubeconfig as credentials

PARTS = {
    "certificate-authority": b"the authority",
    "client-certificate": b"the user",
    "client-key": b"the key",
}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """A kubeconfig as kind writes it: with the certificates and the key in it."""
    data = {f"{field}-data": base64.b64encode(content).decode() for field, content in PARTS.items()}
    authority = {"certificate-authority-data": data.pop("certificate-authority-data")}
    file = tmp_path / "kubeconfig"
    context = {"cluster": "kind-lab", "user": "kind-lab"}
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "kind-lab",
                "clusters": [{"name": "kind-lab", "cluster": {"server": "https://127.0.0.1:1"} | authority}],
                "contexts": [{"name": "kind-lab", "context": context}],
                "users": [{"name": "kind-lab", "user": data}],
            }
        )
    )
    return file


def test_a_client_reads_them_where_they_are(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    credentials.unpack(kubeconfig)
    found = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=found)
    read = [Path(name).read_bytes() for name in (found.ssl_ca_cert, found.cert_file, found.key_file)]
    assert read == list(PARTS.values())
    assert list(temporary.iterdir()) == []


def test_only_the_owner_reads_them(kubeconfig: Path) -> None:
    kubeconfig.chmod(0o644)
    credentials.unpack(kubeconfig)
    files = [kubeconfig, *(kubeconfig.parent / credentials.FOLDER).iterdir()]
    assert len(files) == 4
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (kubeconfig.parent / credentials.FOLDER).stat().st_mode & 0o777 == 0o700
    assert "-data" not in kubeconfig.read_text()


def test_one_that_has_files_already_stays_as_it_is(kubeconfig: Path) -> None:
    credentials.unpack(kubeconfig)
    before = yaml.safe_load(kubeconfig.read_text())
    credentials.unpack(kubeconfig)
    assert yaml.safe_load(kubeconfig.read_text()) == before


def test_nothing_of_them_is_left(kubeconfig: Path) -> None:
    credentials.unpack(kubeconfig)
    for _ in range(2):
        credentials.remove(kubeconfig)
        assert list(kubeconfig.parent.iterdir()) == []
