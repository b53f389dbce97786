"""A table is one module with one interface, found by itself; its schema is made of the model that reads it."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest
from tests.support import project

from shimfacts import model
from shimfacts.schema import FactError, File
from shimsite import build
from shimsite.checks import facts, parity, schemas
from shimsite.tables import data, registry
from shimsite.tables.table import Table

COLOURS = """
    from shimfacts.schema import Lines, Model
    from shimsite.tables import writer
    from shimsite.tables.table import Rows


    class Colour(Model):
        id: str = ""
        said: Lines


    class Colours(Rows[Colour]):
        path, marks, schema = "tables/colours.yaml", ("<!-- colours -->",), dict[str, Colour]
        row, what = Colour, "ids to colours"

        def texts(self):
            yield from ((each.id, each.said) for each in self.rows)

        def render(self, mark, place):
            rows = [writer.Row(each.id, (each.said[place.lang],)) for each in self.rows]
            return writer.table("colours", ["C"], rows, place.lang)
"""


def test_every_table_of_the_site_is_found() -> None:
    assert [kind.path for kind in registry.kinds()] == [
        "tables/claims.yaml",
        "tables/cri-versions.yaml",
        "*.yaml",
        "tables/faults.yaml",
        "tables/glossary.yaml",
        "tables/hosts.yaml",
        "tables/search.yaml",
        "tables/steps.yaml",
        "tables/timeline.yaml",
    ]
    assert {path.name for path in (build.ROOT / "facts" / "tables").glob("*.yaml")} == {
        Path(kind.path).name for kind in registry.kinds() if "*" not in kind.path
    }


@pytest.fixture
def colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with a table of its own, which takes the place of the site's."""
    package = tmp_path / "of_a_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "colours.py").write_text(textwrap.dedent(COLOURS), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = registry.kinds(package, "of_a_test")
    monkeypatch.setattr(registry, "kinds", lambda: found)
    yield
    for name in ("of_a_test", "of_a_test.colours"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("colours")
def test_adding_a_table_is_adding_a_file(tmp_path: Path) -> None:
    (kind,) = registry.kinds()
    assert issubclass(kind, Table)
    rows = {"colours.yaml": 'red: {said: {en: "It [is](a.md) red.", zh: "红。"}}\n'}
    root = project.make(tmp_path / "root", {"docs/en/a.md": "x"}, tables=rows)
    # It is checked as prose, asked for its mark, shown on a page, and has a schema.
    problems = [*facts.all_problems(root), *parity.all_problems(root)]
    assert "facts/tables/colours.yaml: no page shows it; write <!-- colours --> where it belongs" in problems
    lacking = "facts/tables/colours.yaml: red: said: line 1: lacks the link to a.md of English line 1"
    assert lacking in problems, problems
    shown = data.load(root, pytest.fail).fill("<!-- colours -->", "en", "a.md", str, pytest.fail)
    assert '<tr id="red"' in shown
    assert "colours.json" in schemas.made()


# ---- Schemas ----------------------------------------------------------------------------------------


def test_the_schemas_are_those_of_the_models_and_each_file_names_its_own() -> None:
    assert list(schemas.problems(build.ROOT)) == []


def test_a_stale_schema_and_a_file_without_one_are_found(tmp_path: Path) -> None:
    root = project.make(tmp_path, {}, tables={"claims.yaml": "s1: {}\n"})
    folder = root / "facts" / "schemas"
    folder.mkdir()
    for name, text in schemas.made().items():
        (folder / name).write_text(text, "utf-8")
    assert list(schemas.problems(root)) == [
        "facts/all.yaml:1: its first line is # yaml-language-server: $schema=schemas/facts.json",
        "facts/tables/claims.yaml:1: its first line is # yaml-language-server: $schema=../schemas/claims.json",
    ]
    (folder / "facts.json").write_text("{}", "utf-8")
    assert "facts/schemas/facts.json is stale: " in next(schemas.problems(root))


def test_a_schema_says_what_a_file_may_hold() -> None:
    facts_ = json.loads(schemas.made()["facts.json"])
    fact = facts_["$defs"]["Fact"]
    assert set(fact["required"]) == {"value", "source"}
    # What a model calls its attributes, and where a fact was read, is no key of a file.
    assert {"id", "file", "values", "sources", "proofs"} & set(fact["properties"]) == set()
    assert set(fact["properties"]["kind"]["enum"]) == set(model.KINDS)
    assert fact["additionalProperties"] is False


# ---- Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("s1:\n  claim: {en: a, zh: b}\n", "t.yaml:2: s1: lacks `source`; "),
        (
            "s1:\n  value: v\n  source:\n    - {title: t, url: 'https://e.org'}\n    - {title: t, url: x}\n",
            None,
        ),
        (
            "s1:\n  value: v\n  note:\n    en: x\n    zh: 3\n  source: [{title: t, url: 'https://e.org'}]\n",
            "t.yaml:3: s1: `note` is empty or",
        ),
        ("a: 1\nb: 2\na: 3\n", "t.yaml: cannot be read: the key 'a' is here"),
        ("a:\n  - [b\n", "t.yaml: cannot be read: "),
    ],
)
def test_an_error_tells_file_and_line(tmp_path: Path, text: str, complaint: str | None) -> None:
    (tmp_path / "t.yaml").write_text(text, "utf-8")
    with pytest.raises(FactError) as caught:
        model.load(tmp_path)
    expected = complaint or "t.yaml:5: s1: `source.1.url` begins with https://, not 'x'"
    if complaint and "lacks" in complaint:
        expected = "t.yaml:2: s1: unknown key 'claim'; there are "
        assert str(caught.value).startswith((expected, "t.yaml:1: s1: lacks `value`"))
    else:
        assert str(caught.value).startswith(expected)


def test_the_line_of_a_part_that_is_not_there_is_that_of_what_holds_it(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("a:\n  b:\n    - c\n    - d: 1\n", "utf-8")
    file = File(tmp_path, "t.yaml")
    lines = [str(file.wrong("w", "", *path)) for path in (("a", "b", 1, "d"), ("a", "b", 7), ("x",), ())]
    assert lines == ["t.yaml:4: w", "t.yaml:2: w", "t.yaml:1: w", "t.yaml:1: w"]
