"""What the built site gives the search: our worker in place of the theme's on every page, and rows of tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.support import project

from shimfacts import model
from shimsite import build
from shimsite.search import index

CONFIG = re.compile(r'<script id="__config" type="application/json">(.*?)</script>', re.DOTALL)
THEME = re.compile(r"assets/javascripts/search/worker\.js\?theme=([\w.]+\.js)$")


@pytest.mark.parametrize("lang", build.CONFIGS)
def test_every_page_starts_our_worker_with_the_themes_lunr(site: Path, lang: str) -> None:
    """Where the theme names its worker in another way, `overrides/main.html` has to follow."""
    pages = list((site / lang).rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        started = json.loads(CONFIG.findall(page.read_text("utf-8"))[0])["search"]
        theme = THEME.search(started)
        assert theme, f"{page}: starts '{started}', not our worker"
        worker = site / lang / f"assets/javascripts/workers/search.{theme[1]}"
        assert worker.is_file(), f"{page}: the theme has no {worker.name}"
        # What our worker takes from it, by the names that the theme exposes for its stemmers.
        assert re.search(r"self\.lunr\s*=", worker.read_text("utf-8"))


@pytest.mark.parametrize("lang", build.CONFIGS)
def test_each_row_of_data_is_an_entry_and_no_page_has_it_once_more(site: Path, lang: str) -> None:
    docs = json.loads((site / lang / index.PATH).read_text("utf-8"))["docs"]
    entries = {doc["location"]: doc for doc in docs}
    assert len(entries) == len(docs)
    for fact in model.load(build.ROOT / "facts").values():
        if fact.kind == "message":
            assert f"reference/messages/#{fact.id}" in entries
    assert "RuntimeConfig" not in entries["reference/messages/"]["text"]
    assert not any("\u200b" in doc["title"] + doc["text"] for doc in docs)
    assert not any("data-search-exclude" in page.read_text("utf-8") for page in (site / lang).rglob("*.html"))


LEADS = """
gone:
  say: {en: [roll back]}
  see: [index.md#nowhere]
"""


def test_a_synonym_that_leads_nowhere_stops_the_build(tmp_path: Path) -> None:
    home = "---\ntitle: Home\ndescription: One.\n---\n\n# Home { #home }\n\nOne.\n"
    folder = project.make(tmp_path, {"docs/en/index.md": home}, tables={"search.yaml": LEADS})
    done = project.build_strictly(folder)
    assert done.returncode != 0
    assert "facts/tables/search.yaml: gone: no page has '#nowhere'" in done.stderr + done.stdout
