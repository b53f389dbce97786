"""Parity of the languages: what must be the same in a page and its translation, and what went stale.

The words are a translator's business; here it is the blocks of pages, prose cells and texts kept as data, and what
each of them holds (shimsite.checks.twins). `python -m shimsite.checks.parity` reports, and with `--update PAGE…` it
records that a Chinese page was brought in step with its English one.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml

from shimfacts import yaml_files
from shimfacts.model import LANGUAGES
from shimsite.checks import twins
from shimsite.languages import blocks, markdown_text, zh
from shimsite.notebooks import split

_ROOT = Path(__file__).parents[3]
_HASH_LINE = re.compile(r"^source_hash:.*$", re.M)


def text_problems(english: str, chinese: str, lines: tuple[int, int] = (1, 1)) -> Iterator[str]:
    """Tell what is wrong with a Chinese text, its English twin at hand; `lines` says where the two begin."""
    yield from twins.compare(blocks.blocks(english, lines[0]), blocks.blocks(chinese, lines[1]))
    yield from zh.problems(chinese, lines[1])


def source_hash(english: str) -> str:
    """Hash what a translator works from: the text, the title and the description of a page."""
    meta, body, _ = markdown_text.front_matter(english)
    seen = f"{meta.get('title', '')}\n{meta.get('description', '')}\n{body.strip()}\n"
    return hashlib.sha256(seen.encode()).hexdigest()[:12]


def page_problems(english: Path, chinese: Path) -> Iterator[str]:
    """Tell what is wrong with a Chinese page, its English one at hand."""
    if not chinese.is_file():
        yield f"is missing; {english.name} has no translation"
        return
    source = english.read_text("utf-8")
    english_meta, english_body, english_first = markdown_text.front_matter(source)
    text = chinese.read_text("utf-8")
    meta, body, first = markdown_text.front_matter(text)
    for key in ("title", "description"):
        lines = (_line_of(key, source), _line_of(key, text))
        yield from text_problems(str(english_meta.get(key, "")), str(meta.get(key, "")), lines)
    yield from text_problems(english_body, body, (english_first + 1, first + 1))
    if str(meta.get("source_hash")) != source_hash(source):
        yield (
            f"was made from another version of the English page: bring it in step, then run "
            f"`python -m shimsite.checks.parity --update` (source_hash is {meta.get('source_hash')}, "
            f"the English page's is {source_hash(source)})"
        )


def _line_of(key: str, page: str) -> int:
    """Give the line of a page's front matter that has a key."""
    at = re.search(rf"^{key}:", page, re.M)
    return page.count("\n", 0, at.start()) + 1 if at else 1


def heading_id_problems(page: Path) -> Iterator[str]:
    """Tell which headings of a page have no explicit id."""
    _, body, first = markdown_text.front_matter(page.read_text("utf-8"))
    for heading in markdown_text.headings(body, first + 1):
        if heading.id is None:
            yield f"line {heading.number}: the heading '{heading.title}' has no id; add `{{ #in-english }}`"


def notebook_problems(path: Path) -> Iterator[str]:
    """Tell where a notebook's prose lacks its twin, or differs from it."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    waiting: tuple[int, str] | None = None
    for number, cell in enumerate(notebook.cells, 1):
        if waiting and (cell.cell_type != "markdown" or split.languages_of(cell) != ["zh"]):
            yield f"cell {waiting[0]}: the English text has no Chinese twin right after it"
            waiting = None
        if cell.cell_type != "markdown":
            continue
        langs = split.languages_of(cell)
        if langs not in (["en"], ["zh"]):
            yield f"cell {number}: a prose cell has exactly one of the tags lang:en and lang:zh, not {langs}"
        elif langs == ["en"]:
            waiting = (number, cell.source)
        elif waiting is None:
            yield f"cell {number}: the Chinese text has no English twin right before it"
        else:
            for problem in text_problems(waiting[1], cell.source):
                yield f"cell {number}: {problem}"
            waiting = None
    if waiting:
        yield f"cell {waiting[0]}: the English text has no Chinese twin right after it"


def data_problems(path: Path) -> Iterator[str]:
    """Tell where the Chinese of a file of facts or of a table differs from its English.

    What cannot be read is told of where the facts are (shimsite.checks.facts).
    """
    try:
        document = yaml_files.document(path)
    except yaml.YAMLError:
        return
    for pair in pairs(document.data):
        lines = (document.line(*pair.place("en")), document.line(*pair.place("zh")))
        for problem in text_problems(pair.english, pair.chinese, lines):
            yield f"{': '.join(pair.names)}: {problem}"


@dataclass(frozen=True)
class Pair:
    """A text that a file keeps in both languages: the keys above the language and below it, their names in errors."""

    above: tuple[str | int, ...]
    below: tuple[str | int, ...]
    names: tuple[str, ...]
    english: str
    chinese: str

    def place(self, lang: str) -> tuple[str | int, ...]:
        """Give the keys and places in lists that lead to the text of a language."""
        return (*self.above, lang, *self.below)


def pairs(
    data: Any,  # noqa: ANN401
    above: tuple[str | int, ...] = (),
    names: tuple[str, ...] = (),
) -> Iterator[Pair]:
    """Walk over the texts that a file keeps in both languages, each below `en` and `zh`."""
    if isinstance(data, list):
        for number, each in enumerate(data):
            # An entry of a list goes by its fact, where it has one.
            name = str(each["fact"]) if isinstance(each, dict) and "fact" in each else f"entry {number + 1}"
            yield from pairs(each, (*above, number), (*names, name))
    elif isinstance(data, dict):
        if set(LANGUAGES) <= set(data):
            yield from _pairs(data["en"], data["zh"], above, (), names)
        for key in [key for key in data if key not in LANGUAGES]:
            yield from pairs(data[key], (*above, key), (*names, str(key)))


def _pairs(
    english: Any,  # noqa: ANN401
    chinese: Any,  # noqa: ANN401
    above: tuple[str | int, ...],
    below: tuple[str | int, ...],
    names: tuple[str, ...],
) -> Iterator[Pair]:
    if isinstance(english, str) and isinstance(chinese, str):
        yield Pair(above, below, names, english, chinese)
    elif isinstance(english, dict) and isinstance(chinese, dict):
        for key in [key for key in english if key in chinese]:
            yield from _pairs(english[key], chinese[key], above, (*below, key), (*names, str(key)))


def all_problems(root: Path) -> Iterator[str]:
    """Tell everything that is out of step in a repository."""
    english_dir, chinese_dir = root / "docs" / "en", root / "docs" / "zh"
    for english in sorted(english_dir.rglob("*.md")):
        uri = english.relative_to(english_dir)
        yield from (f"docs/en/{uri}: {problem}" for problem in heading_id_problems(english))
        yield from (f"docs/zh/{uri}: {problem}" for problem in page_problems(english, chinese_dir / uri))
    for chinese in sorted(chinese_dir.rglob("*.md")):
        if not (english_dir / chinese.relative_to(chinese_dir)).is_file():
            yield f"docs/zh/{chinese.relative_to(chinese_dir)}: has no English page"
    for chinese in sorted(root.glob("*.zh.md")):
        english = chinese.with_name(chinese.name.replace(".zh.md", ".md"))
        here, there = chinese.read_text("utf-8"), english.read_text("utf-8")
        yield from (f"{chinese.name}: {problem}" for problem in text_problems(there, here))
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        yield from (f"notebooks/{notebook.name}: {problem}" for problem in notebook_problems(notebook))
    for path in sorted((root / "facts").rglob("*.yaml")):
        yield from (f"{path.relative_to(root)}: {problem}" for problem in data_problems(path))


def update(page: Path, english: Path) -> None:
    """Record in a Chinese page that it says what its English one says.

    Raises:
        ValueError: the page has no front matter to record it in.
    """
    text = page.read_text("utf-8")
    if not markdown_text.front_matter(text)[0]:
        raise ValueError(f"{page}: has no front matter; begin it with --- title: … ---")
    line = f"source_hash: {source_hash(english.read_text('utf-8'))}"
    head, mark, body = text.partition("\n---\n")
    head = _HASH_LINE.sub(line, head) if _HASH_LINE.search(head) else f"{head}\n{line}"
    changed = head + mark + body
    if changed != text:
        page.write_text(changed, "utf-8")


def main(argv: list[str] | None = None) -> int:
    """Report what is out of step, or record that pages are in step again."""
    parser = argparse.ArgumentParser(prog="python -m shimsite.checks.parity", description=main.__doc__)
    parser.add_argument(
        "--update",
        nargs="*",
        type=Path,
        metavar="PAGE",
        help="Chinese pages now in step; all when none is named",
    )
    options = parser.parse_args(argv)
    chinese = _ROOT / "docs" / "zh"
    if options.update is not None:
        for page in options.update or sorted(chinese.rglob("*.md")):
            if not page.resolve().is_relative_to(chinese) or not page.is_file():
                print(f"{page}: is no page of docs/zh.\nName pages as they lie there: docs/zh/index.md")
                return 1
            uri = page.resolve().relative_to(chinese)
            update(page, _ROOT / "docs" / "en" / uri)
    problems = list(all_problems(_ROOT))
    print("\n".join(problems) or "The languages are in step.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
