"""The sanitize file of the notebooks must not make different outputs equal."""

from __future__ import annotations

import re

import pytest
from nbval.plugin import get_sanitize_patterns

from shimlab.notebook.runs import books

DIFFERENT = [
    ("cpu: 100m", "cpu: 250m"),
    ("docker://20.10.24+dfsg1", "containerd://1.6.20~ds1"),
    ("docker://20.10.24+dfsg1", "docker://19.03.15"),
    ("v1.20.15", "v1.24.17"),
    ("CRI   v1", "CRI   v1alpha2"),
    ("/run/containerd/containerd.sock   containerd", "/run/containerd/containerd.sock   kubelet"),
    ("shimlab-worker    docker", "shimlab-worker2   docker"),
    ("NAME   READY   1/1   0   3s", "NAME   READY   0/1   0   3s"),
    ("level W, kubelet.go", "level I, kubelet.go"),
    ("0 since the kubelet started", "1 since the kubelet started"),
    ("spec:\n  a: 1", "spec:\n    a: 1"),
    ("containerd-shim-runc-v2 -namespace moby", "containerd-shim-runc-v2 -namespace k8s.io"),
    ("10.244.0.0/16", "10.96.0.0/12"),
]


def sanitized(text: str) -> str:
    for pattern, replacement in get_sanitize_patterns(books.SANITIZE.read_text(encoding="ascii")):
        text = re.sub(pattern, replacement, text)
    return text


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_real_differences_stay(one, other):
    assert sanitized(one) != sanitized(other)


def test_every_pattern_has_a_replacement():
    text = books.SANITIZE.read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    assert [line.partition(":")[0] for line in lines] == ["regex", "replace"] * (len(lines) // 2)
