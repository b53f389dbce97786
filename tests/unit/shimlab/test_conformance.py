"""The chosen specs and the report that is held against them; no cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shimlab.conformance import build, report, specs, test_images
from shimlab.conformance.report import Outcome
from shimlab.conformance.specs import Known, Spec
from shimlab.errors import LabError
from shimlab.images import release

LEAST = 30


def _release(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    (folder / "9.9").mkdir()
    for name, text in files.items():
        (folder / "9.9" / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(specs, "folder", lambda: folder)


@pytest.mark.parametrize("minor", specs.releases())
def test_the_lists_of_this_repository_are_whole(minor: str) -> None:
    chosen = specs.load(minor)
    assert len(chosen) >= LEAST
    assert all("Conformance]" in spec.name for spec in chosen)
    assert {"agnhost", "busybox"} <= set(specs.images(minor).values())
    pattern = re.compile(specs.focus(chosen))
    for spec in chosen:
        text = f"Kubernetes e2e suite [Top Level] {spec.name}"
        assert pattern.match(text)
        assert not pattern.match(f"{text} and more")
        assert not pattern.match(f"{text[:-1]}")


@pytest.mark.parametrize("minor", specs.releases())
def test_what_the_specs_start_is_made_somewhere(minor: str) -> None:
    dockerfile = (specs.folder() / "Dockerfile").read_text(encoding="utf-8")
    for target, name in build.references(minor).items():
        assert f"AS {target}\n" in dockerfile
        assert f"LABEL io.shimlab.stage=conformance-{target}\n" in dockerfile
        assert name.startswith(f"shimlab/conformance-{target}:{minor}-")
    made = {*build.TARGETS, *(image.target for image in release.load(minor).images)} - {build.PROGRAM}
    assert set(specs.images(minor).values()) <= made


def test_a_list_with_explained_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _release(
        tmp_path,
        monkeypatch,
        specs="# remark\n\n[a] one (x)\n"
        '    may fail on dockershim with "no such call": it has none\n    may fail on any with "old": a kernel\n'
        "[a] two\n",
    )
    one, two = specs.load("9.9")
    assert (one.name, two.name) == ("[a] one (x)", "[a] two")
    assert one.explained("dockershim", "it says no such call.") == "it has none"
    assert one.explained("containerd", "it says no such call.") == ""
    assert one.explained("containerd", "too old") == "a kernel"
    assert two.explained("dockershim", "no such call") == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('    may fail on any with "words": why\n', "9.9/specs:1 is not"),
        ("[a] one\n    breaks\n", "9.9/specs:2 is not"),
        ("[a] one\n[a] one\n", "twice: [a] one"),
    ],
)
def test_a_list_that_is_not_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, what: str
) -> None:
    _release(tmp_path, monkeypatch, specs=text)
    with pytest.raises(LabError, match=re.escape(what)):
        specs.load("9.9")


def test_a_release_without_a_list() -> None:
    with pytest.raises(LabError, match=re.escape("no conformance tests for Kubernetes 1.1")) as caught:
        specs.load("1.1")
    assert "1.20" in caught.value.remedy


def _reports(folder: Path, *cases: str) -> Path:
    for number, case in enumerate(cases, 1):
        (folder / f"junit_{number:02}.xml").write_text(f"<testsuite>{case}</testsuite>", encoding="utf-8")
    return folder


def test_every_outcome(tmp_path: Path) -> None:
    known = (Known("dockershim", "to equal b", "no such call"),)
    chosen = [
        Spec("passes"),
        Spec("fails"),
        Spec("is known", known),
        Spec("fails otherwise", (Known("any", "to equal c", "never"),)),
        Spec("came right", known),
        Spec("was skipped"),
        Spec("is nowhere"),
    ]
    failure = "<failure>/src/pods.go:12\nExpected\n    a\nto equal\n    b\n/src/pods.go:30</failure>"
    results = report.read(
        _reports(
            tmp_path,
            '<testcase name="passes" time="1.5"/><testcase name="fails" time="2"><skipped/></testcase>'
            '<testcase name="was skipped"><skipped/></testcase>',
            f'<testcase name="fails" time="2">{failure}</testcase>'
            f'<testcase name="fails otherwise">{failure}</testcase>'
            f'<testcase name="is known">{failure}</testcase><testcase name="came right"/>'
            f'<testcase name="BeforeSuite">{failure}</testcase>',
        )
    )
    found = report.judge(chosen, results, "dockershim")
    assert [(each.name, each.outcome) for each in found] == [
        ("passes", Outcome.PASSED),
        ("fails", Outcome.FAILED),
        ("is known", Outcome.EXPLAINED),
        ("fails otherwise", Outcome.FAILED),
        ("came right", Outcome.PASSED),
        ("was skipped", Outcome.MISSING),
        ("is nowhere", Outcome.MISSING),
        ("BeforeSuite", Outcome.FAILED),
    ]
    assert [each.outcome.fine for each in found] == [True, False, True, False, True, False, False, False]
    assert (found[0].seconds, found[1].why, found[2].why) == (1.5, "Expected a to equal b", "no such call")
    # What is known of one runtime excuses no other.
    assert report.judge(chosen, results, "containerd")[2].outcome is Outcome.FAILED


def test_a_report_that_is_missing_or_cut_off(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no report"):
        report.read(tmp_path)
    (tmp_path / "junit_01.xml").write_text("<testsuite><testcase", encoding="utf-8")
    with pytest.raises(LabError, match=re.escape("junit_01.xml is not whole")):
        report.read(tmp_path)


@pytest.mark.parametrize(
    ("reference", "full", "short"),
    [
        ("docker.io/library/nginx:1.14-alpine", "docker.io/library/nginx:1.14-alpine", "nginx:1.14-alpine"),
        (
            "shimlab/conformance-nginx:1",
            "docker.io/shimlab/conformance-nginx:1",
            "shimlab/conformance-nginx:1",
        ),
        ("shimlab.local/busybox:1.35", "shimlab.local/busybox:1.35", "shimlab.local/busybox:1.35"),
        ("k8s.gcr.io/pause:3.2", "k8s.gcr.io/pause:3.2", "k8s.gcr.io/pause:3.2"),
        ("busybox:1", "docker.io/library/busybox:1", "busybox:1"),
        ("sha256:0f4a", "sha256:0f4a", "sha256:0f4a"),
    ],
)
def test_names_as_the_two_stores_spell_them(reference: str, full: str, short: str) -> None:
    assert test_images.in_full(reference) == full
    assert test_images.short(reference) == test_images.short(full) == short
