"""The index of the search, as the theme's plugin wrote it, made ready for our worker: rows, leads, ways on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from shimsite.search.rows import Row
from shimsite.tables.search import Lead

PATH = "search/search_index.json"
Warn = Callable[[str], None]


def location(target: str) -> str:
    """Turn the path of a page among the sources, with or without an anchor, into its address below a language."""
    path, hash_, anchor = target.partition("#")
    page = path.rpartition(".")[0]
    folder = page.removesuffix("index") if page.rpartition("/")[2] == "index" else f"{page}/"
    return f"{folder}{hash_}{anchor}"


def finish(
    site: Path, lang: str, rows: Mapping[str, Iterable[Row]], leads: Iterable[Lead], warn: Warn
) -> None:
    """Rewrite the index below a language's site; `rows` are by the address of their page.

    What a lead names and the index does not have is told to `warn`.
    """
    path = site / PATH
    index = json.loads(path.read_text("utf-8"))
    docs = [doc for entry in index["docs"] for doc in (entry, *_rows_of(entry, rows))]
    known = {doc["location"] for doc in docs}
    synonyms, ways = [], []
    for lead in leads:
        see = [location(target) for target in lead.see]
        for missing in (where for where in see if where not in known):
            warn(f"facts/tables/search.yaml: {lead.id}: no page has '{missing}'")
        synonyms.append(_synonym(lead, lang, see))
        if lead.nothing and see:
            ways.append({"location": see[0], "text": lead.nothing[lang]})
    index["config"] |= {"synonyms": synonyms, "ways": ways}
    index["docs"] = docs
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _rows_of(entry: Mapping[str, Any], rows: Mapping[str, Iterable[Row]]) -> list[dict[str, Any]]:
    """Give the rows that follow a page's own entry: that has to be the first of the page, and its boost is theirs."""
    boost = {"boost": entry["boost"]} if "boost" in entry else {}
    return [
        {"location": f"{entry['location']}#{row.id}", "title": row.title, "text": row.text, **boost}
        for row in rows.get(entry["location"], ())
    ]


def _synonym(lead: Lead, lang: str, see: list[str]) -> dict[str, list[str]]:
    # Who reads Chinese types English words as well, and sometimes the other way round.
    said = [phrase for phrases in lead.say.values() for phrase in phrases]
    return {"say": said, "means": list(lead.means.get(lang, ())), "see": see}
