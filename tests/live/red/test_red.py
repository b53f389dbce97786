"""The notebooks turn red on a lab that is not as they say: each case changes one thing, and undoes it.

A notebook that is green whatever the lab is proves nothing. What is changed here is what the notebooks are about, so
it is a cell of theirs that has to fail, and the case says which. Nothing is written into the ledger of results.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.support import command

from shimlab.cluster import status
from shimlab.cluster.namespace import worker_on
from shimlab.migrate import kubelets
from shimlab.migrate.kubelets import FOLDER, LINK
from shimlab.migrate.migrate import migrate
from shimlab.node import exec as node_exec
from shimlab.notebook.runs import books, validate
from shimlab.waiting import wait

DROP_IN = "/etc/systemd/system/containerd.service.d/subreaper.conf"
# PR_SET_CHILD_SUBREAPER, which exec keeps: prctl(2). By number, for perl has no name for it.
SUBREAPER = """[Service]
ExecStart=
ExecStart=/usr/bin/perl -e 'syscall(%d, 36, 1, 0, 0, 0) == 0 or die; exec @ARGV' /usr/bin/containerd
"""
PRCTL = {"x86_64": 157, "aarch64": 167}


def failing_cell(name: str) -> str:
    """Run a notebook as it is validated, and return the id of the first cell that fails; empty if none does."""
    (path,) = books.paths(name)
    argv = [sys.executable, *validate.command(path), "-rf"]
    done = command.program(*argv, cwd=books.ROOT, seconds=280, PYTHONUTF8="1")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    numbers = [int(number) for number in re.findall(r"^FAILED \S+::Cell (\d+)", done.stdout, re.MULTILINE)]
    code = [cell.id for cell in books.read(path).cells if cell.cell_type == "code"]
    return code[min(numbers)] if numbers else ""


@contextmanager
def another_runtime() -> Iterator[None]:
    """The dockershim worker runs containerd."""
    worker = worker_on("dockershim")
    migrate(worker, "containerd")
    try:
        yield
    finally:
        migrate(worker, "dockershim")


@contextmanager
def a_shim_that_stays_a_child() -> Iterator[None]:
    """Containerd of the containerd worker takes its shims in, so that they stay its children."""
    worker = worker_on("containerd")
    machine = node_exec.run(worker, ["uname", "-m"]).strip()
    script = f"mkdir -p {DROP_IN.rpartition('/')[0]}; cat >{DROP_IN}"
    node_exec.run(worker, ["sh", "-euc", script], input=SUBREAPER % PRCTL[machine])
    try:
        _containerd_again(worker)
        yield
    finally:
        node_exec.run(worker, ["rm", "-f", DROP_IN])
        _containerd_again(worker)


def _containerd_again(worker: str) -> None:
    node_exec.run(worker, ["systemctl", "daemon-reload"])
    node_exec.run(worker, ["systemctl", "restart", "containerd"])
    _wait_for_nodes()


@contextmanager
def another_word_in_the_warning() -> Iterator[None]:
    """The kubelet of the dockershim worker says "kindly" where it says "please": the program is changed, in place."""
    worker = worker_on("dockershim")
    file = f"{FOLDER}/{kubelets.in_use(worker).name}"
    assert node_exec.run(worker, ["readlink", "--canonicalize", LINK]).strip() == file
    said, changed = "please consider using a full-fledged", "kindly consider using a full-fledged"
    script = 'mv "$1" "$1.own"; sed "s/$2/$3/" "$1.own" >"$1"; chmod 755 "$1"; ! cmp -s "$1" "$1.own"'
    node_exec.run(worker, ["sh", "-euc", script, "sh", file, said, changed])
    try:
        _kubelet_again(worker)
        yield
    finally:
        node_exec.run(worker, ["mv", f"{file}.own", file])
        _kubelet_again(worker)


def _kubelet_again(worker: str) -> None:
    node_exec.run(worker, ["systemctl", "restart", "kubelet"])
    wait(lambda: kubelets.healthy(worker), f"the kubelet of {worker}", 60)
    _wait_for_nodes()


def _wait_for_nodes() -> None:
    wait(lambda: all(each.ready and each.as_asked for each in status.status()), "the nodes to be Ready")


@pytest.mark.parametrize(
    ("change", "notebook", "cell"),
    [
        (another_runtime, "02-call-chain", "setup"),
        (a_shim_that_stays_a_child, "02-call-chain", "processes"),
        (a_shim_that_stays_a_child, "05-who-survives", "setup"),
        (another_word_in_the_warning, "04-deprecation", "warning"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_it_turns_red(change: Callable[[], contextmanager[None]], notebook: str, cell: str) -> None:  # type: ignore[type-arg]
    with change():
        assert failing_cell(notebook) == cell
