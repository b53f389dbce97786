"""Every command on a page is a file in snippets/, and every such file is on a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import project

from shimsite.checks import content

INCLUDE = '```shell\n--8<-- "shell/a.sh"\n```\n\n```text\n--8<-- "shell/a.out"\n```\n'
FILES = {"shell/a.sh": "true\n", "shell/a.out": "\n"}


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
    ],
)
def test_the_check(tmp_path: Path, page: str, snippets: dict[str, str], expected: list[str]) -> None:
    repository = project.make(tmp_path, {"docs/en/a.md": page}, snippets=snippets)
    found = list(content.snippet_problems(repository))
    assert len(found) == len(expected)
    assert all(problem.startswith(start) for problem, start in zip(found, expected, strict=True)), found
