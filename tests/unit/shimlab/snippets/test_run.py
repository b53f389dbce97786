"""The comparison itself: what it lets vary, what it does not, and that a failing command is seen."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from shimlab import progress
from shimlab.snippets import run, state


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "W1123 07:50:01.123456     210 kubelet.go:297] Using dockershim",
            "W0102 23:59:59.000001 1234567 kubelet.go:297] Using dockershim",
        ),
        ("web   1/1   Running   0   3s", "web   1/1   Running   0   4d12h"),
        ("a  \n\n", "a\n\n"),
        ("3 of 3 containers run on", "12 of 12 containers run on"),
        (
            "evicting pod a/web-8855b5549-pxttj and kube-system/kube-proxy-sv7g9, z",
            "evicting pod a/web-7c5ddbdf54-x7k2p and kube-system/kube-proxy-24567, z",
        ),
        ("pod/web-8855b5549-pxttj evicted", "pod/web-8855b5549-zzzzz evicted"),
    ],
)
def test_what_may_vary(one: str, other: str):
    assert run.normal(one) == run.normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "W1123 07:50:01.123456     210 kubelet.go:297] x",
            "I1123 07:50:01.123456     210 kubelet.go:297] x",
        ),
        (
            "W1123 07:50:01.123456     210 kubelet.go:297] x",
            "W1123 07:50:01.123456     210 kubelet.go:314] x",
        ),
        ("cpu: 100m", "cpu: 250m"),
        ("cpu:   100m   x", "cpu:   250m   x"),
        ("web   1/1   Running   0   3s", "web   0/1   Running   0   3s"),
        ("docker://20.10.24", "containerd://1.6.20"),
        ("3 of 3 containers run on", "2 of 3 containers run on"),
        ("3 of 3 containers run on", "3 of 3 containers run on, 1 are new"),
        ("pod/web-8855b5549-pxttj", "pod/api-8855b5549-pxttj"),
        ("a/web-8855b5549-pxttj", "b/web-8855b5549-pxttj"),
        ("pod/web-0", "pod/web-1"),
        ("kube-system/kube-proxy", "kube-system/kube-proxy-sv7g9"),
        ("/run/web-sv7g9", "/run/web-bbbbb"),
        ("run/web-sv7g9.sock", "run/web-bbbbb.sock"),
        ("web-sv7g9", "web-bbbbb"),
        ("a\nb", "a"),
        ("a b", "a  b"),
    ],
)
def test_what_may_not(one: str, other: str):
    assert run.normal(one) != run.normal(other)


@pytest.mark.parametrize("text", ["false\necho on", "false | cat\necho on", 'echo "$UNSET_HERE"'])
def test_a_failing_command_ends_a_snippet(text: str, tmp_path: Path):
    script = tmp_path / "x.sh"
    script.write_text(text)
    ran = run.run(script, tmp_path, {"PATH": os.environ["PATH"]})
    assert ran.status != 0
    assert "on" not in ran.stdout


def test_progress_is_no_complaint_and_anything_else_is():
    told = io.StringIO()
    with progress.step("A step", told) as current:
        current.note("at work")
    assert told.getvalue()
    assert run.complaints(f"{told.getvalue()}  … A step: at work (15 s)\n") == ""
    with pytest.raises(KeyError), progress.step("Another", told):
        raise KeyError
    assert run.complaints(f"{told.getvalue()}warning: x\n") == "✗ Another (0 s)\nwarning: x\n"


def test_what_is_left_behind_is_named():
    before = {"namespaces": ["default"], "sockets of a": [("/run/x.sock", "x")]}
    after = {"namespaces": ["default", "left"], "sockets of a": [("/run/x.sock", "x")]}
    assert state.differences(before, before) == []
    assert state.differences(before, after) == ["namespaces: was ['default'], is ['default', 'left']"]


def test_pages_decide_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.sh").touch()
    (tmp_path / "page.md").write_text('```shell\n--8<-- "shell/c.sh"\n```\n    --8<-- "shell/a.sh:part"\n')
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(run, "PAGES", tmp_path)
    assert [path.stem for path in run.in_page_order()] == ["c", "a", "b"]
