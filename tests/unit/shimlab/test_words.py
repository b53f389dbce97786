"""Wrong words on the command line, for every command that the parser has: an answer of two lines, and nothing begun."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from tests.support import command, commands
from tests.support.commands import Command
from tests.support.stand_in import Lab

from shimlab import cli, process
from shimlab.cluster import ahead, lifecycle
from shimlab.commands import words
from shimlab.migrate import kubelets

ALL = commands.commands()
ARGUMENTS = [(each, action) for each in ALL for action in each.actions]
#: What no argument may be, whatever it is for.
WRONG = [
    "",
    " ",
    "\t",
    "a\nb",
    "a\x1b[31mb",
    "a\x00b",
    "a\x7fb",
    "\udcff",
    "x" * 100_000,
    "--help",
    "-",
]
#: What the lab has none of.
FOREIGN = ["no-such-thing", "../..", "$(true); `true` | & *", "%s{0}节点", "x" * words.MOST]

#: Arguments of which the lab does not know what there is: an image that may be fetched, a folder that is to be made.
#: What can be none is tested where it is taken.
OPEN = ("image", "folder")


def called(each: Command) -> str:
    return " ".join(each.words)


def complaint(done: command.Done, *, statuses: tuple[int, ...]) -> str:
    """Say what is wrong with an answer to a wrong word; empty if nothing is."""
    lines = done.stderr.splitlines()
    usage = bool(lines) and lines[0].startswith("usage: ")
    said = [line for line in lines if not usage or line.startswith("shimlab")]
    if done.returncode not in statuses:
        return f"status {done.returncode}: {done.stdout[:200]} {done.stderr[:300]}"
    if len(said) != (1 if usage else 2) or len(lines) > 6 or max(map(len, lines)) > 1200:
        return f"{len(lines)} lines: {done.stderr[:300]}"
    if done.stdout or not done.stderr.replace("\n", "").isprintable():
        return f"printed {done.stdout[:300]!r}, said {done.stderr[:300]!r}"
    return ""


@pytest.fixture
def untouched(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab to which nothing may happen: no machine is made ready, no long program run, no file written."""
    for module, name in ((lifecycle, "prepare"), (ahead, "prepare"), (process, "stream")):
        monkeypatch.setattr(module, name, lambda *given, **more: pytest.fail("something was begun"))
    for node in lab.nodes:
        kubelets_there = f"ls {kubelets.FOLDER} 2>/dev/null || true"
        lab.says(node, "sh", "-c", kubelets_there, answer="v1.20.15\n")
    return lab


def files(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder but locks, which are empty and stay."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "lock" not in path.name
    }


def test_the_walk_sees_commands_of_both_depths_and_arguments_of_both_kinds() -> None:
    seen = {called(each) for each in ALL}
    assert {"up", "down", "status", "cri", "node exec", "node dockershim", "conformance"} <= seen
    found = {(called(each), action.dest) for each, action in ARGUMENTS}
    assert {("up", "image"), ("break", "node"), ("cri", "what"), ("node kubelet", "version")} <= found


@pytest.mark.parametrize(
    ("each", "action"), ARGUMENTS, ids=[f"{called(each)} {action.dest}" for each, action in ARGUMENTS]
)
def test_a_wrong_or_foreign_word_is_refused(
    untouched: Lab, tmp_path: Path, each: Command, action: argparse.Action
) -> None:
    before = files(tmp_path)
    # After an option's "=" two dashes are its value; elsewhere they end the options.
    wrong = [
        f"{word[:30]!r}: {why}"
        for word in [*WRONG, *(["--"] if action.option_strings else [])]
        if (why := complaint(command.inside(*each.line(action, word)), statuses=(2,)))
    ]
    wrong += [
        f"{word[:30]!r}: {why}"
        for word in FOREIGN
        if action.dest not in OPEN
        and (why := complaint(command.inside(*each.line(action, word)), statuses=(1, 2)))
    ]
    assert wrong == []
    assert files(tmp_path) == before
    assert {method for method, _, _ in untouched.api.asked} <= {"GET"}


@pytest.mark.parametrize("each", ALL, ids=called)
def test_what_a_command_does_not_take_is_refused(untouched: Lab, each: Command) -> None:
    more = [] if each.takes_anything else [[*each.line(), "too", "many", "words"], [*each.words, "--no-such"]]
    twice = [
        each.line(action, commands.FITS["node"], times=2)
        for action in each.actions
        if action.option_strings and not isinstance(action, argparse._AppendAction)
    ]
    too_long = (
        [[*each.words, "x" * 100_000, "\x1b[2J" * 1000, "--no-such"]] if not each.takes_anything else []
    )
    wrong = {
        " ".join(line)[:80]: why
        for line in more + twice + too_long
        if (why := complaint(command.inside(*line), statuses=(2,)))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "line",
    [[], [""], ["no-such"], ["x" * 100_000], ["--"], ["node"], ["node", ""], ["\x1b[2J"], ["up", "--lab"]],
    ids=lambda line: " ".join(line)[:12],
)
def test_no_command_or_none_that_there_is(line: list[str]) -> None:
    assert complaint(command.inside(*line), statuses=(2,)) == ""


def test_what_is_not_given_is_no_wrong_word() -> None:
    """A default may be what no word may be."""
    given = cli.parser().parse_args(["up"]), cli.parser().parse_args(["repair"])
    assert (given[0].image, given[1].name) == ("", "")


def test_what_is_refused_is_named_with_its_reason() -> None:
    told = command.inside("up", "--image", "").stderr.splitlines()[-1]
    assert told == "shimlab up: error: argument --image: it is empty"
    told = command.inside("break", "kubelet-stopped", "").stderr.splitlines()[-1]
    assert told == "shimlab break: error: argument NODE: it is empty"
    told = command.inside("up", "--lab", "removed", "--lab", "removed").stderr.splitlines()[-1]
    assert told == "shimlab up: error: argument --lab: it is given twice"
    told = command.inside("cri", "shimlab-worker2", "version", "--socket", "a\nb").stderr.splitlines()[-1]
    assert told.endswith("argument --socket: it has characters that cannot be shown: 'a\\nb'")


def test_a_command_for_a_node_may_hold_anything(lab: Lab) -> None:
    """Its words are the node's to judge: also empty ones, dashes and lines."""
    arguments = cli.parser().parse_args(
        ["node", "exec", "shimlab-worker", "--", "sh", "-c", "", "--x=--", "a\nb"]
    )
    assert [each for each in arguments.command if each != "--"] == ["sh", "-c", "", "--x=--", "a\nb"]
