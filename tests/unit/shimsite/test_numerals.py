"""Numbers of a text, in digits and in words."""

from __future__ import annotations

import pytest

from shimsite.languages import numerals


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Kubernetes 1.24, and v1.24.17.", ["1.24", "1.24.17"]),
        ("from 1.21–1.23 to 1.25-rc.1", ["1.21", "1.23", "1.25", "1"]),
        ("CRI v1alpha2 and cgroup v2, IPv6, k8s", ["v1alpha2", "2", "ipv6", "k8s"]),
        ("40s, 40 s, the 40th", ["40", "40", "40"]),
        ("5,000 nodes, 1,234,567.5 s, 10000 pods", ["5000", "1234567.5", "10000"]),
        ("15 万个，1.5 亿，3 千万，2 百万", ["150000", "150000000", "30000000", "2000000"]),
        ("1.5 million, 2 thousand", ["1500000", "2000"]),
        ("8 December 2020 and May 3, 2021, Sep 2022", ["12", "8", "2020", "5", "3", "2021", "9", "2022"]),
        ("2020 年 12 月 08 日", ["2020", "12", "8"]),
        ("it may be 7, and march on", ["7"]),
        ("2020-12-08, 09:30", ["2020", "12", "8", "09:30"]),
        ("20.04 and 007", ["20.04", "7"]),
        ("one, two, 三", []),
    ],
)
def test_digits(text: str, found: list[str]) -> None:
    assert sorted(numerals.digits(text).elements()) == sorted(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twelve", 12),
        ("twenty-two", 22),
        ("two hundred and six", 206),
        ("a hundred", 100),
        ("two dozen", 24),
        ("three thousand", 3000),
        ("the third", 3),
        ("twice", 2),
        ("in December", 12),
        ("两条", 2),
        ("第二十二种", 22),
        ("一百零五", 105),
        ("十五万", 150000),
        ("一亿二千万", 120000000),
        ("二〇二〇年", 2020),
    ],
)
def test_words(text: str, value: int) -> None:
    assert numerals.words(text)[str(value)] == 1


def test_no_numerals() -> None:
    assert not numerals.words("phone, tension, weighted, 40, 年月日")
