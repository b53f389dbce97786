"""The Markdown scanner: fences, headings, inline code, front matter."""

from __future__ import annotations

import pytest

from shimsite.languages import markdown_text

TEXT = """# One { #one }

````markdown
```shell
# no heading
```
````

## Two `x` & *y* { .class #two }
> ```text
> ## no heading
> ```
~~~
```
## no heading
~~~
### Three #
"""


def test_fences_of_other_lengths_and_marks_do_not_close_one() -> None:
    in_fence = [line.number for line in markdown_text.lines(TEXT) if not line.is_prose]
    assert in_fence == [3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16]
    assert [line.fence for line in markdown_text.lines(TEXT) if line.opens] == ["markdown", "text", ""]
    assert [line.number for line in markdown_text.lines(TEXT) if line.closes] == [7, 12, 16]


def test_headings_have_levels_words_ids_and_lines() -> None:
    found = [(h.number, h.level, h.title, h.id) for h in markdown_text.headings(TEXT)]
    assert found == [(1, 1, "One", "one"), (9, 2, "Two `x` & *y*", "two"), (17, 3, "Three", None)]


def test_an_open_fence_runs_to_the_end() -> None:
    assert [line.is_prose for line in markdown_text.lines("a\n```\nb")] == [True, False, False]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("The kubelet's flags", "the-kubelets-flags"),
        ("Which runtime is it?", "which-runtime-is-it"),
        ("The trap: a socket name", "the-trap-a-socket-name"),
        ("`docker ps` and [a link](x.md)", "docker-ps-and-a-link"),
        ("API 字段", "api-字段"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert markdown_text.heading_slug(title) == slug


def test_ids_are_given_in_order_and_replace_those_there_are() -> None:
    text = "# A\n\ntext\n\n```\n# code\n```\n\n## B { #old }\n"
    assert markdown_text.with_ids(text, ["x", "y"]) == (
        "# A { #x }\n\ntext\n\n```\n# code\n```\n\n## B { #y }"
    )


def test_inline_code_is_told_from_prose() -> None:
    pieces = list(markdown_text.spans("a `b` c ``d ` e`` f ` g"))
    assert pieces == [(False, "a "), (True, "`b`"), (False, " c "), (True, "``d ` e``"), (False, " f ` g")]
    assert "".join(piece for _, piece in pieces) == "a `b` c ``d ` e`` f ` g"


def test_front_matter() -> None:
    assert markdown_text.front_matter("---\na: 1\n---\nbody\n") == ({"a": 1}, "body\n", 3)
    assert markdown_text.front_matter("body") == ({}, "body", 0)
    assert markdown_text.front_matter("---\nno end") == ({}, "---\nno end", 0)
    with pytest.raises(ValueError, match="not a mapping"):
        markdown_text.front_matter("---\n- a\n---\n")
