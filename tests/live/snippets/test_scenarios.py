"""Every scenario runs to its end, prints what the pages say, and its clean-up leaves the cluster as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimfacts import snippets
from shimlab.cluster import status
from shimlab.snippets import scenarios, state


def named(scenario: snippets.Scenario) -> str:
    return scenario.path.name


# The runner bounds each section.
@pytest.mark.timeout(0)
@pytest.mark.parametrize("scenario", scenarios.all_scenarios(), ids=named)
def test_its_sections_print_what_the_pages_say(
    scenario: snippets.Scenario, tmp_path: Path, lab: dict[str, str], request
):
    if status.lab() not in scenario.labs:
        pytest.skip(f"runs on {', '.join(scenario.labs)}")
    before = state.snapshot()
    ran = scenarios.run(scenario, tmp_path, {**lab, **scenarios.workers(scenario)})
    left = state.left(before)
    assert not [*ran.problems, *left], "\n".join([*ran.problems, *left])
    assert list(tmp_path.iterdir()) == []
    found = scenarios.expected(ran.outputs)
    if request.config.getoption("--update"):
        scenario.expected.write_text(found, encoding="utf-8")
    assert found == scenario.expected.read_text(encoding="utf-8")
