"""Every command on a page is a file in snippets/ or a section of one, and every such file and section is on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import project

from shimsite.checks import content

INCLUDE = '```shell\n--8<-- "shell/a.sh"\n```\n\n```text\n--8<-- "shell/a.out"\n```\n'
FILES = {"shell/a.sh": "true\n", "shell/a.out": "\n"}
HEAD = """\
#!/bin/bash
# Its purpose.
#
# labs: deprecated
# changes: nothing
set -euo pipefail
trap clean_up EXIT
"""
NAMES = ("clean-up", "set-up", "one", "two")
PRINTED = ("set-up", "one", "two", "clean-up")


def sections(names: tuple[str, ...]) -> str:
    return "".join(f"# --8<-- [start:{name}]\ntrue\n# --8<-- [end:{name}]\n" for name in names)


SCENARIO = {"scenarios/s.sh": HEAD + sections(NAMES), "scenarios/s.out": sections(PRINTED)}


def shown(*names: str, file: str = "scenarios/s.sh") -> str:
    return "".join(f'```shell\n--8<-- "{file}:{name}"\n```\n\n' for name in names)


def test_shell_fences_are_includes_and_no_snippet_is_idle(root: Path) -> None:
    problems = list(content.snippet_problems(root))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("page", "snippets", "expected"),
    [
        pytest.param(INCLUDE, FILES, [], id="right"),
        pytest.param("```json\n{}\n```\n" + INCLUDE, FILES, [], id="another language"),
        pytest.param(
            "````markdown\n```shell\nls\n```\n````\n" + INCLUDE, FILES, [], id="a fence shown in a fence"
        ),
        pytest.param(
            "# T\n\n```bash\nls\n```\n" + INCLUDE,
            FILES,
            ["docs/en/a.md:3: a shell fence"],
            id="a typed command",
        ),
        pytest.param(
            INCLUDE.replace("```shell\n", '``` {.sh title="x"}\nls\n'),
            FILES,
            ["docs/en/a.md:1: a shell fence"],
            id="a typed command beside an include",
        ),
        pytest.param(
            '- item\n\n    ```console\n    --8<-- "manifests/a.yaml"\n    ```\n',
            {"manifests/a.yaml": "a: 1"},
            ["docs/en/a.md:3: a shell fence"],
            id="an include of another folder, in a list",
        ),
        pytest.param(
            INCLUDE, {**FILES, "shell/b.sh": ""}, ["snippets/shell/b.sh: no page"], id="idle script"
        ),
        pytest.param(
            INCLUDE, {**FILES, "config/b.toml": ""}, ["snippets/config/b.toml: no page"], id="idle file"
        ),
        pytest.param(
            INCLUDE, {**FILES, "shell/c.out": ""}, ["snippets/shell/c.out: no page"], id="output of no script"
        ),
        pytest.param(
            shown("one", "two", file="shell/a.sh"),
            {"shell/a.sh": sections(("one", "two"))},
            [],
            id="sections of a snippet",
        ),
        pytest.param(
            shown("one", "three", file="shell/a.sh"),
            {"shell/a.sh": sections(("one", "two"))},
            [
                "docs/en/a.md:6: snippets/shell/a.sh has no section three",
                "snippets/shell/a.sh: no page includes its section two",
            ],
            id="a section that a snippet lacks, and one that no page shows",
        ),
        pytest.param(
            '```text\n--8<-- "shell/a.out"\n```\n', {}, ["docs/en/a.md:2: there is no"], id="no such file"
        ),
    ],
)
def test_the_check_of_snippets(
    tmp_path: Path, page: str, snippets: dict[str, str], expected: list[str]
) -> None:
    repository = project.make(tmp_path, {"docs/en/a.md": page}, snippets=snippets)
    found = list(content.snippet_problems(repository))
    assert len(found) == len(expected)
    assert all(problem.startswith(start) for problem, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("page", "files", "expected"),
    [
        pytest.param(shown("one", "two"), {}, [], id="right"),
        pytest.param(
            shown("one") + '```text\n--8<-- "scenarios/s.out:one"\n```\n' + shown("two"),
            {},
            [],
            id="with an output",
        ),
        pytest.param(
            '```shell\n--8<-- "scenarios/s.sh:one"\n--8<-- "scenarios/s.sh:two"\n```\n',
            {},
            [],
            id="in one fence",
        ),
        pytest.param(
            shown("one"),
            {},
            [
                f"snippets/scenarios/s.sh: no page in docs/{lang} includes its section two"
                for lang in ("en", "zh")
            ],
            id="a section that no page shows",
        ),
        pytest.param(
            shown("one", "two", "three"),
            {},
            [f"docs/{lang}/a.md:10: snippets/scenarios/s.sh has no section three" for lang in ("en", "zh")],
            id="a section that it lacks",
        ),
        pytest.param(
            shown("one", "two") + '```text\n--8<-- "scenarios/s.out:three"\n```\n',
            {},
            [f"docs/{lang}/a.md:10: snippets/scenarios/s.out has no section three" for lang in ("en", "zh")],
            id="the output of a section that it lacks",
        ),
        pytest.param(
            shown("two", "one"),
            {},
            [f"docs/{lang}/a.md:6: scenarios/s.sh shows one after two" for lang in ("en", "zh")],
            id="in another order",
        ),
        pytest.param(
            shown("one", "two", "one"),
            {},
            [f"docs/{lang}/a.md:10: scenarios/s.sh shows one after two" for lang in ("en", "zh")],
            id="one twice",
        ),
        pytest.param(
            shown("set-up", "one", "two"),
            {},
            [f"docs/{lang}/a.md:2: shows the set-up" for lang in ("en", "zh")],
            id="the set-up unasked",
        ),
        pytest.param(
            shown("set-up", "one", "two", "clean-up"),
            {
                "scenarios/s.sh": SCENARIO["scenarios/s.sh"].replace(
                    "set -e", "# shown: set-up clean-up\nset -e"
                )
            },
            [],
            id="set-up and clean-up where the head says so",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/s.sh": SCENARIO["scenarios/s.sh"].replace("set -e", "# shown: set-up\nset -e")},
            [
                f"snippets/scenarios/s.sh: no page in docs/{lang} includes its section set-up"
                for lang in ("en", "zh")
            ],
            id="a set-up that has to be shown",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/s.out": sections(("set-up", "two", "one", "clean-up"))},
            ["snippets/scenarios/s.sh: s.out has the output of set-up, two, one, clean-up, and not of"],
            id="outputs of another order",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/s.out": sections(PRINTED[:-1])},
            ["snippets/scenarios/s.sh: s.out has the output of set-up, one, two, and not of"],
            id="an output that is not recorded",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/s.out": "# --8<-- [start:one]\n"},
            ["snippets/scenarios/s.out:1: the section one does not end"],
            id="outputs that cannot be read",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/s.sh": SCENARIO["scenarios/s.sh"].replace("trap", "# trap")},
            ["snippets/scenarios/s.sh:11: the clean-up is set above the set-up"],
            id="no scenario",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/lib.py": ""},
            ["snippets/scenarios/lib.py: is neither a scenario"],
            id="another file",
        ),
        pytest.param(
            shown("one", "two"),
            {"scenarios/t.out": ""},
            ["snippets/scenarios/t.out: is neither a scenario"],
            id="the output of none",
        ),
    ],
)
def test_the_check_of_scenarios(
    tmp_path: Path, page: str, files: dict[str, str], expected: list[str]
) -> None:
    pages = {"docs/en/a.md": page, "docs/zh/a.md": page}
    repository = project.make(tmp_path, pages, snippets={**SCENARIO, **files})
    (repository / "snippets" / "scenarios" / "s.sh").chmod(0o755)
    found = list(content.snippet_problems(repository))
    assert len(found) == len(expected), found
    assert all(problem.startswith(start) for problem, start in zip(found, expected, strict=True)), found


def test_each_language_shows_all_sections_and_the_script_can_be_executed(tmp_path: Path) -> None:
    pages = {"docs/en/a.md": shown("one", "two"), "docs/zh/a.md": shown("two")}
    found = list(content.snippet_problems(project.make(tmp_path, pages, snippets=SCENARIO)))
    assert found == [
        "snippets/scenarios/s.sh: cannot be executed; chmod +x",
        "snippets/scenarios/s.sh: no page in docs/zh includes its section one",
    ]
