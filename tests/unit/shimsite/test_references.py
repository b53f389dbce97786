"""References to facts in text: where they are replaced, how, and what is complained of."""

from __future__ import annotations

import html
import re

import pytest

from shimfacts.model import Fact, Source
from shimsite import references

SOURCE = (Source(title='The "source"', url="https://example.org/?a=1&b=2"),)


def fact(fact_id: str, value: str, kind: str = "text", **more: object) -> Fact:
    values = {"en": value, "zh": value}
    return Fact(id=fact_id, file="f.yaml", kind=kind, values=values, sources=SOURCE, **more)


FACTS = {
    made.id: made
    for made in (
        fact("v", "1.20"),
        fact("hard", "<a> *b* _c_ `d` [e](f) | & \\ %q", "message", component={"en": "x", "zh": "x"}),
        fact("open", "?", verified=False),
    )
}


def render(text: str, lang: str = "en", *, plain: bool = False) -> tuple[str, list[str]]:
    warnings: list[str] = []
    return references.render(text, FACTS, lang, warnings.append, plain=plain), warnings


@pytest.mark.parametrize(
    "text",
    [
        '```text\n{{ fact("v") }}\n```',
        "    {{ other('v') }}",
        "`{{ .Status }}` and {{ range .Items }}",
        "a fact (v)",
        "",
        "no newline",
        "a newline\n",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert render(text) == (text, [])


@pytest.mark.parametrize(
    "text", ['{{ fact("v", "bare") }}', "{{fact('v','bare')}}", "{{  fact( 'v' , \"bare\" ) }}"]
)
def test_ways_to_write_a_reference(text: str) -> None:
    assert render(f"a {text} b") == ("a 1&#46;20 b", []) or render(f"a {text} b") == ("a 1.20 b", [])


def test_a_backslash_shows_the_reference_itself() -> None:
    assert render('\\{{ fact("v") }} `\\{{ fact("gone") }}`') == ('{{ fact("v") }} `{{ fact("gone") }}`', [])


def test_a_value_sets_off_neither_markdown_nor_html() -> None:
    made, warnings = render('{{ fact("hard", "bare") }}')
    assert warnings == []
    assert not re.search(r"[<>*_`\[\]|\\]", made)
    assert html.unescape(made) == FACTS["hard"].value("en")
    linked, _ = render('{{ fact("hard") }}')
    inner = re.fullmatch(r'<a class="fact" href="[^"]*" title="[^"]*"><code>(.*)</code></a>', linked)
    assert inner
    assert html.unescape(inner[1]) == FACTS["hard"].value("en")


def test_inline_code_takes_the_value_to_the_letter() -> None:
    assert render('`a {{ fact("hard", "bare") }}`')[0] == f"`a {FACTS['hard'].value('en')}`"


def test_attributes_are_escaped() -> None:
    made, _ = render('{{ fact("v") }}')
    assert 'href="https://example.org/?a=1&amp;b=2"' in made
    assert 'title="Source: The &quot;source&quot;"' in made


def test_what_is_not_verified_says_so() -> None:
    assert "not verified" in render('{{ fact("open") }}')[0]
    assert "未经核实" in render('{{ fact("open") }}', "zh")[0]
    assert "未经核实" in render('{{ fact("open") }}', "zh", plain=True)[0]
    assert "not verified" not in render('{{ fact("open", "bare") }}')[0]


def test_a_plain_reference_is_a_markdown_link() -> None:
    assert render('{{ fact("hard") }}', plain=True)[0].startswith("[`<a>")
    assert render('{{ fact("v") }}', plain=True)[0].endswith("](https://example.org/?a=1&b=2)")


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ('{{ fact("gone") }}', "there is no fact 'gone'"),
        ('`{{ fact("gone", "bare") }}`', "there is no fact 'gone'"),
        ('{{ fact("v", "Bare") }}', "not 'Bare'"),
        ('`{{ fact("v") }}`', "no room for a link"),
        ("{{ fact(v) }}", "cannot read"),
        ('{{ fact("v" }}', "cannot read"),
        ('{{ fact("v") }', "cannot read"),
    ],
)
def test_what_cannot_be_replaced_is_reported(text: str, warning: str) -> None:
    made, warnings = render(f"a\n\n{text}")
    assert len(warnings) == 1
    assert warning in warnings[0]
    assert made.startswith("a\n\n")


def test_references_are_found_with_their_lines() -> None:
    text = '{{ fact("v") }}\n```\n{{ fact("x") }}\n```\n`{{ fact("y", "bare") }}` \\{{ fact("z") }}'
    found = [(ref.id, ref.form, ref.line, ref.in_code) for ref in references.refs(text, 10)]
    assert found == [("v", "", 10, False), ("y", "bare", 14, True)]
