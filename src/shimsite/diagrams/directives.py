"""The marks of a page at which diagrams and steps stand.

<!-- diagram: call-chain dockershim -->               one chain of notebooks/records/call-chain.json
<!-- diagram: call-chain dockershim containerd -->    two, side by side, their rows at the same heights
<!-- steps: call-chain dockershim -->                 its steps, beside a small map of it
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shimfacts.schema import FactError
from shimsite.diagrams import alt_text, geometry, layout, steps
from shimsite.diagrams import chain as record
from shimsite.diagrams.chain import Chain, RecordError
from shimsite.diagrams.steps import Words
from shimsite.languages import markdown_text

Warn = Callable[[str], None]
_MARK = re.compile(r"^<!--\s*(?P<what>diagram|steps):\s*(?P<words>[^>]*?)\s*-->\s*$")
#: Above the sentences that say what a picture shows.
IN_WORDS = {"en": "The same in words", "zh": "用文字说一遍"}


@dataclass(frozen=True)
class Diagrams:
    """The records that diagrams are drawn from, and the words for their steps."""

    records: Mapping[str, Mapping[str, Chain]] = field(default_factory=dict)
    words: Mapping[str, Words] = field(default_factory=dict)
    #: Whether all could be read. If not, that was told, and marks that stay empty for it say no more.
    whole: bool = True

    def texts(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Walk over the texts that readers get: where each stands, and it in each language."""
        return steps.texts(self.words)

    def marks(self) -> tuple[str, ...]:
        """List the marks of steps that there can be."""
        return tuple(
            f"<!-- steps: {name} {runtime} -->" for name, chains in self.records.items() for runtime in chains
        )

    def problems(self) -> Iterator[str]:
        """Tell which words and records do not fit together."""
        for name, words in self.words.items():
            if name in self.records:
                yield from steps.problems(words, self.records[name])

    def fill(self, markdown: str, lang: str, link_to: Callable[[str], str], warn: Warn) -> str:
        """Put diagrams and steps where the marks of a page stand; `link_to` makes a link to a part of a notebook."""
        out, count = [], 0
        for line in markdown_text.lines(markdown):
            match = _MARK.match(line.text) if line.is_prose else None
            if match is None:
                out.append(line.text)
                continue
            count += 1
            try:
                out.append(
                    self._filled(match["what"], match["words"].split(), lang, f"chain-{count}", link_to)
                )
            except RecordError as error:
                warn(f"{line.text.strip()}: {error}")
        return "\n".join(out) + ("\n" if markdown.endswith("\n") else "")

    def _filled(self, what: str, names: list[str], lang: str, key: str, link_to: Callable[[str], str]) -> str:
        name, *runtimes = names or [""]
        if name not in self.records and not self.whole:
            return ""
        if name not in self.records:
            raise RecordError(f"there is no record '{name}'; there are {', '.join(self.records) or 'none'}")
        chains = self.records[name]
        if not runtimes or (unknown := [each for each in runtimes if each not in chains]):
            raise RecordError(
                f"the record '{name}' holds {', '.join(chains)}, not {', '.join(unknown) if runtimes else 'nothing'}"
            )
        if what == "diagram":
            return figure([chains[each] for each in runtimes], lang, key)
        if len(runtimes) != 1 or name not in self.words:
            raise RecordError(f"steps are of one runtime, and of a record with words in facts/{steps.PATH}")
        return stepper(self.words[name], chains[runtimes[0]], lang, key, link_to)


def load(root: Path, complain: Warn) -> Diagrams:
    """Read the records that have words and the words; what cannot be read is told to `complain`."""
    words: Mapping[str, Words] = {}
    records: dict[str, Mapping[str, Chain]] = {}
    whole = True
    try:
        words = steps.load(root / "facts")
    except FactError as error:
        complain(f"facts/{error}")
        whole = False
    for name in words:
        try:
            records[name] = record.load(root, name)
        except RecordError as error:
            complain(str(error))
            whole = False
    return Diagrams(records, words, whole)


def figure(chains: list[Chain], lang: str, key: str) -> str:
    """Write pictures side by side, and below them what they show in sentences."""
    told = [(alt_text.title(chain, lang), alt_text.description(chain, lang)) for chain in chains]
    pictures = layout.draw(chains, lang, told)
    drawn = "".join(picture.svg(f"{key}-{number}") for number, picture in enumerate(pictures, 1))
    lists = "".join(
        f"<p>{html.escape(title)}</p><ul>"
        + "".join(f"<li>{html.escape(sentence)}</li>" for sentence in alt_text.sentences(chain, lang))
        + "</ul>"
        for chain, (title, _) in zip(chains, told, strict=True)
    )
    # The words are those of the page; the search would find each of them twice.
    return (
        f'<figure class="chains chains--{len(chains)}" data-search-exclude="true">\n{drawn}\n'
        f"<figcaption><details><summary>{IN_WORDS[lang]}</summary>{lists}</details></figcaption>\n</figure>"
    )


def stepper(words: Words, chain: Chain, lang: str, key: str, link_to: Callable[[str], str]) -> str:
    """Write the steps of a chain beside its map."""
    told = (alt_text.title(chain, lang), alt_text.SENTENCES[lang]["map"])
    (picture,) = layout.draw([chain], lang, [told], geometry.SMALL)
    label = steps.WORDS[lang]["label"].format(chain.runtime)
    buttons = "".join(f' data-{name}="{word}"' for name, word in steps.BUTTONS[lang].items())
    return (
        f'<div class="steps" role="group" aria-label="{label}"{buttons} markdown="block">\n'
        f'<div class="steps__map" data-search-exclude="true">{picture.svg(key, "chain--map")}</div>\n'
        f"{steps.listing(words, chain, lang, link_to(words.proofs[chain.runtime]))}\n</div>"
    )
