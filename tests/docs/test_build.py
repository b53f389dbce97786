"""The hooks inside a real MkDocs build: what must come out, and what must stop it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from tests.support import project

from shimsite.checks import built as sitecheck
from shimsite.notebooks import rendered

HOME = """---
title: Home
description: Out on {{ fact("release", "bare") }}.
---

# Home { #home }

Out on {{ fact("release") }}, with {{ fact("the-flag") }} or `{{ fact("the-flag", "bare") }} now`.

See [the lab](labs/01-lab.ipynb#the-trap-part-2), [its first cell](labs/01-lab.ipynb#cell-one).

A template: `{{ .Status }}`; literally \\{{ fact("release") }}.

```text
{{ fact("release") }} {{ .Names }}
```

<!-- facts-table -->
"""
HOME_ZH = HOME.replace("# Home {", "# 首页 {").replace("Out on", "发布于")


def lab() -> object:
    table = v4.new_output(
        "execute_result",
        data={
            "text/plain": "table",
            "text/html": "<style>td{color:red}</style><script>go()</script>"
            '<table border="1" class="dataframe" onclick="x()"><tr><td>cell of a table</td></tr></table>',
        },
        execution_count=2,
    )
    return project.notebook(
        project.prose(
            "en",
            '# The lab\n\nFirst words of the "lab". [`Home`](../docs/en/index.md#home), [below](#cell-table)',
        ),
        project.prose(
            "zh", "# 实验\n\n实验的第一句。[`首页`](../docs/zh/index.md#home)、[下方](#cell-table)"
        ),
        project.code("print(1)", project.printed("one\n"), project.printed("two\n"), name="one"),
        project.prose(
            "en",
            '## The trap: part 2\n\n{{ fact("release") }}\n\n!!! note "N"\n\n    Inside.\n\n| a |\n| - |\n| b |',
        ),
        project.prose(
            "zh", '## 陷阱\n\n{{ fact("release") }}\n\n!!! note "注"\n\n    里面。\n\n| a |\n| - |\n| b |'
        ),
        project.code("table", table, name="table"),
        project.code("%%bash\nset -e\necho $HOME", project.printed("x\n", "stderr")),
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project.make(
        tmp_path_factory.mktemp("good"),
        {
            "docs/en/index.md": HOME,
            "docs/zh/index.md": HOME_ZH,
            "docs/en/only.md": "# Only { #only }\n\nEnglish.",
        },
        {"01-lab.ipynb": lab()},
        facts=project.FACTS + '  proof: "notebooks/01-lab.ipynb#one"\n',
    )
    for lang in ("en", "zh"):
        done = project.build_strictly(folder, lang)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def page(site: Path, uri: str) -> BeautifulSoup:
    return BeautifulSoup((site / uri / "index.html").read_text("utf-8"), "html.parser")


def test_facts_are_links_with_their_source(built: Path) -> None:
    links = page(built, "en").select("a.fact")
    assert [link.get_text() for link in links] == ["8 December 2020", "--some_flag=remote"]
    assert links[0]["href"] == "https://example.org/release"
    assert links[0]["title"] == "Source: The release (holds for 1.20)"
    assert page(built, "zh").select("a.fact")[0].get_text() == "2020 年 12 月 8 日"


def test_an_unverified_fact_is_marked(built: Path) -> None:
    paragraph = page(built, "en").select_one("article p")
    assert paragraph is not None
    assert [mark.get_text() for mark in paragraph.select(".fact-unverified")] == ["not verified"]


def test_code_takes_the_bare_value_and_other_braces_survive(built: Path) -> None:
    text = page(built, "en").select("article p")[0].get_text()
    assert "--some_flag=remote now" in text
    article = page(built, "en").select("article")[0].get_text()
    assert 'A template: {{ .Status }}; literally {{ fact("release") }}.' in article
    assert '{{ fact("release") }} {{ .Names }}' in page(built, "en").select("pre")[0].get_text()


def test_the_table_lists_each_fact_under_its_id(built: Path) -> None:
    rows = page(built, "zh").select("tbody tr[id]")
    assert [row["id"] for row in rows] == ["release", "the-flag"]
    assert "未经核实" in rows[1].get_text()


def test_descriptions_come_from_the_page_or_its_first_words(built: Path) -> None:
    def description(uri: str) -> str:
        return str(page(built, uri).select("meta[name=description]")[0]["content"])

    assert description("en") == "Out on 8 December 2020."
    assert description("en/labs/01-lab") == 'First words of the "lab". Home, below'


def test_a_notebook_has_one_language_and_the_same_anchors_in_both(built: Path) -> None:
    english, chinese = page(built, "en/labs/01-lab"), page(built, "zh/labs/01-lab")
    ids = [heading["id"] for heading in english.select("article :is(h1, h2)")]
    assert ids == ["the-lab", "the-trap-part-2"]
    assert [heading["id"] for heading in chinese.select("article :is(h1, h2)")] == ids
    assert "实验" not in english.select("article")[0].get_text()
    assert "First words" not in chinese.select("article")[0].get_text()
    outline = [link["href"] for link in chinese.select(".md-nav--secondary .md-nav__link[href]")]
    assert "#the-trap-part-2" in outline


def test_a_code_cell_has_the_same_anchor_in_both_languages(built: Path) -> None:
    for lang in ("en", "zh"):
        ids = [cell["id"] for cell in page(built, f"{lang}/labs/01-lab").select("article .nb-cell")]
        assert ids[:2] == ["cell-one", "cell-table"]
        assert all(str(each).startswith("cell-") for each in ids)
        assert page(built, lang).select('a[href="labs/01-lab/#cell-one"]')
    assert sitecheck.Site(built).problems() == []


def test_a_proof_leads_to_its_cell(built: Path) -> None:
    [link] = page(built, "zh").select('tr#the-flag a[href^="labs"]')
    assert link["href"] == "labs/01-lab/#cell-one"
    assert link.get_text() == "01#one"


def test_a_notebook_page_is_small_and_plain(built: Path) -> None:
    html = (built / "en/labs/01-lab/index.html").read_text("utf-8")
    assert len(html) < 60_000
    article = page(built, "en/labs/01-lab").select("article")[0]
    assert not article.select("style, script, [onclick], .jp-Cell, [tabindex]")
    assert [pre.get_text() for pre in article.select(".nb-output--text > pre")] == ["one\ntwo\n"]
    assert article.select(".nb-output--stderr")
    table = article.select(".nb-output--html table")[0]
    assert table.get_text() == "cell of a table"
    assert not table.attrs
    assert article.select(".admonition .admonition-title")[0].get_text() == "N"
    assert article.select("td")[0].get_text() == "b"
    sources = [block.get_text() for block in article.select(".nb-cell .highlight pre > code")]
    assert sources == ["print(1)\n", "table\n", "%%bash\nset -e\necho $HOME\n"]


def test_the_downloaded_notebook_stands_alone(built: Path) -> None:
    article = page(built, "zh/labs/01-lab").select("article")[0]
    link = article.select("a[download]")[0]
    downloaded = json.loads((built / "zh/labs/01-lab" / str(link["href"])).read_text("utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in downloaded["cells"])
    assert "https://dockershim.example/zh/#home" in text
    assert "https://dockershim.example/zh/labs/01-lab/#cell-table" in text
    assert "[2020 年 12 月 8 日](https://example.org/release)" in text
    assert "{{" not in text
    assert "lang:" not in json.dumps(downloaded)


def test_a_missing_translation_shows_the_english_page_under_a_notice(built: Path) -> None:
    article = page(built, "zh/only").select("article")[0]
    assert article.select(".untranslated")
    assert "English." in article.select("div[lang=en]")[0].get_text()
    assert not page(built, "en/only").select(".untranslated")


def test_the_switcher_leads_to_the_same_page(built: Path) -> None:
    for uri in ("", "labs/01-lab/", "only/"):
        for lang, other in (("en", "zh"), ("zh", "en")):
            href = str(page(built, f"{lang}/{uri}").select("a.shimlab-language")[0]["href"])
            target = (built / lang / uri / href).resolve()
            assert target == (built / other / uri).resolve()


def test_canonical_addresses_and_alternates(built: Path) -> None:
    canonical = page(built, "zh/labs/01-lab").select("link[rel=canonical]")[0]["href"]
    assert canonical == "https://dockershim.example/zh/labs/01-lab/"
    sitemap = (built / "en/sitemap.xml").read_text("utf-8")
    assert sitemap.startswith("<?xml")
    pairs = re.findall(r'hreflang="([\w-]+)" href="([^"]+)"', sitemap)
    assert ("zh", "https://dockershim.example/zh/labs/01-lab/") in pairs
    assert ("x-default", "https://dockershim.example/") in pairs


def test_the_root_leads_to_both_languages(built: Path) -> None:
    for name in ("index.html", "404.html", "robots.txt"):
        text = (built / name).read_text("utf-8")
        assert "en/" in text
        assert "zh/" in text
        assert "$" not in text


WRONG = {
    "a dead link in a cell": "'missing.md'",
    "a dead anchor in a cell": "does not contain an anchor '#nowhere'",
    "a dead anchor of its own": "no such anchor on this page",
    "a dead link to a notebook's anchor": "'labs/01-lab.ipynb' does not contain an anchor '#no-cell'",
    "a dead link to a cell": "'labs/01-lab.ipynb' does not contain an anchor '#cell-gone'",
    "a dead link to a cell of its own": "contains a link '#cell-far', but there is no such anchor on this page",
    "an unknown fact": "there is no fact 'nobody-knows'",
    "an unknown fact in a cell": "there is no fact 'unknown-in-cell'",
    "a link in code": 'write {{ fact("the-flag", "bare") }}',
    "an unknown form": "not 'huge'",
    "a reference that cannot be read": "cannot read the reference '{{ fact(release) }}'",
    "a page of another language": "a page of another language",
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    page_text = (
        "# Home { #home }\n\n[x](labs/01-lab.ipynb#no-cell) [y](labs/01-lab.ipynb#cell-gone)\n\n"
        '{{ fact("nobody-knows") }} `{{ fact("the-flag") }}`\n\n'
        '{{ fact("release", "huge") }} {{ fact(release) }}\n'
    )
    cell = (
        "# The lab\n\n[a](../missing.md) [b](../index.md#nowhere) [c](#nothing) [e](#cell-far) "
        '[d](../docs/zh/index.md) {{ fact("unknown-in-cell") }}'
    )
    folder = project.make(
        tmp_path_factory.mktemp("bad"),
        {"docs/en/index.md": page_text},
        {"01-lab.ipynb": project.notebook(project.prose("en", cell), project.code("1"))},
    )
    done = project.build_strictly(folder)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("what", WRONG)
def test_strict_fails_on(what: str, complaints: str) -> None:
    assert WRONG[what] in complaints


def test_a_page_of_a_notebook_that_was_kept_is_the_one_that_would_be_made(
    built: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(built.parent, folder)
    shutil.rmtree(folder / "site")
    kept = {path: path.stat().st_mtime_ns for path in (folder / rendered.FOLDER / "en").glob("*/*.json")}
    assert len(kept) == 1
    for text in ("one\n", "three\n"):
        notebook = folder / "notebooks" / "01-lab.ipynb"
        notebook.write_text(notebook.read_text("utf-8").replace('"one\\n"', json.dumps(text)), "utf-8")
        done = project.build_strictly(folder)
        assert done.returncode == 0, done.stdout + done.stderr
        now = {path: path.stat().st_mtime_ns for path in (folder / rendered.FOLDER / "en").glob("*/*.json")}
        written = (folder / "site/en/labs/01-lab/index.html").read_bytes()
        assert (now == kept) == (text == "one\n")
        assert (written == (built / "en/labs/01-lab/index.html").read_bytes()) == (text == "one\n")
