"""Notebooks split by language, written as Markdown, and their cells taken out of mkdocs-jupyter's HTML."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from shimsite.notebooks import html as notebook_html
from shimsite.notebooks import split as notebooks


def cell(text: str, *tags: str) -> Any:
    return v4.new_markdown_cell(text, metadata={"tags": list(tags)})


def split(folder: Path, lang: str, *cells: Any) -> notebooks.SplitNotebook:
    path = folder / "01-a.ipynb"
    made = v4.new_notebook(metadata={"vscode": {}, "kernelspec": {"name": "python3", "display_name": "P"}})
    made.cells = list(cells)
    nbformat.write(made, path)
    return notebooks.split(path, lang)


def composed(notebook: notebooks.SplitNotebook, lang: str) -> tuple[str, list[str]]:
    warnings: list[str] = []
    return notebooks.compose(notebook, lang, warnings.append), warnings


PAIR = (cell("# First\n\n## Setup", "lang:en"), cell("# 一\n\n## 准备", "lang:zh"))


def test_only_one_language_is_left_and_no_language_tag(tmp_path: Path) -> None:
    notebook = split(tmp_path, "zh", *PAIR, cell("both"), v4.new_code_cell("1", metadata={"tags": ["keep"]}))
    assert [c.source for c in notebook.node.cells] == ["# 一\n\n## 准备", "both", "1"]
    assert [c.metadata.get("tags") for c in notebook.node.cells] == [None, None, ["keep"]]
    assert "vscode" not in notebook.node.metadata
    assert notebook.uri == "labs/01-a.ipynb"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_headings_have_the_english_ids_in_both_languages(tmp_path: Path, lang: str) -> None:
    more = (cell("## Setup", "lang:en"), cell("## 又一次准备", "lang:zh"))
    text, warnings = composed(split(tmp_path, lang, *PAIR, *more), lang)
    ids = [line.partition("{ ")[2] for line in text.splitlines() if line.startswith("#")]
    assert ids == ["#first }", "#setup }", "#setup-2 }"]
    assert warnings == []


def test_a_heading_without_an_english_twin_still_has_an_id(tmp_path: Path) -> None:
    text, _ = composed(split(tmp_path, "zh", cell("words", "lang:en"), cell("## 准备", "lang:zh")), "zh")
    assert text == "## 准备 { #准备 }\n"


def test_code_cells_leave_markers_in_their_order(tmp_path: Path) -> None:
    notebook = split(tmp_path, "en", v4.new_code_cell("1", id="a"), *PAIR, v4.new_code_cell("2", id="b"))
    text, _ = composed(notebook, "en")
    assert text.index(notebooks.marker(0, "a")) < text.index("# First") < text.index(notebooks.marker(1, "b"))
    assert 'id="cell-a"' in notebooks.marker(0, "a")


def test_links_work_as_in_the_repository_and_as_on_the_site(tmp_path: Path) -> None:
    source = "[a](../docs/en/x/y.md#z) [b](../x.md) ![c](../docs/en/p.svg) `[d](../docs/en/q.md)` [e](https://a.b/)"
    text, warnings = composed(split(tmp_path, "en", cell(source, "lang:en")), "en")
    expected = "[a](../x/y.md#z) [b](../x.md) ![c](../p.svg) `[d](../docs/en/q.md)` [e](https://a.b/)"
    assert text.strip() == expected
    assert warnings == []


def test_a_link_to_another_language_is_reported(tmp_path: Path) -> None:
    _, warnings = composed(split(tmp_path, "en", cell("[a](../docs/zh/x.md)", "lang:en")), "en")
    assert warnings == ["links to '../docs/zh/x.md', a page of another language"]


def test_the_portable_copy_links_to_the_published_pages(tmp_path: Path) -> None:
    source = (
        "[a](../docs/en/index.md) [b](../x/y.md#z) [c](02-b.ipynb#cell-x) [d](#here) [e](https://a.b/) [f](p.svg)"
        " [g](#cell-y)"
    )
    notebook = split(tmp_path, "en", cell(source, "lang:en"))
    node = notebooks.portable(notebook, "en", "https://h/en/", str.upper, lambda _: None)
    upper = [part.upper() for part in ("[a]", "[b]", "[c]", "[d]", "[e]", "[f]", "[g]")]
    assert [part.partition("(")[0] for part in node.cells[0].source.split(" ")] == upper
    node = notebooks.portable(notebook, "en", "https://h/en/", str, lambda _: None)
    assert node.cells[0].source == (
        "[a](https://h/en/) [b](https://h/en/x/y/#z) [c](https://h/en/labs/02-b/#cell-x) "
        "[d](#here) [e](https://a.b/) [f](p.svg) [g](https://h/en/labs/01-a/#cell-y)"
    )
    assert notebook.node.cells[0].source == source


def test_neighbouring_pieces_of_a_stream_are_joined() -> None:
    def stream(name: str, text: str) -> Any:
        return v4.new_output("stream", name=name, text=text)

    shown = v4.new_output("display_data", data={"text/plain": "x"})
    pieces = [
        stream("stdout", "a"),
        stream("stdout", "b"),
        stream("stderr", "c"),
        shown,
        stream("stdout", "d"),
    ]
    joined = notebooks.coalesced(pieces)
    assert [output.get("text", "–") for output in joined] == ["ab", "c", "–", "d"]
    assert pieces[0].text == "a"


# ---- HTML --------------------------------------------------------------------------------------------

PAGE = """<style>x{{}}</style><div class="jp-Notebook">
<div class="jp-Cell jp-CodeCell"><div class="jp-Cell jp-CodeCell">
<div class="jp-Cell-inputWrapper" tabindex="0"><div class="jp-InputPrompt">In [1]:</div>
<div class="zeroclipboard-container"><clipboard-copy>Copied!</clipboard-copy></div>
<div class="highlight-ipynb hl-python"><pre><span></span>{source}</pre></div>
<div class="clipboard-copy-txt">again</div></div>
<div class="jp-OutputArea-output" data-mime-type="{mime}">{output}</div></div></div></div>"""


def clean(
    output: str = "<pre>out\n</pre>", mime: str = "text/plain", source: str = '<span class="nb">print</span>'
) -> str:
    [made] = notebook_html.code_cells(PAGE.format(output=output, mime=mime, source=source))
    return made


def test_a_cell_is_its_source_and_its_output() -> None:
    assert clean() == (
        '<div class="highlight"><pre><code><span></span><span class="nb">print</span>'
        '</code></pre></div><div class="nb-output nb-output--text"><pre>out\n</pre></div>'
    )


def test_spans_without_a_colour_of_their_own_are_dropped() -> None:
    source = '<span class="n">a</span><span class="o">=</span><span class="mi">1</span>'
    assert 'a=<span class="mi">1</span>' in clean(source=source)


def test_shell_cells_are_coloured_as_shell() -> None:
    made = clean(source='<span class="o">%%</span>bash\necho <span class="s2">"&lt;hi&gt;"</span> # c')
    assert '<span class="nb">echo</span>' in made
    assert '<span class="c1"># c</span>' in made
    assert "&lt;hi&gt;" in made


@pytest.mark.parametrize(
    "bad",
    [
        "<script>x()</script>",
        "<style>td{}</style>",
        '<link rel="stylesheet" href="https://example.org/x.css">',
        '<iframe src="https://example.org"></iframe>',
    ],
)
def test_outputs_run_and_load_nothing(bad: str) -> None:
    assert clean(f"{bad}<p>kept</p>", "text/html") == clean("<p>kept</p>", "text/html")


def test_a_drawing_is_in_the_page_itself_and_runs_nothing() -> None:
    drawing = '<svg viewBox="0 0 9 9" onload="x()"><script>y()</script><text>words</text></svg>'
    source = b64encode(drawing.encode()).decode()
    made = clean(f'<img alt="x" src="data:image/svg+xml;base64,{source}">', "image/svg+xml")
    assert made.endswith(
        '<div class="nb-output nb-output--image"><svg viewbox="0 0 9 9"><text>words</text></svg></div>'
    )
    photo = '<img src="data:image/png;base64,AAAA"/>'
    assert photo in clean(photo, "image/png")


def test_outputs_lose_handlers_and_headings_and_tables_their_dress() -> None:
    made = clean(
        '<h2 id="x" onclick="y()">T</h2><table border="1" class="dataframe" style="a">'
        '<tr><td class="k">v</td></tr></table>',
        "text/html",
    )
    assert '<p class="nb-output__title">T</p><table><tr><td class="k">v</td></tr></table>' in made


def test_errors_look_like_standard_error() -> None:
    assert "nb-output--stderr" in clean(mime="application/vnd.jupyter.stderr")


def test_cells_fill_their_places() -> None:
    html = f"<p>a</p>{notebooks.marker(0, 'one')}<p>b</p>{notebooks.marker(1, 'two-2')}"
    assert notebook_html.fill(html, ["X\\1", "Y"]) == (
        '<p>a</p><div class="nb-cell" id="cell-one">X\\1</div>'
        '<p>b</p><div class="nb-cell" id="cell-two-2">Y</div>'
    )
    with pytest.raises(notebook_html.NotebookHtmlError, match="2 code cells, mkdocs-jupyter made 1"):
        notebook_html.fill(html, ["X"])
