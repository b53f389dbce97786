"""What uv is told: pip's own settings in uv's words, and a cache that it may write."""

from __future__ import annotations

import runpy
from pathlib import Path

from shimlab import paths

FOR_UV = runpy.run_path(str(paths.repository() / "requirements" / "for_uv.py"))
as_pip, may_write = FOR_UV["as_pip"], FOR_UV["may_write"]


def test_where_pip_finds_packages_is_where_uv_looks(tmp_path: Path) -> None:
    told = (
        "global.index-url='https://user:secret@packages.example/simple'\n"
        "global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'\n"
        f"global.find-links='{tmp_path} {tmp_path}/missing https://links.example/'\n"
        "global.trusted-host='one.example two.example'\n"
        "global.timeout='60'\n"
        "global.cert='/etc/ssl/own.pem'\n"
    )
    assert as_pip(told, {}) == {
        "UV_DEFAULT_INDEX": "https://user:secret@packages.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": f"{tmp_path},https://links.example/",
        "UV_INSECURE_HOST": "one.example two.example",
        "UV_HTTP_TIMEOUT": "60",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
    }


def test_a_variable_goes_before_a_file_and_uvs_own_before_pips() -> None:
    told = (
        "global.index-url='https://file.example'\n"
        "install.index-url='https://install.example'\n"
        ":env:.index-url='https://variable.example'\n"
        ":env:.no-index='true'\n"
    )
    assert as_pip(told, {}) == {"UV_DEFAULT_INDEX": "https://variable.example", "UV_NO_INDEX": "1"}
    assert as_pip(told, {"UV_DEFAULT_INDEX": "https://own.example"}) == {"UV_NO_INDEX": "1"}
    without = told.replace(":env:.index-url", "freeze.index-url")
    assert as_pip(without, {})["UV_DEFAULT_INDEX"] == "https://install.example"


def test_nothing_is_told_where_pip_is_told_nothing() -> None:
    assert as_pip("", {}) == {}
    assert as_pip("global.no-index='false'\nglobal.disable-pip-version-check='1'\n", {}) == {}


def test_a_folder_that_can_be_made_will_do(tmp_path: Path) -> None:
    assert may_write(tmp_path / "not" / "yet")
    assert may_write(tmp_path)


def test_a_file_in_a_folders_place_will_not_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not may_write(tmp_path / "file")
