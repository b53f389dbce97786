"""A text and its twin hold the same blocks, and in each the same: whatever one of them loses is told of.

Each rule has its texts here; then every paragraph, list item, row and piece of inline code of real pages and
notebooks is taken out in turn, in either language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import markdown
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup, Tag

from shimfacts import yaml_files
from shimfacts.model import REFERENCE
from shimsite.checks import parity, twins
from shimsite.languages import blocks, markdown_text
from shimsite.notebooks import split
from shimsite.tables import data

PAGES = ("index", "architecture", "claims", "faq", "lab/index", "lab/removal", "lab/runtimes")
NOTEBOOKS = ("01-which-runtime", "07-what-changes")

#: A rule: both texts, each with what may be lacking in brackets `⟦…⟧`, and how an error names it.
RULES = {
    "a paragraph": ("A.\n\n⟦B.\n\n⟧C.", "甲。\n\n⟦乙。\n\n⟧丙。", "the paragraph"),
    "the last paragraph": ("A.\n\n⟦B.⟧", "甲。\n\n⟦乙。⟧", "the paragraph"),
    "an item": ("- A\n⟦- B\n⟧- C", "- 甲\n⟦- 乙\n⟧- 丙", "the list item"),
    "a numbered item": ("1. A\n⟦2. B⟧", "1. 甲\n⟦2. 乙⟧", "the numbered item"),
    "an item of an item": ("- A\n⟦    - B\n⟧- C", "- 甲\n⟦    - 乙\n⟧- 丙", "the list item in item"),
    "a paragraph of an item": ("- A\n\n⟦    B\n\n⟧- C", "- 甲\n\n⟦    乙\n\n⟧- 丙", "the paragraph in item"),
    "a row": ("| A |\n| --- |\n⟦| B |\n⟧| C |", "| 甲 |\n| --- |\n⟦| 乙 |\n⟧| 丙 |", "the row"),
    "a cell": ("| A | B |\n| - | - |\n| C | ⟦D⟧ |", "| 甲 | 乙 |\n| - | - |\n| 丙 | ⟦丁⟧ |", "column 2 has"),
    "a column": (
        "| A |⟦ B |⟧\n| - |⟦ - |⟧\n| C |⟦ D |⟧",
        "| 甲 |⟦ 乙 |⟧\n| - |⟦ - |⟧\n| 丙 |⟦ 丁 |⟧",
        "columns in head of a table",
    ),
    "a heading": ("A.\n\n⟦## B { #b }\n\n⟧C.", "甲。\n\n⟦## 乙 { #b }\n\n⟧丙。", "the heading ## { #b }"),
    "an id": ("## B⟦ { #b }⟧", "## 乙⟦ { #b }⟧", "the heading ## { #b }"),
    "a note": ('⟦!!! note "N"\n\n    ⟧A.', '⟦!!! note "注"\n\n    ⟧甲。', "!!! note"),
    "a paragraph of a note": (
        '!!! tip "N"\n\n    A.\n\n⟦    B.⟧',
        '!!! tip "注"\n\n    甲。\n\n⟦    乙。⟧',
        "the paragraph in note",
    ),
    "details": ('??? note "N"\n\n    A.\n\n⟦??? note "M"⟧', '??? note "注"\n\n    甲。\n\n⟦??? note "又"⟧', "??? note"),
    "a tab": ('=== "A"\n\n    B.\n\n⟦=== "C"⟧', '=== "甲"\n\n    乙。\n\n⟦=== "丙"⟧', "!!! tab"),
    "a quotation": ("A.\n\n⟦> B.⟧", "甲。\n\n⟦> 乙。⟧", "the paragraph in blockquote"),
    "a fence": ("A.\n\n⟦```sh\nls\n```⟧", "甲。\n\n⟦```sh\nls\n```⟧", "```sh / ls"),
    "a line of a fence": ("```sh\nls\n⟦cd\n⟧```", "```sh\nls\n⟦cd\n⟧```", "```sh / ls / cd"),
    "an include of a fence": (
        '```sh\n--8<-- "shell/a.sh"\n⟦--8<-- "shell/b.sh"\n⟧```',
        '```sh\n--8<-- "shell/a.sh"\n⟦--8<-- "shell/b.sh"\n⟧```',
        "shell/b.sh",
    ),
    "an include": ('A.\n\n⟦--8<-- "b.md"⟧', '甲。\n\n⟦--8<-- "b.md"⟧', "the include of b.md"),
    "a mark": ("A.\n\n⟦<!-- glossary -->⟧", "甲。\n\n⟦<!-- glossary -->⟧", "<!-- glossary -->"),
    "an element": ('⟦<div class="w">⟧\n\nA.\n\n⟦</div>⟧', '⟦<div class="w">⟧\n\n甲。\n\n⟦</div>⟧', '<div class="w">'),
    "a rule": ("A.\n\n⟦---\n\n⟧B.", "甲。\n\n⟦---\n\n⟧乙。", "the rule"),
    "a term": ("A\n:   B\n⟦\nC\n:   D⟧", "甲\n:   乙\n⟦\n丙\n:   丁⟧", "the term"),
    "code": ("Use ⟦`a`⟧.", "用 ⟦`a`⟧。", "the code `a`"),
    "code again": ("Use `a` or ⟦`a`⟧.", "用 `a` 或 ⟦`a`⟧。", "the code `a`"),
    "code of a heading": ("# On ⟦`a`⟧", "# 论 ⟦`a`⟧", "the code `a`"),
    "code of an item": ("- Use ⟦`a`⟧", "- 用 ⟦`a`⟧", "the code `a`"),
    "code of a cell": ("| A | B |\n| - | - |\n| C | D⟦`a`⟧ |", "| 甲 | 乙 |\n| - | - |\n| 丙 | 丁⟦`a`⟧ |", "column 2"),
    "code of a link": ("See [the ⟦`a`⟧](b.md).", "见[某 ⟦`a`⟧](b.md)。", "the code `a`"),
    "a fact": ('In ⟦{{ fact("a-b") }}⟧.', '在 ⟦{{ fact("a-b") }}⟧。', "the fact a-b"),
    "a fact in code": ('In ⟦`{{ fact("a", "bare") }}`⟧.', '在 ⟦`{{ fact("a", "bare") }}`⟧。', "the fact a"),
    "a fact beside code": ('In `x={{ fact("a", "bare") }}⟦,b⟧`.', '在 `x={{ fact("a", "bare") }}⟦,b⟧`。', "`x={a},b`"),
    "a number": ("It takes ⟦40⟧ s.", "需要 ⟦40⟧ 秒。", "the number 40"),
    "a version": ("As of ⟦1.24.3⟧, so.", "从 ⟦v1.24.3⟧ 起。", "the number 1.24.3"),
    "a number again": ("From 3 to ⟦3⟧.", "从 3 到 ⟦3⟧。", "the number 3"),
    "a month": ("On 8 ⟦December⟧ 2020.", "2020 年⟦ 12 月⟧ 8 日。", "the number 12"),
    "a link": ("See ⟦[A](b.md#c)⟧.", "见⟦[甲](b.md#c)⟧。", "the link to b.md#c"),
    "an address": ("See ⟦<https://a.org/en/b>⟧.", "见⟦<https://a.org/zh/b>⟧。", "the link to https://a.org/b"),
    "a link by reference": ("See ⟦[A][a]⟧.\n\n[a]: b.md", "见⟦[甲][a]⟧。\n\n[a]: b.md", "the link to b.md"),
    "a link in HTML": ('See ⟦<a href="b.md">A</a>⟧.', '见⟦<a href="b.md">甲</a>⟧。', "the link to b.md"),
    "an image": ("See ⟦![A](b.svg)⟧.", "见⟦![甲](b.svg)⟧。", "the image b.svg"),
}  # fmt: skip
#: What shows in more than a line.
SEVERAL = {"a column": 2, "a note": 2, "a term": 2, "a fact beside code": 2, "an element": 2}
_LACKING = re.compile("⟦(.*?)⟧", re.S)


def compared(english: str, chinese: str) -> list[str]:
    return list(twins.compare(blocks.blocks(english), blocks.blocks(chinese)))


@pytest.mark.parametrize("rule", RULES)
def test_what_one_language_lacks_is_told_in_one_line(rule: str) -> None:
    english, chinese, name = RULES[rule]
    whole = [_LACKING.sub(r"\1", text) for text in (english, chinese)]
    assert compared(*whole) == []
    missing = compared(whole[0], _LACKING.sub("", chinese))
    extra = compared(_LACKING.sub("", english), whole[1])
    assert missing != extra
    for problems in (missing, extra):
        assert any(name in problem for problem in problems), problems
        assert all(re.fullmatch(r"line \d+: .*English.*", problem) for problem in problems)
        assert len(problems) <= SEVERAL.get(rule, 1), problems


# What a translator may do.
@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Not `a` but `b`, says {{ fact('x') }} of 1.2.", "{{ fact('x') }} 说，1.2 里不是 `b`，而是 `a`。"),
        ("It takes eight minutes.", "需要 8 分钟。"),
        ("It takes 8 minutes.", "需要八分钟。"),
        ("It takes a minute.", "需要 1 分钟。"),
        ("The 2nd of 22 ways.", "二十二种办法里的第二种。"),
        ("150,000 pods, 5,000 nodes, 1.5 million lines", "15 万个 Pod，5000 个节点，150 万行"),
        ("Since December 8, 2020, and 2020-12-03", "自 2020 年 12 月 8 日起，及 2020 年 12 月 3 日"),
        ("From v1.24 on", "从 1.24 起"),
        ("See [A](https://kubernetes.io/docs/x/)", "见[甲](https://kubernetes.io/zh-cn/docs/x/)"),
        ("See [A](CONTRIBUTING.md#a)", "见[甲](CONTRIBUTING.zh.md#a)"),
        ("```sh\nls  # all\n```", "```sh\nls  # 全部\n```"),
        ("*A* and **B**", "甲和乙"),
        ("## A fact", '<a id="a-fact"></a>\n\n## 事实'),
        ("One line\nand another.", "一行。"),
    ],
)
def test_what_differs_by_language_is_no_difference(english: str, chinese: str) -> None:
    assert compared(english, chinese) == []


def test_a_line_is_that_of_the_page() -> None:
    english = blocks.blocks("A.\n\n- B `c`\n- D 7", 11)
    chinese = blocks.blocks("甲。\n\n- 乙\n- 丁 8", 21)
    assert list(twins.compare(english, chinese)) == [
        "line 23: lacks the code `c` of English line 13",
        "line 24: lacks the number 7 of English line 14",
        "line 24: has the number 8, which English line 14 lacks",
    ]


def test_the_one_that_is_missing_among_many_is_named() -> None:
    english = "A first paragraph.\n\nThe second has `code` in it.\n\nOf the third 3 things are known.\n\nAnd an end."
    chinese = "第一段。\n\n关于第三段，已知 3 件事。\n\n到此结束。"
    assert compared(english, chinese) == [
        "line 1: after it, the paragraph of English line 3 is missing: 'The second has … in it.'"
    ]


def test_what_changed_places_is_found() -> None:
    assert len(compared("Use `a`.\n\nUse `b`.", "用 `b`。\n\n用 `a`。")) == 4


def test_a_stub_is_no_translation() -> None:
    long = (
        "What was deprecated is the part of the kubelet that spoke to Docker, and nothing that builds images."
    )
    assert compared(long, "略。") == [
        f"line 1: is far too short for English line 1: 2 characters for {len(long)}"
    ]
    assert compared(
        "To do.", "弃用的是 kubelet 里与 Docker 对话的那部分代码，构建镜像的工具都不受影响。"
    ) == ["line 1: is far too long for English line 1: 45 characters for 6"]


# ---- Nothing of a real page can go unseen ----------------------------------------------------------------


_ITEM = re.compile(r"(\s*)(?:[-*+]|\d+\.)\s+\S")
_RULE = re.compile(r"[|\s:-]+")


def deletions(text: str) -> Iterator[tuple[str, str]]:
    """Take out each paragraph, list item, row and piece of inline code in turn; the parser has no part in it."""
    lines = list(markdown_text.lines(text))
    said = [line.text for line in lines]

    def without(first: int, last: int) -> str:
        return "\n".join(said[:first] + said[last:])

    for number, line in enumerate(lines):
        bare = line.text.strip()
        if not line.is_prose or not bare:
            continue
        at, pieces = 0, list(markdown_text.spans(line.text))
        for is_code, piece in pieces:
            if is_code:
                rest = line.text[:at] + line.text[at + len(piece) :]
                yield f"line {number + 1}: {piece}", "\n".join([*said[:number], rest, *said[number + 1 :]])
            at += len(piece)
        end = number + 1
        if bare.startswith("|"):
            if not _RULE.fullmatch(bare):
                yield f"line {number + 1}: row", without(number, end)
        elif item := _ITEM.match(line.text):
            while end < len(said) and (
                not said[end].strip() or len(said[end]) - len(said[end].lstrip()) > len(item[1])
            ):
                end += 1
            yield f"line {number + 1}: item", without(number, end)
        elif not bare.startswith(("#", "<", "!!!", "???", "===")) and (
            not number or not said[number - 1].strip()
        ):
            while end < len(said) and said[end].strip() and lines[end].is_prose:
                end += 1
            yield f"line {number + 1}: paragraph", without(number, end)


def unseen(english: str, chinese: str) -> tuple[list[str], Counter[str]]:
    """Tell which deletions go unseen, and how many there were of each kind."""
    missed, tried = [], Counter[str]()
    for lang, text in (("en", english), ("zh", chinese)):
        for what, shorter in deletions(text):
            tried["code" if "`" in what else what.rsplit(" ", 1)[1]] += 1
            pair = (shorter, chinese) if lang == "en" else (english, shorter)
            if not compared(*pair):
                missed.append(f"{lang} {what}")
    return missed, tried


def page(root: Path, lang: str, name: str) -> str:
    return markdown_text.front_matter((root / "docs" / lang / f"{name}.md").read_text("utf-8"))[1]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_can_be_taken_out_of_a_page(root: Path, name: str) -> None:
    missed, tried = unseen(page(root, "en", name), page(root, "zh", name))
    assert missed == []
    assert tried["paragraph"] >= 5
    assert tried["code"] + tried["item"] + tried["row"] >= 10


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_can_be_taken_out_of_a_prose_cell(root: Path, name: str) -> None:
    english: str | None = None
    cells = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4).cells
    tried = Counter[str]()
    for cell in cells:
        if split.languages_of(cell) == ["en"]:
            english = cell.source
        elif split.languages_of(cell) == ["zh"]:
            missed, of_cell = unseen(english, cell.source)
            assert missed == []
            tried += of_cell
    assert tried["paragraph"] >= 20
    assert tried["code"] >= 20


def test_pages_of_lists_and_of_rows_are_among_them(root: Path) -> None:
    kinds = Counter(what.rsplit(" ", 1)[1] for name in PAGES for what, _ in deletions(page(root, "en", name)))
    assert kinds["item"] >= 10
    assert kinds["row"] >= 20


# ---- The check sees what a reader does -------------------------------------------------------------------


def seen(text: str, extensions: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Count what is on the page that Python-Markdown makes, and its inline code."""
    soup = BeautifulSoup(markdown.markdown(text, extensions=extensions), "html.parser")
    for fence in soup.select("div.highlight"):
        fence.replace_with(soup.new_tag("hr", attrs={"class": "fence"}))
    # The first paragraph of an item is the item.
    for paragraph in soup.select("li > p:first-child"):
        paragraph.name = "span"
    counts = Counter(
        {name: len(soup.select(name)) for name in ("p", "li", "tr", "td, th", "h1, h2, h3, h4", ".fence")}
    )
    return counts, Counter(code(found) for found in soup.find_all("code"))


def code(found: Tag) -> str:
    return REFERENCE.sub(lambda match: f"{{{match['id']}}}", found.get_text())


def read(text: str) -> tuple[Counter[str], Counter[str]]:
    """Count the same in the blocks that the check holds against each other."""
    found, inline = Counter[str](), Counter[str]()
    for block in blocks.blocks(text):
        match block.kind.split()[0]:
            case "heading":
                found["h1, h2, h3, h4"] += 1
            case "row":
                found["tr"] += 1
                found["td, th"] += len(block.words)
            case "list" | "numbered":
                found["li"] += 1
            case "paragraph" | "include" | "!!!" | "???" | "???+":
                found["p"] += 1
            case kind if kind.startswith("```"):
                found[".fence"] += 1
        for words in block.words:
            inline += words.code
    return found, inline


def test_it_sees_in_every_text_what_the_site_shows(root: Path) -> None:
    class Loader(yaml.SafeLoader):
        """Reads MkDocs' settings without acting on its own tags."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: None)
    settings = yaml.load((root / "mkdocs.yml").read_text("utf-8"), Loader)  # noqa: S506 - a SafeLoader
    # Without what includes files, and what adds an anchor to headings.
    extensions = [
        name for name in settings["markdown_extensions"] if name not in ("toc", "pymdownx.snippets")
    ]
    texts = {
        str(path): markdown_text.front_matter(path.read_text("utf-8"))[1]
        for path in (root / "docs").rglob("*.md")
    }
    for path in (root / "notebooks").glob("*.ipynb"):
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
            if cell.cell_type == "markdown":
                texts[f"{path}: cell {number}"] = cell.source
    assert len(texts) > 100
    for where, text in texts.items():
        shown, shown_code = seen(text, extensions)
        found, found_code = read(text)
        assert (where, +shown) == (where, +found)
        # A fact alone in code is one of the facts.
        for value in [each for each in shown_code if re.fullmatch(r"\{[\w.-]+\}", each)]:
            del shown_code[value]
        assert (where, shown_code) == (where, found_code)


# ---- Texts that are kept as data -------------------------------------------------------------------------


def test_every_text_that_a_table_shows_is_held_against_its_twin(root: Path) -> None:
    held = {
        (pair.english.strip(), pair.chinese.strip())
        for path in (root / "facts").rglob("*.yaml")
        for pair in parity.pairs(yaml_files.load(path))
    }
    shown = {(texts["en"], texts["zh"]) for _, texts in data.load(root, pytest.fail).texts()}
    assert len(shown) > 100
    assert shown <= held


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        (
            "a: {value: {en: 'It is 7.', zh: 是。}}\n",
            ["a: value: line 1: lacks the number 7 of English line 1"],
        ),
        (
            "- fact: x\n  en: Use `a`.\n  zh: 用。\n- en: A.\n  zh: 用 `b`。\n",
            [
                "x: line 3: lacks the code `a` of English line 2",
                "entry 2: line 5: has the code `b`, which English line 4 lacks",
            ],
        ),
        (
            "a:\n  en:\n    does: '{{ fact(\"x\") }}'\n    shows: A.\n  zh:\n    does: 甲。\n    shows: 甲x。\n",
            [
                "a: does: line 6: lacks the fact x of English line 3",
                "a: shows: line 7: a space belongs between Han and Latin in '甲x'",
            ],
        ),
        ("a: {en: A., zh: 甲。}\nb: {note: both}\nc: [1, {en: 1}]\n", []),
        ("a: {en: A.", []),
    ],
)
def test_texts_of_a_file_are_held_against_each_other(
    tmp_path: Path, written: str, problems: list[str]
) -> None:
    path = tmp_path / "facts" / "tables" / "a.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(written, "utf-8")
    assert list(parity.all_problems(tmp_path)) == [f"facts/tables/a.yaml: {each}" for each in problems]
