"""Rows of tables become entries of the search: what each is about, and what is left out."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from shimsite.search import rows

PAGE = """<h1 id="x">X</h1><p>Before.</p><div class="rows"><table role="table"{excluded}>
<thead role="rowgroup"><tr role="row"><th>Line</th></tr></thead><tbody>
{rows}
</tbody></table></div>"""


def page(*trs: str, excluded: str = "") -> str:
    return PAGE.format(rows="\n".join(trs), excluded=excluded)


def row(name: str, *cells: str) -> str:
    tds = "".join(f'<td data-label="L{number}" role="cell">{cell}</td>' for number, cell in enumerate(cells))
    return f'<tr id="{name}" role="row">{tds}</tr>'


def test_a_row_is_about_what_it_shows_first() -> None:
    _, found = rows.split(
        page(row("msg", "<code>a &lt;b&gt;</code><br><small>When  it\nis.</small>", "kubelet"))
    )
    assert found == [rows.Row("msg", "a &lt;b&gt;", "When it is. · L1: kubelet")]


def test_a_row_that_begins_with_a_number_is_about_what_stands_beside_it() -> None:
    _, found = rows.split(page(row("claim", '<a href="#claim">2</a>', "What is said.", "yes")))
    assert found == [rows.Row("claim", "What is said.", "L2: yes")]


def test_a_row_of_plain_text_is_not_told_twice() -> None:
    _, found = rows.split(page(row("host", "Debian, with <code>x</code>", "It works.")))
    assert found == [rows.Row("host", "Debian, with x", "L1: It works.")]


def test_what_is_not_for_the_search_is_left_out() -> None:
    cell = '<code>a</code><details data-search-exclude="true">3 sources</details>'
    state = '<span aria-hidden="true">●</span><span class="unseen">there</span>'
    _, found = rows.split(page(row("flag", cell, state)))
    assert found == [rows.Row("flag", "a", "L1: there")]


def test_the_theme_does_not_index_these_rows_once_more() -> None:
    html, found = rows.split(page(row("a", "<code>a</code>"), row("b", "<code>b</code>")))
    assert [each.id for each in found] == ["a", "b"]
    parts = BeautifulSoup(html, "html.parser").select("thead, tbody tr")
    assert [part.get("data-search-exclude") for part in parts] == ["row"] * 3


@pytest.mark.parametrize(
    "html",
    [
        "<p>No table.</p>",
        page(row("a", "<code>a</code>"), excluded=' data-search-exclude="true"'),
        page('<tr role="row"><td>no anchor</td></tr>'),
    ],
)
def test_a_page_without_such_rows_stays_as_it_is(html: str) -> None:
    assert rows.split(html) == (html, [])
