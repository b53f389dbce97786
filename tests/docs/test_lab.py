"""The pages about the lab say of it what its code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shimlab.evidence
from shimfacts import faults, ledger, model, proofs
from shimfacts.model import LANGUAGES
from shimlab.conformance import specs
from shimlab.doctor import examine
from shimlab.doctor.machine import Machine
from shimlab.faults.catalog import registry
from shimlab.faults.fault import CONTROL_PLANE
from shimsite.checks.proofs import CONFORMANCE
from shimsite.tables import hosts
from shimsite.tables.faults import TEST, Faults


def first_cells(page: str, section: str) -> list[str]:
    """List the code in the first cells of a section's tables."""
    part = page.split(f"{{ #{section} }}", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_doctors_findings_are_all_on_its_page(root: Path, lang: str) -> None:
    page = (root / "docs" / lang / "lab" / "hosts.md").read_text("utf-8")
    nowhere = Machine(root_debian=False, bounded=False, engine=None, refusal=None)
    assert first_cells(page, "doctor") == list(examine.checks(nowhere))


def test_the_hosts_are_on_their_page(site: Path) -> None:
    found = hosts.Hosts.load(Path(__file__).parents[2] / "facts")
    assert found
    for lang in LANGUAGES:
        html = (site / lang / "lab" / "hosts" / "index.html").read_text("utf-8")
        for name in found.hosts:
            assert f'id="host-{name}"' in html
            assert f'href="#host-{name}"' in html


def test_the_catalogue_names_the_faults_that_there_are_and_their_nodes(root: Path) -> None:
    told = faults.load(root / "facts")
    assert list(told) == [fault.name for fault in registry.FAULTS]
    for fault in registry.FAULTS:
        nodes = ("control-plane",) if fault.place == CONTROL_PLANE else fault.runtimes
        assert told[fault.name].nodes == nodes, fault.name


def test_every_fault_says_when_it_was_broken_and_repaired(root: Path) -> None:
    shown = Faults.load(root / "facts").shown_proofs()
    cases = {f"{fault.name}-{runtime}" for fault in registry.FAULTS for runtime in fault.runtimes}
    assert {proof.partition("[")[2].removesuffix("]") for proof in shown} == cases
    assert TEST.partition("::")[2] in proofs.of_tests(root / TEST.partition("::")[0])


def test_every_fault_is_on_its_page_in_both_languages(site: Path) -> None:
    for lang in LANGUAGES:
        html = (site / lang / "lab" / "faults" / "index.html").read_text("utf-8")
        for fault in registry.FAULTS:
            assert f'id="fault-{fault.name}"' in html, (lang, fault.name)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_question_that_evidence_answers_is_on_its_page(root: Path, lang: str) -> None:
    page = (root / "docs" / lang / "lab" / "inside.md").read_text("utf-8")
    asked = set(re.findall(r"`(\w+)\([A-Z, ]+\)`", page)) | {"table", "listing", "plain"}
    functions = {name for name in shimlab.evidence.__all__ if name[0].islower()}
    assert asked == functions


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_results_of_kubernetes_own_tests_are_those_of_the_list(root: Path, lang: str) -> None:
    page = (root / "docs" / lang / "lab" / "conformance.md").read_text("utf-8")
    rows = re.findall(r"^\| `shimlab-worker2?` \|.*?\| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    listed = specs.load("1.20")
    assert len(rows) == 2
    for chosen, passed, explained in rows:
        assert int(chosen) == len(listed) == int(passed) + int(explained)
    # The first row is the worker on containerd. What the last run told is what the page says; until there was one as
    # the test stands now, the list vouches for the sum alone.
    kept = proofs.Proofs(root, model.load(root / "facts"))
    for row, runtime in zip(rows, ("containerd", "dockershim"), strict=True):
        for entry in kept.entries(f"{CONFORMANCE}[1.20-{runtime}]").values():
            assert entry.outcome == ledger.PASSED
            assert dict(zip(("specs", "passed", "explained"), map(int, row), strict=True)) == entry.told
