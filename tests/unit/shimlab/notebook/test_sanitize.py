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


#: For each pair a pattern that somebody might write and that would make the two equal.
BLINDING = [
    r"\d+m",
    r"\w+://\S+",
    r"\d+\.\d+\.\d+\S*",
    r"v1\.\d+\.\d+",
    r"v1\S*",
    r"(?<=sock   ).*",
    r"worker\d*\s+",
    r"\d/\d",
    r"level \w",
    r"^\d+ since",
    r"\s+",
    r"-namespace \S+",
    r"\d+(\.\d+){3}/\d+",
]


def made_equal(config: str) -> list[tuple[str, str]]:
    """List the pairs of outputs that a sanitize file makes equal."""

    def sanitized(text: str) -> str:
        for pattern, replacement in get_sanitize_patterns(config):
            text = re.sub(pattern, replacement, text)
        return text

    return [(one, other) for one, other in DIFFERENT if sanitized(one) == sanitized(other)]


def test_real_differences_stay():
    assert made_equal(books.SANITIZE.read_text(encoding="ascii")) == []


@pytest.mark.parametrize(("pair", "pattern"), list(zip(DIFFERENT, BLINDING, strict=True)))
def test_a_pattern_that_would_make_two_outputs_equal_is_seen(pair, pattern):
    """The file has no pattern, so that the test above could not fail by itself: here each pair is seen to count."""
    config = books.SANITIZE.read_text(encoding="ascii") + f"\n[blind]\nregex: {pattern}\nreplace: X\n"
    assert pair in made_equal(config)


def test_every_pattern_has_a_replacement():
    text = books.SANITIZE.read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    assert [line.partition(":")[0] for line in lines] == ["regex", "replace"] * (len(lines) // 2)
