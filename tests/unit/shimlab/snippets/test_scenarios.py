"""The runner of scenarios, with scripts that need no lab."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shimfacts import snippets
from shimlab.snippets import scenarios
from shimlab.waiting import wait

HEAD = """\
#!/bin/bash
# Something is done and undone.
#
# labs: deprecated
# changes: files in this folder
# seconds: {seconds}
set -euo pipefail

clean_up() {{
  # --8<-- [start:clean-up]
  {clean_up}
  # --8<-- [end:clean-up]
}}
trap clean_up EXIT
"""
SECTION = """
# --8<-- [start:{name}]
{text}
# --8<-- [end:{name}]
"""
PATH = {"PATH": os.environ["PATH"]}


def written(
    folder: Path, *steps: str, set_up: str = "true", clean_up: str = "touch ../cleaned", seconds: int = 20
) -> snippets.Scenario:
    """Write a scenario whose steps are called one, two and three."""
    text = HEAD.format(clean_up=clean_up, seconds=seconds) + SECTION.format(name="set-up", text=set_up)
    for name, step in zip(("one", "two", "three"), steps, strict=False):
        text += SECTION.format(name=name, text=step)
    path = folder / "scenarios" / "it.sh"
    path.parent.mkdir()
    path.write_text(text)
    return snippets.scenario(path)


def ran(scenario: snippets.Scenario) -> scenarios.Ran:
    """Run it in an empty folder beside its own."""
    folder = scenario.path.parents[1] / "empty"
    folder.mkdir()
    return scenarios.run(scenario, folder, PATH)


def cleaned(folder: Path) -> bool:
    return (folder / "cleaned").exists()


def test_sections_run_in_order_in_one_shell(tmp_path: Path):
    scenario = written(
        tmp_path,
        'echo "one $word"; word=changed; mkdir down; cd down',
        'echo "two $word ${PWD##*/}"; cd ..; rmdir down',
        set_up="word=first",
        clean_up='touch ../cleaned; echo "clean $word"',
    )
    done = ran(scenario)
    assert done.problems == ()
    assert dict(done.outputs) == {
        "set-up": "",
        "one": "one first\n",
        "two": "two changed down\n",
        "clean-up": "clean changed\n",
    }
    assert list(done.outputs) == ["set-up", "one", "two", "clean-up"]
    assert cleaned(tmp_path)


def test_outputs_stay_apart_without_newlines_and_with_jobs_in_the_background(tmp_path: Path):
    done = ran(
        written(
            tmp_path,
            "printf open; { until [[ -e go ]]; do sleep 0.01; done; echo late; } & job=$!",
            "printf 'more\\n\\n'; touch go; wait \"$job\"; rm go",
        )
    )
    assert done.problems == ()
    assert done.outputs["one"] == "openlate\n"
    assert done.outputs["two"] == "more\n\n"


@pytest.mark.parametrize(
    "failing", ["false", "false | cat", 'echo "$unset_here"', "[[ a == b ]] && echo yes", "exit 3"]
)
def test_a_failing_section_is_named_with_its_output_and_the_clean_up_runs(failing: str, tmp_path: Path):
    done = ran(written(tmp_path, "echo fine", f"echo seen; echo told >&2\n{failing}", "touch ../reached"))
    assert len(done.problems) == 1
    assert done.problems[0].startswith("the section two failed:\n  seen\n  told")
    assert not (tmp_path / "reached").exists()
    assert done.outputs["three"] == ""
    assert cleaned(tmp_path)


def test_an_error_names_the_line_of_the_script(tmp_path: Path):
    scenario = written(tmp_path, 'echo "$unset_here"')
    number = scenario.path.read_text().splitlines().index('echo "$unset_here"') + 1
    assert f"it.sh: line {number}: unset_here: unbound variable" in ran(scenario).problems[0]


def test_a_failing_set_up_is_cleaned_up(tmp_path: Path):
    done = ran(written(tmp_path, "touch ../reached", set_up="touch half; false", clean_up="rm half"))
    assert [problem.split(":")[0] for problem in done.problems] == [
        "the section set-up failed, and printed nothing"
    ]
    assert not (tmp_path / "reached").exists()
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_failing_clean_up_is_red(tmp_path: Path):
    done = ran(written(tmp_path, "echo fine", clean_up="echo it is stuck; false"))
    assert done.problems == ("the clean-up failed:\n  it is stuck",)


def test_both_a_section_and_the_clean_up_fail(tmp_path: Path):
    done = ran(written(tmp_path, "echo one; false", clean_up="echo two; false"))
    assert done.problems == ("the section one failed:\n  one", "the clean-up failed:\n  two")


def test_a_section_that_ends_the_scenario_is_red(tmp_path: Path):
    done = ran(written(tmp_path, "echo one; exit 0", "echo two"))
    assert done.problems == ("the section one ended the scenario before its own end:\n  one",)


def test_a_section_that_turns_checks_off_is_red(tmp_path: Path):
    done = ran(written(tmp_path, "set +e; false; true"))
    assert done.problems == ("the section one failed:\n  it turned off what 'set -euo pipefail' turned on",)


def test_a_clean_up_that_is_taken_away_is_red(tmp_path: Path):
    assert ran(written(tmp_path, "trap - EXIT")).problems == ("the clean-up did not run",)


def test_a_complaint_on_stderr_is_red_and_progress_is_none(tmp_path: Path):
    done = ran(written(tmp_path, "echo '• A step' >&2", "echo 'warning: old' >&2"))
    assert done.problems == ("the section two complains on stderr:\n  warning: old",)


def test_what_fails_between_sections_is_placed_and_what_is_printed_there_is_red(tmp_path: Path):
    scenario = written(tmp_path, "echo one")
    text = scenario.path.read_text()
    scenario.path.write_text(text + "echo nobody sees this\n")
    assert ran(scenario).problems == (
        "no reader sees this, which is printed outside of the sections:\n  nobody sees this",
    )
    (tmp_path / "empty").rmdir()
    scenario.path.write_text(text + "false\n")
    assert ran(scenario).problems == ("what follows the section one failed, and printed nothing",)


def test_a_section_that_runs_twice_is_red(tmp_path: Path):
    scenario = written(tmp_path, "echo one")
    lines = scenario.path.read_text().splitlines()
    start = lines.index("# --8<-- [start:one]")
    again = [*lines[:start], "for _ in 1 2; do", *lines[start:], "done", ""]
    scenario.path.write_text("\n".join(again))
    assert ran(scenario).problems == (
        "the sections ran as set-up, one, one, clean-up, not as set-up, one, clean-up",
    )


@pytest.mark.parametrize("ignored", ["", "trap '' INT; ", "trap 'exit 0' INT; ", "trap '' INT TERM; "])
def test_a_section_that_takes_too_long_is_stopped_and_cleaned_up(
    ignored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scenarios, "GRACE", 5)
    hanging = f'echo begun; bash -c "{ignored}sleep 60; exit"'
    done = ran(written(tmp_path, hanging, "sleep 60", seconds=2))
    assert done.problems[0].splitlines()[:2] == ["the section one did not end within 2 s:", "  begun"]
    assert len(done.problems) == 1
    assert cleaned(tmp_path)


def test_each_section_has_its_own_time(tmp_path: Path):
    done = ran(written(tmp_path, "sleep 1.2", "sleep 1.2", "sleep 1.2", seconds=2))
    assert done.problems == ()


def test_a_clean_up_that_takes_too_long_is_ended(tmp_path: Path):
    began = time.monotonic()
    done = ran(written(tmp_path, "echo one; false", clean_up="echo stuck; sleep 60", seconds=2))
    assert done.problems == (
        "the section one failed:\n  one",
        "the clean-up did not end within 2 s:\n  stuck",
    )
    assert time.monotonic() - began < 30


def test_what_is_left_running_is_red_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scenarios, "GRACE", 1)
    done = ran(written(tmp_path, "sleep 60 & echo $! >../pid"))
    assert done.problems == ("what it started in the background still ran after its clean-up",)
    wait(lambda: not Path("/proc", (tmp_path / "pid").read_text().strip()).exists(), "the job is gone", 10)


def test_interrupted_it_cleans_up_and_says_where_it_was(tmp_path: Path):
    scenario = written(tmp_path, "touch ../begun; sleep 60", "touch ../reached", clean_up="touch ../cleaned")
    folder = tmp_path / "empty"
    folder.mkdir()
    code = (
        "import os, sys; from pathlib import Path; from shimfacts import snippets;"
        "from shimlab.snippets import scenarios;"
        "scenarios.run(snippets.scenario(Path(sys.argv[1])), Path(sys.argv[2]), os.environ)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(scenario.path), str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    wait((tmp_path / "begun").exists, "the section has begun", 30)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert "it.sh: the section one was interrupted, and printed nothing\n" in told
    assert "KeyboardInterrupt" in told
    assert cleaned(tmp_path)
    assert not (tmp_path / "reached").exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_operator_runs_it_as_it_is_and_interrupts_it(sign: signal.Signals, tmp_path: Path):
    scenario = written(tmp_path, "touch ../begun; sleep 60", "touch ../reached")
    folder = tmp_path / "empty"
    folder.mkdir()
    # A terminal's Ctrl-C reaches the whole group.
    child = subprocess.Popen(["bash", str(scenario.path)], cwd=folder, start_new_session=True)
    wait((tmp_path / "begun").exists, "the section has begun", 30)
    os.killpg(child.pid, sign)
    assert child.wait(timeout=30) != 0
    assert cleaned(tmp_path)
    assert not (tmp_path / "reached").exists()


def test_an_operator_sees_all_outputs_in_order(tmp_path: Path):
    scenario = written(tmp_path, "echo one", "echo two", clean_up="echo clean")
    done = subprocess.run(["bash", scenario.path], capture_output=True, text=True, check=True)
    assert done.stdout == "one\ntwo\nclean\n"


def test_outputs_are_recorded_normalised_and_read_again(tmp_path: Path):
    outputs = {
        "set-up": "",
        "one": "W1123 07:50:01.123456     210 kubelet.go:297] x\n",
        "two": "  indented\n\nthen not  ",
    }
    text = scenarios.expected(outputs)
    file = tmp_path / "it.out"
    file.write_text(text)
    assert snippets.outputs(file) == {
        "set-up": "",
        "one": "W<mmdd> <hh:mm:ss.micros> <pid> kubelet.go:297] x\n",
        "two": "  indented\n\nthen not\n",
    }
    assert scenarios.expected(snippets.outputs(file)) == text


def test_an_output_that_pages_would_misread_is_refused():
    with pytest.raises(ValueError, match=r"the section one prints `-8<-`"):
        scenarios.expected({"one": "--8<-- [end:one]\n"})
