"""The Jupyter of `./run lab`, started for real: what it keeps and where, and whom it answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shimlab import paths, process
from shimlab.notebook import jupyter
from shimlab.waiting import bound, soon

PYTHON = Path(".nox") / "lab" / "bin" / "python"
START = (
    "import sys; from pathlib import Path; from shimlab.notebook import jupyter; "
    "jupyter.start(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])"
)
NOTEBOOK = {
    "type": "notebook",
    "content": {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
}


@dataclass(frozen=True)
class Running:
    """A Jupyter that answers, the home of its user and the folder of its files."""

    address: str
    token: str
    home: Path
    files: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request with its token, unless another is given."""
        given = {"Authorization": f"token {self.token}", "Content-Type": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.address}{path}", data, given, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=bound(30)) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    python = paths.repository() / PYTHON
    if not python.exists():
        pytest.fail(f"there is no {PYTHON}; `./run unit` makes it", pytrace=False)
    folder = tmp_path_factory.mktemp("jupyter")
    for name in ("home", "notebooks"):
        (folder / name).mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "JUPYTER", "IPYTHON"))
    }
    # What a user may have set for a Jupyter of their own.
    own = {"HOME": folder / "home", "JUPYTER_CONFIG_PATH": folder / "home" / "own"}
    child = subprocess.Popen(
        [
            *[python, "-c", START, folder / "files", folder / "notebooks"],
            *["--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"],
        ],
        env={**environment, **{name: str(value) for name, value in own.items()}},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        told = folder / "files" / "runtime" / f"jpserver-{child.pid}.json"
        assert soon(told.is_file, 60), (folder / "log").read_text()
        found = Running(
            f"http://127.0.0.1:{port}",
            json.loads(told.read_text())["token"],
            folder / "home",
            folder / "files",
        )
        assert soon(lambda: found.ask("GET", "/api/status")[0] == 200, 30)
        yield found
    finally:
        process.end(child)


def test_nothing_of_it_comes_into_the_users_home(running: Running) -> None:
    assert running.ask("PUT", "/api/contents/a.ipynb", NOTEBOOK)[0] in (200, 201)
    assert running.ask("POST", "/api/contents/a.ipynb/checkpoints")[0] == 201
    assert running.ask("PUT", "/lab/api/workspaces/w", {"data": {}, "metadata": {"id": "w"}})[0] in (200, 204)
    status, kernel = running.ask("POST", "/api/kernels", {"name": "python3"})
    assert status == 201
    # A kernel has begun when it keeps its history.
    assert soon((running.files / "ipython" / "profile_default" / "history.sqlite").is_file, 60)
    assert running.ask("DELETE", f"/api/kernels/{kernel['id']}")[0] == 204
    assert [str(path.relative_to(running.home)) for path in running.home.rglob("*")] == []
    assert {path.name for path in running.files.iterdir()} == set(jupyter.FOLDERS.values())


def test_its_files_are_its_users_alone(running: Running) -> None:
    assert running.files.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("headers", [{"Authorization": "token wrong"}, {"Host": "evil.example"}])
def test_it_answers_whoever_has_its_token_and_asks_this_machine(
    running: Running, headers: dict[str, str]
) -> None:
    assert running.ask("GET", "/api/contents")[0] == 200
    assert running.ask("GET", "/api/contents", **headers)[0] == 403


def test_what_leads_to_the_users_own_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*jupyter.OTHERS, *jupyter.FOLDERS):
        monkeypatch.setenv(name, "/home/user")
    monkeypatch.setenv("KUBECONFIG", "kept")
    found = jupyter.environment(tmp_path)
    assert "/home/user" not in found.values()
    assert found["KUBECONFIG"] == "kept"
    assert found["IPYTHONDIR"] == str(tmp_path / "ipython")
