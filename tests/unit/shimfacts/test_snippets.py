"""How pages include files, and how a scenario is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from shimfacts import snippets

GOOD = """\
#!/bin/bash
# What it is about,
# on two lines.
#
# labs: deprecated removed
# nodes: NODE=dockershim OTHER=containerd
# changes: nothing
# seconds: 90
# shown: clean-up
set -euo pipefail
clean_up() {
  # --8<-- [start:clean-up]
  if true; then
    echo undone
  fi
  # --8<-- [end:clean-up]
}
trap clean_up EXIT
# --8<-- [start:set-up]
true
# --8<-- [end:set-up]
# --8<-- [start:step]
echo done
# --8<-- [end:step]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "snippets" / "scenarios" / "it.sh"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_includes_are_read_with_their_sections():
    text = (
        'a\n--8<-- "shell/a.sh"\n    -8<- "scenarios/b.sh:c-d"\n---8<--- "shell/a.sh:1:2"\nsee `--8<-- "x"`\n'
    )
    assert snippets.includes(text) == [
        snippets.Include("shell/a.sh", "", 2),
        snippets.Include("scenarios/b.sh", "c-d", 3),
        snippets.Include("shell/a.sh", "1:2", 4),
    ]


def test_a_scenario_is_read(tmp_path: Path):
    found = snippets.scenario(written(tmp_path, GOOD))
    assert found.purpose == "What it is about, on two lines."
    assert found.labs == ("deprecated", "removed")
    assert found.nodes == {"NODE": "dockershim", "OTHER": "containerd"}
    assert (found.changes, found.seconds, found.shown) == ("nothing", 90, ("clean-up",))
    assert found.sections == (
        snippets.Section("set-up", "true\n", 19),
        snippets.Section("step", "echo done\n", 22),
        snippets.Section("clean-up", "if true; then\n  echo undone\nfi\n", 12),
    )
    assert found.to_show == ("step", "clean-up")


def test_what_may_be_left_out(tmp_path: Path):
    lines = ("# nodes: NODE=dockershim OTHER=containerd\n", "# seconds: 90\n", "# shown: clean-up\n")
    text = GOOD
    for line in lines:
        text = text.replace(line, "")
    found = snippets.scenario(written(tmp_path, text))
    assert (found.nodes, found.seconds, found.shown) == ({}, snippets.SECONDS, ())
    assert found.to_show == ("step",)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("#!/bin/bash\n", "", 1, "begins with #!/bin/bash"),
        ("# What it is about,\n# on two lines.\n#\n", "", 2, "what the scenario is about"),
        ("# labs: deprecated removed\n", "", 2, "does not say `# labs: …`"),
        ("# changes: nothing\n", "# changes:\n", 2, "does not say `# changes: …`"),
        ("# seconds: 90", "# minutes: 90", 8, "has no key minutes"),
        ("# seconds: 90", "# seconds: soon", 8, "is a whole number, not soon"),
        ("# seconds: 90", "# seconds: 0", 8, "is a whole number, not 0"),
        ("# seconds: 90", "# labs: deprecated", 8, "labs stands twice"),
        ("# seconds: 90", "# and some prose", 8, "the keys of the head are last"),
        ("NODE=dockershim", "dockershim", 6, "not dockershim"),
        ("OTHER=", "NODE=", 6, "each variable once, not NODE=containerd"),
        ("# shown: clean-up", "# shown: step", 9, "not step"),
        ("set -euo pipefail\n", "", 18, "`set -euo pipefail` stands above the first section"),
        ("trap clean_up EXIT\n", "", 18, "the clean-up is set above the set-up"),
        ("set-up]", "before]", 1, "has a section set-up"),
        ("clean-up]", "after]", 1, "has a section clean-up"),
        ("[end:set-up]", "[end:step]", 21, "the section step has not begun"),
        ("# --8<-- [end:set-up]\n", "", 21, "the section set-up of line 19 has not ended"),
        ("# --8<-- [end:step]\n", "", 22, "the section step does not end"),
        ("step]", "set-up]", 22, "there are two sections set-up"),
        ("# --8<-- [start:step]", "#--8<-- [start: step ]", 22, "a mark is written"),
        ("# --8<-- [start:step]\necho done\n# --8<-- [end:step]\n", "", 1, "no section beside"),
    ],
)
def test_what_is_no_scenario(old: str, new: str, line: int, problem: str, tmp_path: Path):
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its text is what is looked at
        snippets.scenario(path)
    assert str(raised.value).startswith(f"snippets/scenarios/it.sh:{line}: ")
    assert problem in str(raised.value)


def test_a_trap_below_the_set_up_is_too_late(tmp_path: Path):
    text = GOOD.replace("trap clean_up EXIT\n", "").replace(
        "[end:set-up]\n", "[end:set-up]\ntrap clean_up EXIT\n"
    )
    with pytest.raises(ValueError, match="the clean-up is set above the set-up"):
        snippets.scenario(written(tmp_path, text))


def test_outputs_are_read_as_they_were_printed(tmp_path: Path):
    path = tmp_path / "it.out"
    printed = {"a": "  indented\n    more\n", "b": "", "c": "x\n\ny\n"}
    path.write_text(snippets.with_marks(printed))
    assert snippets.outputs(path) == printed


def test_sections_are_proofs_by_name(tmp_path: Path):
    written(tmp_path, GOOD)
    assert list(snippets.proofs(tmp_path)) == [
        f"snippets/scenarios/it.sh:{name}" for name in ("set-up", "step", "clean-up")
    ]
