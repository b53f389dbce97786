"""Hold the blocks of a text against those of its twin in the other language, and say where one lacks something.

The words are a translator's business, and so is their order within a block. Here it is what both have to hold: the
same blocks in the same order, and in each the same inline code, facts, numbers, links and images, as often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

from shimsite.languages.blocks import Block, Words

#: What a block holds of the same in both languages, as an error names one of it.
_HELD = {"code": "the code `{}`", "facts": "the fact {}", "links": "the link to {}", "images": "the image {}"}
#: So many Chinese letters say what one English letter does, about; it tells which of two paragraphs is missing.
_LENGTH = 0.35
#: More than `_SHORT` letters of English are never so few or so many Chinese ones (seen: 0.2 to 0.8).
_SHORT, _LEAST, _MOST = 60, 0.12, 1.4
_Pair = tuple[Block | None, Block | None]


def compare(english: Sequence[Block], other: Sequence[Block]) -> Iterator[str]:
    """Tell what differs, each in one line that begins with the line of the other language."""
    # Where a block is missing: after the twins above it, or before all that there is.
    place, line, english_line = "before", _first(other), _first(english)
    for alone, pairs in groupby(_aligned(english, other), lambda pair: None in pair):
        if alone:
            missing, extra = zip(*pairs, strict=True)
            for ours, theirs in zip_longest(filter(None, missing), filter(None, extra)):
                if ours and theirs:
                    yield f"line {theirs.line}: is {_named(theirs)} where English line {ours.line} is {_named(ours)}"
                elif ours:
                    yield (
                        f"line {line}: {place} it, {_named(ours)} of English line {ours.line} is "
                        f"missing{_quoted(ours)}"
                    )
                elif theirs:
                    yield (
                        f"line {theirs.line}: {_named(theirs)} is missing in English {place} its line "
                        f"{english_line}{_quoted(theirs)}"
                    )
            continue
        for ours, theirs in pairs:
            if ours and theirs:
                yield from _differences(ours, theirs)
                place, line, english_line = "after", theirs.line, ours.line


def _first(blocks: Sequence[Block]) -> int:
    return blocks[0].line if blocks else 1


def _named(block: Block) -> str:
    article = "" if block.kind.startswith(("```", "<", "!", "?")) else "the "
    return article + (block.name if len(block.name) < 120 else f"{block.name[:119]}…")


def _quoted(block: Block) -> str:
    text = " | ".join(words.text.replace("\0", "…") for words in block.words).strip()
    return f": '{text[:50]}{'…' if len(text) > 50 else ''}'" if text else ""


def _differences(english: Block, other: Block) -> Iterator[str]:
    """Tell what one of two blocks of the same kind holds and the other lacks."""
    is_row = other.kind.startswith("row")
    for column, (ours, theirs) in enumerate(zip_longest(english.words, other.words, fillvalue=Words()), 1):
        where = f"column {column} " if is_row else ""
        if bool(ours) != bool(theirs):
            has = "no words, and English line {} has some" if ours else "words, and English line {} has none"
            yield f"line {other.line}: {where}has {has.format(english.line)}"
            continue
        yield from _too_short(ours, theirs, where, english, other)
        for what, name in _HELD.items():
            yield from _lacking(getattr(ours, what), getattr(theirs, what), name, where, english, other)
        # What one language writes in digits, the other may write out.
        missing, extra = ours.numbers - theirs.numbers, theirs.numbers - ours.numbers
        yield from _lacking(
            missing - theirs.spelt, extra - ours.spelt, "the number {}", where, english, other
        )


def _too_short(ours: Words, theirs: Words, where: str, english: Block, other: Block) -> Iterator[str]:
    there, here = len(ours.text), len(theirs.text)
    if max(there, here / _LENGTH) > _SHORT and not there * _LEAST < here < there * _MOST:
        how = "short" if here < there else "long"
        yield (
            f"line {other.line}: {where}is far too {how} for English line {english.line}: {here} characters "
            f"for {there}"
        )


def _lacking(
    ours: Counter[str], theirs: Counter[str], name: str, where: str, english: Block, other: Block
) -> Iterator[str]:
    for item in ours - theirs:
        often = f" ({ours[item]} times there, {theirs[item]} here)" if theirs[item] else ""
        yield f"line {other.line}: {where}lacks {name.format(item)} of English line {english.line}{often}"
    for item in theirs - ours:
        often = f" ({theirs[item]} times here, {ours[item]} there)" if ours[item] else ""
        yield f"line {other.line}: {where}has {name.format(item)}, which English line {english.line} lacks{often}"


def _aligned(english: Sequence[Block], other: Sequence[Block]) -> list[_Pair]:
    """Put the blocks of both languages side by side, and nothing beside a block that the other lacks."""
    parts, others = _sections(english), _sections(other)
    if [part[0].key for part in parts[1:]] != [part[0].key for part in others[1:]]:
        return _matched(english, other)
    return [
        pair
        for part, twin in zip(parts, others, strict=True)
        for pair in (
            zip(part, twin, strict=True)
            if [each.key for each in part] == [each.key for each in twin]
            else _matched(part, twin)
        )
    ]


def _sections(blocks: Sequence[Block]) -> list[list[Block]]:
    """Cut before each heading; what stands before the first one comes first."""
    parts: list[list[Block]] = [[]]
    for block in blocks:
        if block.kind.startswith("heading") and not block.within:
            parts.append([])
        parts[-1].append(block)
    return parts


def _matched(english: Sequence[Block], other: Sequence[Block]) -> list[_Pair]:
    """Find the pairs of the same kind that leave the fewest blocks alone, and hold the most alike."""
    costs = [[float(i + j) for j in range(len(other) + 1)] for i in range(len(english) + 1)]
    steps = [["ours" if i else "theirs" for _ in range(len(other) + 1)] for i in range(len(english) + 1)]
    for i, ours in enumerate(english, 1):
        for j, theirs in enumerate(other, 1):
            ways = {"ours": costs[i - 1][j] + 1, "theirs": costs[i][j - 1] + 1}
            if ours.key == theirs.key:
                ways["both"] = costs[i - 1][j - 1] + _unlike(ours, theirs)
            steps[i][j] = min(reversed(ways), key=ways.__getitem__)
            costs[i][j] = ways[steps[i][j]]
    pairs: list[_Pair] = []
    i, j = len(english), len(other)
    while i or j:
        step = steps[i][j] if i and j else "ours" if i else "theirs"
        i, j = i - (step != "theirs"), j - (step != "ours")
        pairs.append((english[i] if step != "theirs" else None, other[j] if step != "ours" else None))
    return pairs[::-1]


def _unlike(english: Block, other: Block) -> float:
    """Tell how little two blocks of a kind are alike: 0 is as much as can be seen, and less than 1 always."""
    ours, theirs = _held(english), _held(other)
    both = (ours | theirs).total()
    held = 1 - (ours & theirs).total() / both if both else 0.0
    lengths = sorted((_length(english) * _LENGTH, float(_length(other))))
    return 0.6 * held + 0.3 * (1 - (lengths[0] + 1) / (lengths[1] + 1))


def _held(block: Block) -> Counter[str]:
    return sum((each.code + each.facts + each.numbers + each.links for each in block.words), Counter())


def _length(block: Block) -> int:
    return sum(len(each.text) for each in block.words)
