"""Both languages have the same pages, the same structure and the same navigation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import project

from shimsite import build
from shimsite.checks import parity

ENGLISH = """---
title: A page
---

# A page { #a-page }

Words, `code` and [a link](b.md#c), see [elsewhere](https://kubernetes.io/docs/x/).

!!! note "A note"

    Inside. {{ fact("release") }}

## More { #more }

```python
x = 1  # one
```

![A picture](p.svg)
"""
CHINESE = """---
title: 页面
source_hash: HASH
---

# 页面 { #a-page }

文字、`code` 和[链接](b.md#c)，另见[别处](https://kubernetes.io/zh-cn/docs/x/)。

!!! note "注"

    里面。{{ fact("release") }}

## 更多 { #more }

```python
x = 1  # 一
```

![图](p.svg)
""".replace("HASH", parity.source_hash(ENGLISH))


def test_the_languages_are_in_step(root: Path) -> None:
    problems = list(parity.all_problems(root))
    assert not problems, "\n".join(problems)


def test_both_navigations_list_the_same_pages(root: Path) -> None:
    english, chinese = (_navigation(root / name) for name in build.CONFIGS.values())
    assert _paths(english) == _paths(chinese)
    assert len(_paths(english)) >= 4
    assert not set(_titles(english)) & set(_titles(chinese))


def _navigation(config: Path) -> Any:
    class Loader(yaml.SafeLoader):
        """Reads MkDocs' settings without acting on its own tags."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: None)
    return yaml.load(config.read_text("utf-8"), Loader)["nav"]  # noqa: S506 - a SafeLoader, see above


def _paths(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    return [path for part in (entry if isinstance(entry, list) else entry.values()) for path in _paths(part)]


def _titles(entry: Any) -> list[str]:
    if isinstance(entry, dict):
        return [*entry, *(title for part in entry.values() for title in _titles(part))]
    return [title for part in entry for title in _titles(part)] if isinstance(entry, list) else []


def problems(folder: Path, english: str, chinese: str | None) -> list[str]:
    pages = {"docs/en/p.md": english} | ({} if chinese is None else {"docs/zh/p.md": chinese})
    return list(parity.all_problems(project.make(folder, pages)))


def test_the_check_accepts_a_translation(tmp_path: Path) -> None:
    assert problems(tmp_path, ENGLISH, CHINESE) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "## 更多 { #more }",
            "### 更多 { #more }",
            "line 14: is the heading ### { #more } where English line 13 is the heading ## { #more }",
        ),
        ("## 更多 { #more }", "## 更多 { #geng-duo }", "line 14: is the heading ## { #geng-duo } where"),
        (
            "## 更多 { #more }",
            "",
            "line 12: after it, the heading ## { #more } of English line 13 is missing: 'More'",
        ),
        ("## 更多 { #more }", "## 更多", "line 14: is the heading ## where English line 13"),
        ("x = 1", "x = 2", "line 16: is ```python / x = 2 where English line 15 is ```python / x = 1"),
        ("```python", "```py", "line 16: is ```py / x = 1 where"),
        ("!!! note", "!!! warning", "line 10: is !!! warning where English line 9 is !!! note"),
        ("title: 页面", "title: 页面 2", "line 2: has the number 2, which English line 2 lacks"),
        ("文字、", "文字abc、", "a space belongs between Han and Latin in '字a'"),
        ("和[链接]", "和\n[链接]", None),
        ("另见", "另\n见", "a paragraph is one line"),
    ],
)
def test_a_difference_is_found(tmp_path: Path, old: str, new: str, complaint: str | None) -> None:
    assert old in CHINESE
    found = problems(tmp_path, ENGLISH, CHINESE.replace(old, new))
    if complaint is None:
        assert found == []
    else:
        assert any(complaint in problem for problem in found), found
        assert all(problem.startswith("docs/zh/p.md: ") for problem in found)


def test_a_changed_english_page_makes_its_translation_stale(tmp_path: Path) -> None:
    found = problems(tmp_path, ENGLISH.replace("Words", "Other words"), CHINESE)
    assert len(found) == 1
    assert "made from another version" in found[0]
    page = tmp_path / "docs" / "zh" / "p.md"
    parity.update(page, tmp_path / "docs" / "en" / "p.md")
    assert list(parity.all_problems(tmp_path)) == []
    parity.update(page, tmp_path / "docs" / "en" / "p.md")
    assert page.read_text("utf-8").count("source_hash:") == 1


def test_a_page_without_a_twin_is_found(tmp_path: Path) -> None:
    assert problems(tmp_path, ENGLISH, None) == ["docs/zh/p.md: is missing; p.md has no translation"]
    (tmp_path / "docs/en/p.md").rename(tmp_path / "docs/zh/q.md")
    assert list(parity.all_problems(tmp_path)) == ["docs/zh/q.md: has no English page"]


def test_a_heading_without_an_id_is_found(tmp_path: Path) -> None:
    found = problems(tmp_path, ENGLISH.replace(" { #more }", ""), CHINESE)
    assert "docs/en/p.md: line 13: the heading 'More' has no id; add `{ #in-english }`" in found


@pytest.mark.parametrize(
    ("cells", "complaints"),
    [
        ([("en", "# A\n\n[x](y.md)"), ("zh", "# 甲\n\n[某](y.md)")], []),
        ([("en", "# A")], ["cell 1: the English text has no Chinese twin"]),
        ([("zh", "# 甲")], ["cell 1: the Chinese text has no English twin"]),
        ([("zh", "甲"), ("en", "A")], ["cell 1: the Chinese", "cell 2: the English"]),
        ([("en", "A"), ("en", "B"), ("zh", "乙")], ["cell 1: the English text has no Chinese twin"]),
        (
            [("en", "# A"), ("zh", "甲")],
            ["cell 2: line 1: is the paragraph where English line 1 is the heading #"],
        ),
        ([("en", "[x](y.md)"), ("zh", "某")], ["cell 2: line 1: lacks the link to y.md of English line 1"]),
        ([("", "A")], ["cell 1: a prose cell has exactly one of the tags"]),
        (
            [("en", "```sh\nls\n```"), ("zh", "某")],
            ["cell 2: line 1: is the paragraph where English line 1 is ```sh / ls"],
        ),
        (
            [("en", "[x](../docs/en/a.md)"), ("zh", "[某](../docs/zh/a.md)")],
            [],
        ),
    ],
)
def test_prose_cells_come_in_pairs(
    tmp_path: Path, cells: list[tuple[str, str]], complaints: list[str]
) -> None:
    made = [project.prose(lang, text) for lang, text in cells]
    if not cells[0][0]:
        made[0].metadata.pop("tags")
    project.make(tmp_path, {}, {"01-a.ipynb": project.notebook(*made, project.code("1"))})
    found = list(parity.all_problems(tmp_path))
    assert len(found) == len(complaints), found
    for problem, complaint in zip(found, complaints, strict=True):
        assert problem.startswith(f"notebooks/01-a.ipynb: {complaint}")
