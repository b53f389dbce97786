"""Numbers in a text of either language: `5,000` and `5000`, `150,000` and `15 万`, `8 December` and `12 月 8 日`.

Numbers in digits are told from those in words: a language may write out what the other puts in digits, and often
says "one" where the other has no word at all.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

# v1alpha2 and 20.10.24 are each one, and so is 40s; a comma or a full stop at the end is none of it.
_NUMBER = re.compile(r"(?P<before>[A-Za-z]*)(?P<number>\d(?:[\d.,:/]*\d)?)(?P<after>[A-Za-z0-9]*)")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SHORT = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember")
_MONTH = "|".join(f"{short}(?:{rest})?" for short, rest in zip(_SHORT, _LONG, strict=True))
_MONTH_OF_DATE = re.compile(rf"(?<=\d )(?:{_MONTH})\b|\b(?:{_MONTH})(?=,? \d)", re.I)
_LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "万": 10**4, "亿": 10**8}
_TIMES = {"dozen": 12, "hundred": 100, **_LARGE}
_MULTIPLIED = re.compile(r"(?P<number>\d[\d.,]*)\s*(?P<times>thousand|million|billion|[百千]?万|亿)", re.I)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth"
_ENGLISH = {
    **{word: number for number, word in enumerate(_UNITS.split())},
    **{word: number * 10 for number, word in enumerate(_TENS.split(), 2)},
    **{word: number for number, word in enumerate(_ORDINALS.split(), 1)},
    **{"a": 1, "an": 1, "single": 1, "once": 1, "twice": 2, "both": 2},
}
_WORD = rf"(?:{'|'.join(sorted({*_ENGLISH, *_TIMES} - {'万', '亿'}, key=len, reverse=True))})"
_IN_ENGLISH = re.compile(rf"\b{_WORD}(?:[ -](?:and )?{_WORD})*\b", re.I)
_IN_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+")
_DIGITS = {**{digit: n for n, digit in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}


def digits(text: str) -> Counter[str]:
    """Count the numbers in digits: a version as it is, with or without `v`; a month of a date by its number."""
    found = Counter(str(_SHORT.index(month[:3].lower()) + 1) for month in _MONTH_OF_DATE.findall(text))

    def multiplied(match: re.Match[str]) -> str:
        number = Decimal(match["number"].rstrip(".,").replace(",", ""))
        for times in re.findall(r"[a-z]+|.", match["times"].lower()):
            number *= _LARGE.get(times) or _PLACES[times]
        found[f"{number.normalize():f}"] += 1
        return " "

    for match in _NUMBER.finditer(_MULTIPLIED.sub(multiplied, text)):
        before, number, after = match["before"].lower(), match["number"], match["after"].lower()
        if before not in ("", "v") or any(each.isdigit() for each in after):
            found[f"{before}{number}{after}"] += 1
        elif _THOUSANDS.fullmatch(number):
            found[number.replace(",", "")] += 1
        else:
            found[str(int(number)) if number.isdigit() else number] += 1
    return found


def words(text: str) -> Counter[str]:
    """Count the numbers in words of English or Chinese: each by itself, and what those side by side make together.

    The name of a month is its number, too.
    """
    found: Counter[str] = Counter()
    for match in _IN_ENGLISH.finditer(text):
        parts = [part for part in re.split(r"[ -]", match[0].lower()) if part != "and"]
        found.update({str(_together(each)) for each in [parts, *([part] for part in parts)]})
    for month in re.findall(rf"\b(?:{_MONTH})\b", text, re.I):
        found[str(_SHORT.index(month[:3].lower()) + 1)] += 1
    found.update(str(_chinese(numeral)) for numeral in _IN_CHINESE.findall(text))
    return found


def _together(parts: list[str]) -> int:
    """Read an English numeral: `two hundred and twenty-two`."""
    total = part = 0
    for word in parts:
        if word in _LARGE:
            total, part = total + (part or 1) * _LARGE[word], 0
        elif word in _TIMES:
            part = (part or 1) * _TIMES[word]
        else:
            part += _ENGLISH[word]
    return total + part


def _chinese(numeral: str) -> int:
    """Read a Chinese numeral; where it has no places, 二〇二〇, its digits one after another."""
    if not set(numeral) & {*_PLACES, "万", "亿"}:
        return int("".join(str(_DIGITS[digit]) for digit in numeral))
    total = part = digit = 0
    for each in numeral:
        if each in _DIGITS:
            digit = _DIGITS[each]
        elif each in _PLACES:
            part, digit = part + (digit or 1) * _PLACES[each], 0
        elif each == "万":
            total, part, digit = total + (part + digit or 1) * _LARGE[each], 0, 0
        else:
            total, part, digit = (total + part + digit or 1) * _LARGE[each], 0, 0
    return total + part + digit
