"""Serving: the port, the pages that are not there, and building again after a change."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support import command

from shimfacts import ledger
from shimlab import waiting
from shimlab.waiting import bound
from shimsite import build, serve


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in {
        "index.html": "root",
        "404.html": "nothing here, in either language",
        "en/404.html": "nothing here",
        "zh/404.html": "这里没有",
        "zh/index.html": "首页",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    server = serve.make_server(site, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://{serve.HOST}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(bound(5))


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=bound(10)) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", (200, "root")),
        ("/zh/", (200, "首页")),
        ("/zh/gone/", (404, "这里没有")),
        ("/en/gone/", (404, "nothing here")),
        ("/gone", (404, "nothing here, in either language")),
        ("/../../../etc/passwd", (404, "nothing here, in either language")),
    ],
)
def test_answers(address: str, path: str, expected: tuple[int, str]) -> None:
    assert get(address + path) == expected


@pytest.mark.parametrize("path", ["zh/", "en/nothing", "nothing", "zh/index.html"])
def test_no_page_is_kept_by_the_browser(address: str, path: str) -> None:
    """An author wants to see what was just built; also that a page is there now, or is not any more."""
    try:
        with urllib.request.urlopen(f"{address}/{path}", timeout=bound(10)) as answer:  # noqa: S310 - our own server
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    assert headers.get_all("Cache-Control") == ["no-store"]


@pytest.fixture
def port(address: str, capfd: pytest.CaptureFixture[str]) -> Iterator[int]:
    """The port of a server of which a request makes no traceback."""
    yield int(address.rpartition(":")[2])
    assert "Traceback" not in capfd.readouterr().err


def raw(port: int, request: bytes) -> tuple[int, bytes]:
    """Send a request to the letter, and return the status and all that was answered."""
    with socket.create_connection((serve.HOST, port), timeout=bound(10)) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    # Who asks in no version that there is gets no head.
    found = re.match(rb"HTTP/1.0 (\d+) ", answer) or re.search(rb"Error code: (\d+)", answer)
    assert found, answer
    return int(found[1]), answer


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LocalHost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8000"],
)
def test_it_answers_for_this_machine(port: int, host: str) -> None:
    assert raw(port, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        *(
            "Host: evil.example",
            "Host: evil.example:8000",
            "Host: localhost.evil.example",
            "Host: 127.0.0.1.nip.io",
        ),
        *("Host: localhost@evil.example", "Host: 0.0.0.0", "Host: ", "Host: localhost, evil.example"),
        *("Host: localhost\r\nHost: evil.example", "Host: 127.0.0.10", "Host: lo\u017dcalhost", "Host: [::1"),
    ],
)
def test_it_answers_for_nobody_else(port: int, headers: str) -> None:
    """A page whose name was led here by its own name server (DNS rebinding) reads nothing."""
    for method in ("GET", "HEAD"):
        for version in ("1.0", "1.1"):
            request = f"{method} / HTTP/{version}\r\n{headers}\r\n\r\n"
            status, answer = raw(port, request.encode())
            assert status == 421
            assert b"root" not in answer


def test_who_says_for_whom_he_asks_only_where_one_need_not(port: int) -> None:
    assert raw(port, b"GET / HTTP/1.1\r\n\r\n")[0] == 400
    assert raw(port, b"GET / HTTP/1.0\r\n\r\n")[0] == 200


def test_folders_are_not_listed(site: Path, port: int) -> None:
    (site / "zh" / "assets").mkdir()
    (site / "zh" / "assets" / "secret.txt").touch()
    status, answer = raw(port, b"GET /zh/assets/ HTTP/1.0\r\n\r\n")
    assert status == 404
    assert b"secret" not in answer
    assert "这里没有" in answer.decode()


BAD = {
    "/en/%00": 404,
    "/%2e%2e/%2e%2e/etc/passwd": 404,
    "/..%2f..%2fetc/passwd": 404,
    "/%": 404,
    "/%zz/%": 404,
    "/%ff%fe": 404,
    "/%ed%a0%80": 404,
    "/zh/index.html/": 404,
    "/" + "a" * 300: 404,
    "/" + "a/" * 10_000: 404,
    "//evil.example/": 404,
    "http://evil.example/": 404,
    "*": 404,
    "/?%00": 200,
    "/zh?next=//evil.example": 301,
    "/" + "a" * 70_000: 414,
}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path[:24])
def test_an_address_that_no_page_has_is_not_there(port: int, path: str) -> None:
    for method in ("GET", "HEAD"):
        status, answer = raw(port, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert status == BAD[path]
        assert b"root:" not in answer
        assert b"\r\nLocation: //" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "GETX"])
def test_other_methods_are_not_allowed(port: int, method: str) -> None:
    status, answer = raw(
        port, f"{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi".encode()
    )
    assert status == 405
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    "request_",
    [
        *(b"GET\r\n\r\n", b"\xff\xfe\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / nonsense\r\n\r\n"),
        *(b"GET / HTTP/1.1 more\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
    ids=range(7),
)
def test_a_request_that_cannot_be_read_is_refused(port: int, request_: bytes) -> None:
    assert 400 <= raw(port, request_)[0] < 600


def test_what_is_told_of_a_bad_request_is_short_and_plain(
    port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    raw(port, b"GET /\x1b[31m" + b"\xe9" * 9000 + b" and more HTTP/1.0\r\n\r\n")
    said = capfd.readouterr().err
    assert len(said.splitlines()) == 1
    assert len(said) < 500
    assert said.strip().isascii()
    assert said.strip().isprintable()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command.program(sys.executable, "-m", "shimsite.serve", *arguments, cwd=build.ROOT)


def test_a_taken_port_is_answered_in_two_lines() -> None:
    with socket.socket() as other:
        other.bind((serve.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first == f"Port {port} is taken by another program."
    assert f"./run serve -- --port {port + 1}" in second
    assert done.stdout == ""


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_an_impossible_port_is_answered_in_two_lines(port: str) -> None:
    done = run("--port", port)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2


def soon(met: Callable[[], bool], seconds: float = 20) -> bool:
    return waiting.soon(met, seconds, 0.05)


@pytest.fixture
def rebuilds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A repository that is watched, and what a build would have read from its page, build by build."""
    for name in ("docs/en", "src/shimsite", "site"):
        (tmp_path / name).mkdir(parents=True)
    page = tmp_path / "docs" / "en" / "a.md"
    page.write_text("old", "utf-8")
    builds: list[str] = []
    monkeypatch.setattr(build, "build", lambda root, strict: builds.append(page.read_text("utf-8")))
    stop = threading.Event()
    seen = serve.look(tmp_path)
    thread = threading.Thread(target=serve.rebuild_on_change, args=(tmp_path, seen, stop), daemon=True)
    thread.start()
    yield builds
    stop.set()
    thread.join(bound(10))
    assert not thread.is_alive()


def test_a_change_of_a_source_is_built_and_one_of_another_file_is_not(
    tmp_path: Path, rebuilds: list[str]
) -> None:
    (tmp_path / "site" / "x.html").write_text("x", "utf-8")
    (tmp_path / "src" / "shimsite" / "__pycache__").mkdir()
    (tmp_path / "src" / "shimsite" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert not soon(lambda: bool(rebuilds), seconds=4 * serve.EVERY)
    (tmp_path / "docs" / "en" / "a.md").write_text("new", "utf-8")
    assert soon(lambda: rebuilds == ["new"])
    (tmp_path / "mkdocs.yml").write_text("settings", "utf-8")
    assert soon(lambda: len(rebuilds) == 2)
    (tmp_path / "mkdocs.yml").unlink()
    assert soon(lambda: len(rebuilds) == 3)


def test_a_burst_of_changes_is_built_once_and_an_endless_one_in_time(
    tmp_path: Path, rebuilds: list[str]
) -> None:
    page = tmp_path / "docs" / "en" / "a.md"
    for number in range(12):
        page.write_text(f"{number}", "utf-8")
        time.sleep(serve.EVERY / 4)
    page.write_text("last", "utf-8")
    assert soon(lambda: bool(rebuilds))
    assert rebuilds[-1] == "last"
    built, numbers = len(rebuilds), itertools.count()

    def is_built() -> bool:
        page.write_text(f"still {next(numbers)}", "utf-8")
        return len(rebuilds) > built

    assert waiting.soon(is_built, 3 * serve.AT_MOST, serve.EVERY / 4)


def test_the_fingerprint_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "a.md"
    page.write_text("a", "utf-8")
    seen = [build.fingerprint(tmp_path)]
    page.write_text("b", "utf-8")
    seen.append(build.fingerprint(tmp_path))
    page.rename(tmp_path / "docs" / "b.md")
    seen.append(build.fingerprint(tmp_path))
    assert len(set(seen)) == 3
    os.utime(tmp_path / "docs" / "b.md", (0, 0))
    assert build.fingerprint(tmp_path) == seen[-1]
    assert not build.is_fresh(tmp_path)
    for lang in build.CONFIGS:
        (tmp_path / "site" / lang).mkdir(parents=True)
        (tmp_path / "site" / lang / "sitemap.xml").touch()
        build.stamp(tmp_path, lang, seen[-1])
    assert build.is_fresh(tmp_path)
    assert not build.is_fresh(tmp_path, strict=True)
    for lang in build.CONFIGS:
        build.stamp(tmp_path, lang, seen[-1], strict=True)
    assert build.is_fresh(tmp_path, strict=True)
    assert build.built_from(tmp_path) == seen[-1]
    (tmp_path / "docs" / "b.md").write_text("c", "utf-8")
    assert not build.is_fresh(tmp_path)


def test_other_versions_of_what_makes_the_pages_make_the_site_stale(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    before = build.fingerprint(tmp_path)
    (tmp_path / "requirements" / "lab.txt").write_text("a==1", "utf-8")
    assert build.fingerprint(tmp_path) == before
    (tmp_path / "requirements" / "site.txt").write_text("mkdocs==1", "utf-8")
    assert build.fingerprint(tmp_path) != before
    assert build.ROOT / "requirements" / "site.txt" in build.source_files()


def test_a_validation_makes_the_site_stale_and_other_hidden_files_do_not(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    before = build.fingerprint(tmp_path)
    (tmp_path / ".cache" / "site-en.stamp").write_text("x", "utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / ".a.md.swp").write_text("x", "utf-8")
    assert build.fingerprint(tmp_path) == before
    proof, entry = "notebooks/01-a.ipynb#c", ledger.Entry(ledger.PASSED, "2026-11-25", "deprecated", "0" * 16)
    ledger.merge(tmp_path / ledger.SEEN, {proof: entry})
    passed = build.fingerprint(tmp_path)
    assert passed != before
    # Live tests run while the site is checked: one more pass changes nothing but a day.
    ledger.merge(tmp_path / ledger.SEEN, {proof: dataclasses.replace(entry, date="2026-11-26")})
    assert build.fingerprint(tmp_path) == passed
    ledger.merge(tmp_path / ledger.SEEN, {proof: dataclasses.replace(entry, outcome=ledger.FAILED)})
    assert build.fingerprint(tmp_path) != passed


def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from shimsite import build, serve; "
        f"build.ROOT = pathlib.Path({str(tmp_path)!r}); "
        "build.is_fresh = lambda root=None: True; sys.exit(serve.main(['--port', '0']))"
    )
    for lang in build.CONFIGS:
        (tmp_path / "site" / lang).mkdir(parents=True)
        (tmp_path / "site" / lang / "index.html").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=build.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "Ctrl-C" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=bound(20))
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
