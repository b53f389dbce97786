"""Facts are well formed, have sources and proofs, are used, and are never copied into prose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support import project

from shimfacts import model
from shimsite.checks import facts as fact_checks

USED = '# T { #t }\n\n{{ fact("release") }} `{{ fact("the-flag", "bare") }}`\n'


def test_facts_are_sourced_proved_used_and_nowhere_copied(root: Path) -> None:
    problems = list(fact_checks.all_problems(root))
    assert not problems, "\n".join(problems)


def test_there_are_facts(root: Path) -> None:
    assert model.load(root / "facts")


@pytest.mark.parametrize(
    ("kind", "page"),
    [("flag", "flags"), ("socket", "sockets"), ("message", "messages"), ("date", "dates"), ("name", "names")],
)
def test_each_fact_is_on_the_page_of_its_kind_and_on_that_of_all(
    root: Path, site: Path, kind: str, page: str
) -> None:
    known = model.load(root / "facts").values()
    for lang in model.LANGUAGES:
        for name, expected in (
            (page, [fact.id for fact in known if fact.kind == kind]),
            ("facts", [fact.id for fact in known]),
        ):
            html = (site / lang / "reference" / name / "index.html").read_text("utf-8")
            assert sorted(re.findall(r'<tr id="([^"]+)"', html)) == sorted(expected), (lang, name)


def problems_of(folder: Path, page: str = USED, cell: str = "", more: str = "") -> list[str]:
    notebook = project.notebook(project.prose("zh", cell or "x"), project.code("1"))
    notebook.cells[1]["id"] = "the-cell"
    made = project.make(folder, {"docs/zh/p.md": page}, {"01-a.ipynb": notebook}, facts=project.FACTS + more)
    return list(fact_checks.all_problems(made))


def test_the_check_accepts_what_is_right(tmp_path: Path) -> None:
    innocent = (
        "\n```text\n--some_flag=remote on 2020-12-08\n```\n\n"
        "[a link](https://example.org/2020-12-08) <!-- 2020-12-08 --> --some_flag=remote-ish v2020-12-081\n"
    )
    assert problems_of(tmp_path, USED + innocent) == []


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("发布于 2020-12-08。", "release"),
        ("发布于 2020 年 12 月 8 日。", "release"),
        ("标志是 `--some_flag=remote`。", "the-flag"),
        ("| 表格 | --some_flag=remote |", "the-flag"),
    ],
)
def test_a_copied_value_is_found(tmp_path: Path, line: str, fact: str) -> None:
    found = problems_of(tmp_path, f"---\ntitle: x\n---\n{USED}\n{line}\n")
    assert len(found) == 1
    assert found[0].startswith("docs/zh/p.md:8: ")
    assert f'{{{{ fact("{fact}") }}}}' in found[0]


def test_a_copied_value_is_found_in_a_cell_and_in_a_description(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path, f"---\ndescription: 2020-12-08\n---\n{USED}", cell="a\n\n2020 年 12 月 8 日"
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        "docs/zh/p.md:2",
        "notebooks/01-a.ipynb, cell 1:3",
    ]


def test_an_idle_fact_is_found(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path, '# T { #t }\n\n{{ fact("release") }}\n\n```text\n{{ fact("the-flag") }}\n```\n'
    )
    assert found == ["facts/all.yaml: the-flag: no page and no notebook uses it"]


def test_the_table_of_its_kind_is_a_use_of_a_fact_and_the_list_of_all_is_none(tmp_path: Path) -> None:
    release = '# T { #t }\n\n{{ fact("release") }}\n\n'
    assert problems_of(tmp_path / "kind", release + "<!-- facts-table: flag -->\n") == []
    idle = ["facts/all.yaml: the-flag: no page and no notebook uses it"]
    assert problems_of(tmp_path / "all", release + "<!-- facts-table -->\n") == idle
    assert problems_of(tmp_path / "other", release + "<!-- facts-table: socket -->\n") == idle


def test_a_date_is_used_where_it_is_told_of_not_where_all_are_listed(tmp_path: Path) -> None:
    page = '# T { #t }\n\n{{ fact("the-flag") }}\n\n<!-- facts-table: date -->\n'
    assert problems_of(tmp_path, page) == ["facts/all.yaml: release: no page and no notebook uses it"]


@pytest.mark.parametrize(
    ("proof", "what"),
    [
        ("notebooks/01-a.ipynb", None),
        ("notebooks/01-a.ipynb#the-cell", None),
        ("notebooks/01-a.ipynb#other", "has no code cell of that id"),
        ("notebooks/02-b.ipynb", "is not there"),
        ("docs/zh/p.md#the-cell", "names a cell, but is no notebook"),
    ],
)
def test_a_proof_exists(tmp_path: Path, proof: str, what: str | None) -> None:
    more = f'  proof: "{proof}"\n'
    expected = [f"facts/all.yaml: the-flag: its proof {proof} {what}"] if what else []
    assert problems_of(tmp_path, more=more) == expected


GOOD = {"value": '"v"', "source": '[{title: "t", url: "https://example.org"}]'}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"source": None}, "`source` is a list of at least one"),
        ({"source": "[]"}, "`source` is a list of at least one"),
        ({"source": '[{title: "t"}]'}, "exactly `title` and `url`"),
        ({"source": '[{title: "t", url: "http://example.org"}]'}, "begins with https://"),
        ({"source": '[{title: " ", url: "https://example.org"}]'}, "no title"),
        ({"value": None}, "`value` is a text"),
        ({"value": "1.20"}, "bare number"),
        ({"value": "{en: x}"}, "exactly en and zh"),
        ({"value": '""'}, "`value` is empty"),
        ({"kind": "colour"}, "unknown kind 'colour'"),
        ({"kind": "date", "value": '"2020-13-01"'}, "month must be in 1..12"),
        ({"kind": "date", "value": '"December 2020"'}, "is not a date"),
        ({"verified": '"no"'}, "true or false"),
        ({"proof": "3"}, "`proof` is text"),
        ({"sources": "[]"}, "unknown key 'sources'; a text has kind, note, proof"),
        ({"versions": '"1.20-1.23"'}, "'1.20-1.23' is no range of releases"),
        ({"versions": '"1.23–1.20"'}, "'1.23–1.20' ends before it begins"),
        ({"deprecated": '"1.21"'}, "unknown key 'deprecated'"),
        ({"protocol": "CRI"}, "unknown key 'protocol'"),
        ({"kind": "flag"}, "a flag needs `component`"),
        ({"kind": "message"}, "a message needs `component`"),
        ({"kind": "socket", "component": "x"}, "a socket needs `protocol`"),
        ({"kind": "flag", "component": "{en: x}"}, "`component` is a text, or a mapping"),
        ({"kind": "flag", "component": "x", "deprecated": "1.20"}, "`deprecated` is text in quotes"),
        ({"kind": "flag", "component": "x", "deprecated": '"soon"'}, "'soon' is no release"),
        (
            {"kind": "flag", "component": "x", "versions": '"–1.23"', "deprecated": '"1.24"'},
            "was deprecated in 1.24, but exists in –1.23 only",
        ),
    ],
)
def test_a_fact_against_the_schema_names_file_id_and_fault(
    tmp_path: Path, change: dict[str, str | None], complaint: str
) -> None:
    entry = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    text = "the-id:\n" + "".join(f"  {key}: {value}\n" for key, value in entry.items())
    (tmp_path / "some.yaml").write_text(text, "utf-8")
    with pytest.raises(model.FactError, match=r"^some\.yaml: the-id: ") as caught:
        model.load(tmp_path)
    assert complaint in str(caught.value)


def test_an_id_is_used_once_and_well_formed(tmp_path: Path) -> None:
    entry = '{value: "v", source: [{title: "t", url: "https://example.org"}]}'
    (tmp_path / "a.yaml").write_text(f"x: {entry}\n", "utf-8")
    (tmp_path / "b.yaml").write_text(f"x: {entry}\n", "utf-8")
    with pytest.raises(model.FactError, match=r"b\.yaml: x: is already written in a\.yaml"):
        model.load(tmp_path)
    (tmp_path / "b.yaml").write_text(f"y: {entry}\ny: {entry}\n", "utf-8")
    with pytest.raises(model.FactError, match=r"b\.yaml: cannot be read: the key 'y' is here"):
        model.load(tmp_path)
    (tmp_path / "b.yaml").write_text(f"Upper_Case: {entry}\n", "utf-8")
    with pytest.raises(model.FactError, match="an id is small letters"):
        model.load(tmp_path)


def test_dates_are_spelt_in_both_languages() -> None:
    assert model.spell_date("2020-12-08", "en") == "8 December 2020"
    assert model.spell_date("2020-12-08", "zh") == "2020 年 12 月 8 日"
    assert model.spell_date("2024-05", "en") == "May 2024"
    assert model.spell_date("2024-05", "zh") == "2024 年 5 月"


def test_versions_are_spelt_in_both_languages() -> None:
    spelt = {
        v: (model.spell_versions(v, "en"), model.spell_versions(v, "zh")) for v in ("1.20", "–1.23", "1.24–")
    }
    assert spelt == {
        "1.20": ("holds for 1.20", "适用于 1.20"),
        "–1.23": ("holds up to 1.23", "至 1.23 为止"),
        "1.24–": ("holds from 1.24 on", "自 1.24 起"),
    }
