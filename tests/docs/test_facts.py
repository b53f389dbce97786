"""Facts are well formed, have sources and proofs, are used, and are never copied into prose."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.support import project

from shimfacts import ledger, model
from shimfacts.proofs import Proofs
from shimsite.checks import facts as fact_checks

#: What the lab has no program for: another vendor's, or a release that it does not build.
SOURCE_ONLY = {
    "message": {"msg-endpoint-empty"},
    "socket": {"socket-containerd-of-docker", "socket-cri-dockerd", "socket-crio"},
}
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


def problems_of(folder: Path, page: str = USED, cell: str = "", more: str = "", code: str = "1") -> list[str]:
    notebook = project.notebook(project.prose("zh", cell or "x"), project.code(code))
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
        ("notebooks/01-a.ipynb#the-cell", None),
        ("notebooks/01-a.ipynb#other", "has no code cell of that id"),
        ("notebooks/02-b.ipynb#the-cell", "is not there"),
        ("tests/live/t.py::test_it", "is not there"),
    ],
)
def test_a_proof_exists_and_passed(tmp_path: Path, proof: str, what: str | None) -> None:
    more = f'  proof: "{proof}"\n'
    expected = [f"facts/all.yaml: the-flag: its proof {proof} {what}"] if what else []
    assert problems_of(tmp_path, more=more, code='"--some_flag=remote"') == expected


CELL_PROOF = '  proof: "notebooks/01-a.ipynb#the-cell"\n'


def test_a_proof_shows_the_value(tmp_path: Path) -> None:
    found = problems_of(tmp_path, more=CELL_PROOF, code='"--some_flag=remot"')
    assert found == [
        "facts/all.yaml: the-flag: its proof notebooks/01-a.ipynb#the-cell does not show its value"
    ]


def test_a_proof_that_changed_or_failed_since_is_none(tmp_path: Path) -> None:
    assert problems_of(tmp_path, more=CELL_PROOF, code='"--some_flag=remote"') == []
    project.recorded(tmp_path, "01-a.ipynb", ledger.FAILED)
    begins = "facts/all.yaml: the-flag: its proof notebooks/01-a.ipynb#the-cell"
    assert list(fact_checks.all_problems(tmp_path)) == [
        f"{begins} failed on {project.RECORDED} on lab deprecated; validate or record it again"
    ]
    path = tmp_path / "notebooks" / "01-a.ipynb"
    path.write_text(path.read_text("utf-8").replace("some_flag=remote", "some_flag=remote2"), "utf-8")
    assert list(fact_checks.all_problems(tmp_path)) == [
        f"{begins} has not run as it stands now; validate or record it again"
    ]


def test_a_message_that_is_changed_or_a_test_that_is_gone_is_found(root: Path, tmp_path: Path) -> None:
    for name in ("facts", "tests/live", "snippets", "notebooks"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    proof = "tests/live/nodes/test_facts.py::test_start_on_dockershim"

    def said() -> list[str]:
        known = model.load(tmp_path / "facts")
        return [Proofs(tmp_path, known).problem(proof, known["msg-start-grpc"])]

    assert said() == [""]
    messages = tmp_path / "facts" / "messages.yaml"
    text = messages.read_text("utf-8")
    messages.write_text(text.replace("Start dockershim grpc server", "Start dockershim grpc servor"), "utf-8")
    assert said()[0].startswith("has not run as it stands now")
    messages.write_text(text, "utf-8")
    test = tmp_path / proof.partition("::")[0]
    test.write_text(test.read_text("utf-8").replace("def test_start_on_dockershim", "def x"), "utf-8")
    assert said() == ["has no test test_start_on_dockershim"]


@pytest.mark.parametrize("kind", ["message", "socket", "flag"])
def test_what_a_lab_can_show_is_proved(root: Path, kind: str) -> None:
    unproved = {
        fact.id for fact in model.load(root / "facts").values() if fact.kind == kind and not fact.proofs
    }
    assert unproved == SOURCE_ONLY.get(kind, set())


GOOD = {"value": '"v"', "source": '[{title: "t", url: "https://example.org"}]'}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"source": None}, "lacks `source`"),
        ({"source": "[]"}, "`source` is a list of at least one"),
        ({"source": '[{title: "t"}]'}, "lacks `source.0.url`; it has title, url"),
        ({"source": '[{title: "t", url: "http://example.org"}]'}, "begins with https://"),
        ({"source": '[{title: " ", url: "https://example.org"}]'}, "`source.0.title` is empty"),
        ({"value": None}, "lacks `value`"),
        ({"value": "1.20"}, "bare number"),
        ({"value": "{en: x}"}, "exactly en and zh"),
        ({"value": '""'}, "`value` is empty"),
        ({"kind": "colour"}, "unknown kind 'colour'"),
        ({"kind": "date", "value": '"2020-13-01"'}, "month must be in 1..12"),
        ({"kind": "date", "value": '"December 2020"'}, "is not a date"),
        ({"verified": '"no"'}, "true or false"),
        ({"proof": "3"}, "is notebooks/NN-name.ipynb#cell, snippets/shell/NAME.sh or tests/"),
        ({"sources": "[]"}, "unknown key 'sources'; there are component, deprecated, kind, note, proof"),
        ({"versions": '"1.20-1.23"'}, "'1.20-1.23' is no range of releases"),
        ({"versions": '"1.23–1.20"'}, "'1.23–1.20' ends before it begins"),
        ({"deprecated": '"1.21"'}, "a text has no `deprecated`, only flag"),
        ({"protocol": "CRI"}, "a text has no `protocol`, only socket"),
        ({"kind": "flag"}, "a flag needs `component`"),
        ({"kind": "message"}, "a message needs `component`"),
        ({"kind": "socket", "component": "x"}, "a socket needs `protocol`"),
        ({"kind": "flag", "component": "{en: x}"}, "`component` is a text, or a mapping"),
        (
            {"kind": "flag", "component": "x", "deprecated": "1.20"},
            "`deprecated` is text in quotes, the first release",
        ),
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
    with pytest.raises(model.FactError, match=r"^some\.yaml:\d+: the-id: ") as caught:
        model.load(tmp_path)
    assert complaint in str(caught.value)


def test_an_id_is_used_once_and_well_formed(tmp_path: Path) -> None:
    entry = '{value: "v", source: [{title: "t", url: "https://example.org"}]}'
    (tmp_path / "a.yaml").write_text(f"x: {entry}\n", "utf-8")
    (tmp_path / "b.yaml").write_text(f"x: {entry}\n", "utf-8")
    with pytest.raises(model.FactError, match=r"b\.yaml:1: x: is already written in a\.yaml"):
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
