"""Markdown cut into blocks: what each is, in what it stands, on which line, and what its words hold."""

from __future__ import annotations

from shimsite.languages import blocks

TEXT = """\
# One { #one }

A paragraph of
two lines, with `code` and `{{ fact("a", "bare") }}` and {{ fact("b") }}.

- An item

    with a paragraph

    1. and a numbered item
- ```sh
  ls  # all
  ```

!!! note "A title of 7"

    Inside `x`.

=== "A tab"

    ```yaml
    --8<-- "config/a.yaml"
    ```

| A | B |
| - | - |
| C `d` | |

<!-- glossary -->

<div class="wide" id="here" markdown>

> Quoted.

</div>

Term
:   What it means.
"""


def test_blocks_in_order() -> None:
    found = [(block.line, block.name) for block in blocks.blocks(TEXT)]
    assert found == [
        (1, "heading # { #one }"),
        (3, "paragraph"),
        (6, "list item"),
        (8, "paragraph in item"),
        (10, "numbered item in item"),
        (11, "list item"),
        (11, "```sh / ls in item"),
        (15, "!!! note"),
        (17, "paragraph in note"),
        (19, "!!! tab"),
        (21, '```yaml / --8<-- "config/a.yaml" in note'),
        (25, "row of 2 columns in head of a table"),
        (27, "row"),
        (29, "<!-- glossary -->"),
        (31, '<div id="here" class="wide">'),
        (33, "paragraph in blockquote"),
        (37, "term"),
        (38, "paragraph in definition"),
    ]


def test_lines_are_those_of_the_page() -> None:
    assert [block.line for block in blocks.blocks("A.\n\nB.", 8)] == [8, 10]


def words_of(text: str) -> blocks.Words:
    (block,) = blocks.blocks(text)
    (words,) = block.words
    return words


def test_words_hold_code_facts_numbers_links_and_images() -> None:
    words = words_of(
        'Of `x`, `{{ fact("a", "bare") }}`, `--f={{ fact("b", "bare") }}` and {{ fact("c-1") }}: 7, '
        "[d `x`](../docs/zh/e.md#f), <https://a.org/zh-cn/1>, ![g 8](h.zh.md), <a href='i.md'>j</a>"
    )
    assert words.code == {"x": 2, "--f={b}": 1}
    assert words.facts == {"a": 1, "c-1": 1}
    assert words.numbers == {"7": 1, "8": 1}
    assert words.links == {"../docs/e.md#f": 1, "https://a.org/1": 1, "i.md": 1}
    assert words.images == {"h.md": 1}


def test_a_cell_without_words_has_none() -> None:
    _, row = blocks.blocks("| A | B |\n| - | - |\n| C | |")
    assert [bool(words) for words in row.words] == [True, False]


def test_an_attribute_is_no_word() -> None:
    assert words_of("A.\n{ .wide-7 }").text == "A."


def test_a_heading_under_a_line_is_one() -> None:
    assert [block.name for block in blocks.blocks("A\n===")] == ["heading ="]
