"""The search worker without the box around it: questions in, what was found out, as the theme asks it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page

from shimsite.search import index

QUERIES = Path(__file__).parent / "queries"
#: Start a worker as the theme does, and tell it the index; `ask` waits for the answer to each message.
START = """async () => {
  const config = JSON.parse(document.getElementById("__config").textContent)
  const worker = new Worker(config.search)
  window.ask = message => new Promise((resolve, reject) => {
    worker.onmessage = event => resolve(event.data)
    worker.onerror = event => reject(new Error(event.message))
    worker.postMessage(message)
  })
  const found = await fetch(new URL("search/search_index.json", new URL(config.base + "/", location)))
  const { type } = await ask({ type: 0, data: { ...await found.json(), options: { suggest: true } } })
  return type
}"""
ASK = """async queries => {
  const answers = []
  for (const query of queries) answers.push(await ask({ type: 2, data: query }))
  return answers
}"""
#: The same, but of what was found the addresses alone: what has no score was not found.
FOUND = """async queries => {
  const all = []
  for (const query of queries) {
    const { type, data } = await ask({ type: 2, data: query })
    all.push({ type, found: data.items.filter(page => page[0].score > 0).map(page => page.map(item => item.location)) })
  }
  return all
}"""
READY, RESULT = 1, 3

#: What was found: pages, the best first, each the addresses of its sections, the one that is shown first.
Found = list[list[str]]


class Search:
    """The search of one language."""

    def __init__(self, page: Page) -> None:
        """Start the worker on a page that is open."""
        self.page = page
        assert page.evaluate(START) == READY

    def answers(self, queries: Iterable[str]) -> list[dict[str, Any]]:
        """Give what the worker answers to each query."""
        return [message["data"] for message in self._told(ASK, queries)]

    def found(self, queries: Iterable[str]) -> list[Found]:
        """Give what each query finds."""
        return [message["found"] for message in self._told(FOUND, queries)]

    def _told(self, script: str, queries: Iterable[str]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.page.evaluate(script, list(queries))
        assert {message["type"] for message in messages} == {RESULT}
        return messages


def queries_of(lang: str) -> dict[str, str]:
    """Read the queries of a language, and the address of the page or section that each has to find."""
    written: dict[str, str] = yaml.safe_load((QUERIES / f"{lang}.yaml").read_text("utf-8"))
    return {query: index.location(target) for query, target in written.items()}


def is_among(found: Found, target: str, first: int = 3) -> bool:
    """Tell whether a page is among the first, or a section is what is shown of a page among them."""
    if "#" in target:
        return target in [page[0] for page in found[:first]]
    return target in [address.partition("#")[0] for page in found[:first] for address in page]
