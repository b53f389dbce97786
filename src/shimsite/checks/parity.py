"""Parity of the languages: what must be the same in a page and its translation, and what went stale.

The words are a translator's business; here it is structure: headings and their ids, fences and
includes, links, images, admonitions, facts. `python -m shimsite.checks.parity` reports, and with
`--update PAGE…` it records that a Chinese page was brought in step with its English one.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import nbformat

from shimsite import references
from shimsite.languages import markdown_text, zh
from shimsite.notebooks import split

_ROOT = Path(__file__).parents[3]
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_REFERENCE = re.compile(r"^\s*\[[^\]^]+\]:\s*(\S+)")
_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*([^)\s]+)[^)]*\)")
_HTML_LINK = re.compile(r"<(a|img)\b[^>]*?\b(?:href|src)=\"([^\"]+)\"")
_AUTOLINK = re.compile(r"<(https?://[^>\s]+)>")
_ADMONITION = re.compile(r"^\s*(?:!!!|\?\?\?\+?)\s+(\w+)")
_TABBED = re.compile(r"^\s*===!?\s")
_INCLUDE = re.compile(r"-{1,}8<-{1,}\s+\"([^\"]+)\"")
_COMMENT = re.compile(r"(^|\s)#.*$")
#: Parts of an address that name a language and nothing else.
_LANGUAGE_PART = re.compile(r"/(?:zh-cn|zh-hans|zh|en)(?=/|$)")
_HASH_LINE = re.compile(r"^source_hash:.*$", re.M)


@dataclass
class Structure:
    """What a page and its translation have in common, each item with the line it stands on."""

    headings: list[tuple[str, int]] = field(default_factory=list)
    fences: list[tuple[str, int]] = field(default_factory=list)
    admonitions: list[tuple[str, int]] = field(default_factory=list)
    images: list[tuple[str, int]] = field(default_factory=list)
    links: list[tuple[str, int]] = field(default_factory=list)
    facts: list[tuple[str, int]] = field(default_factory=list)


def structure(text: str, first: int = 1) -> Structure:
    """Take the structure out of a Markdown text."""
    found = Structure()
    for heading in markdown_text.headings(text, first):
        name = f"{'#' * heading.level} {{ #{heading.id} }}" if heading.id else "#" * heading.level
        found.headings.append((name, heading.number))
    code: list[str] = []
    for line in markdown_text.lines(text, first):
        if line.opens:
            code = [f"```{line.fence}"]
            start = line.number
        elif line.closes:
            found.fences.append((" / ".join(code), start))
        elif not line.is_prose:
            if bare := _COMMENT.sub("", line.text).strip():
                code.append(bare)
        else:
            _prose(line, found)
    found.facts = sorted({ref.id: (ref.id, ref.line) for ref in references.refs(text, first)}.values())
    return found


def _prose(line: markdown_text.Line, found: Structure) -> None:
    """Take links, images and marks out of one line of prose."""
    plain = "".join(piece for is_code, piece in markdown_text.spans(line.text) if not is_code)
    if match := _ADMONITION.match(plain):
        found.admonitions.append((match[1], line.number))
    elif _TABBED.match(plain):
        found.admonitions.append(("=== tab", line.number))
    if match := _INCLUDE.search(plain):
        found.fences.append((match[1], line.number))
    found.images += [(target(url), line.number) for url in _IMAGE.findall(plain)]
    for tag, url in _HTML_LINK.findall(plain):
        (found.images if tag == "img" else found.links).append((target(url), line.number))
    # A code span may be a link's text: there the whole line is needed.
    urls = _LINK.findall(line.text) + _AUTOLINK.findall(plain)
    if match := _REFERENCE.match(plain):
        urls.append(match[1])
    found.links += [(target(url), line.number) for url in urls]


def target(url: str) -> str:
    """Write a link's target without what names a language."""
    return _LANGUAGE_PART.sub("", url).replace(".zh.md", ".md")


def compare(english: Structure, other: Structure) -> Iterator[str]:
    """Tell what differs, with both values and both lines."""
    for what in ("headings", "fences", "admonitions", "images"):
        pairs = zip_longest(getattr(english, what), getattr(other, what))
        for number, (ours, theirs) in enumerate(pairs, 1):
            if ours is None or theirs is None or ours[0] != theirs[0]:
                yield (
                    f"{what.removesuffix('s')} {number} is {_said(theirs)} here, and {_said(ours)} in English"
                )
                break
    for what in ("links", "facts"):
        ours, theirs = (Counter(item for item, _ in getattr(side, what)) for side in (english, other))
        if missing := sorted((ours - theirs).elements()):
            yield f"{what} that only the English text has: {', '.join(missing)}"
        if extra := sorted((theirs - ours).elements()):
            yield f"{what} that the English text lacks: {', '.join(extra)}"


def _said(item: tuple[str, int] | None) -> str:
    return f"'{item[0]}' (line {item[1]})" if item else "missing"


def text_problems(texts: Mapping[str, str]) -> Iterator[str]:
    """Tell what is wrong with the Chinese of a text that is kept as data, its English at hand."""
    yield from compare(structure(texts["en"]), structure(texts["zh"]))
    yield from zh.problems(texts["zh"])


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
    _, english_body, english_first = markdown_text.front_matter(source)
    meta, body, first = markdown_text.front_matter(chinese.read_text("utf-8"))
    yield from compare(structure(english_body, english_first + 1), structure(body, first + 1))
    yield from zh.problems(body, first + 1)
    if str(meta.get("source_hash")) != source_hash(source):
        yield (
            f"was made from another version of the English page: bring it in step, then run "
            f"`python -m shimsite.checks.parity --update` (source_hash is {meta.get('source_hash')}, "
            f"the English page's is {source_hash(source)})"
        )


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
            for problem in compare(structure(waiting[1]), structure(cell.source)):
                yield f"cell {number}: {problem}"
            for problem in zh.problems(cell.source):
                yield f"cell {number}: {problem}"
            waiting = None
    if waiting:
        yield f"cell {waiting[0]}: the English text has no Chinese twin right after it"


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
        yield from (f"{chinese.name}: {problem}" for problem in compare(structure(there), structure(here)))
        yield from (f"{chinese.name}: {problem}" for problem in zh.problems(here))
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        yield from (f"notebooks/{notebook.name}: {problem}" for problem in notebook_problems(notebook))


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
