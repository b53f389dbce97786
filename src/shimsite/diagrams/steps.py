"""The steps of a record as a list: who turns to whom, the call, what it means, and the line that was recorded.

The record says what happened; `facts/tables/steps.yaml` says in both languages what it means. The list is complete
without scripts; overrides/assets/javascripts/steps.js shows one step at a time and lights it up in the picture.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from shimfacts.schema import File, Line, Model
from shimsite.diagrams.chain import Chain, Step, is_same

PATH = "tables/steps.yaml"
LIGHTS = {"runc": "gone", "process": "process"}
OF = {
    "en": {"pod": "pod", "sandbox": "sandbox", "container": "container"},
    "zh": {"pod": " Pod ", "sandbox": "沙箱", "container": "容器"},
}
BUTTONS = {
    "en": {
        "previous": "Previous",
        "next": "Next",
        "all": "All steps",
        "one": "One at a time",
    },
    "zh": {"previous": "上一步", "next": "下一步", "all": "全部步骤", "one": "一次一步"},
}
#: The names of what a recorded line holds.
LINE = {
    "en": ("by", "call", "of", "namespace", "name"),
    "zh": ("记录者", "调用", "对象", "命名空间", "名字"),
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "label": "Steps on the node with {}",
        "calls": "**{0}** calls **{1}** at `{2}`",
        "starts": "**{0}** starts **{1}**",
        "inside": "**{0}**, by itself",
        "within": "during {}",
        "recorded": "As [the notebook]({}) recorded it",
        "count": "Step {n} of {all}",
    },
    "zh": {
        "label": "使用 {} 的节点上的各个步骤",
        "calls": "**{0}** 通过 `{2}` 调用 **{1}**",
        "starts": "**{0}** 启动 **{1}**",
        "inside": "**{0}**，在自己内部",
        "within": "属于 {}",
        "recorded": "[笔记本]({})录到的内容",
        "count": "第 {n} 步，共 {all} 步",
    },
}


def _routes(raw: Any) -> Any:  # noqa: ANN401 - whatever the YAML holds
    routes = raw if isinstance(raw, dict) else {"": raw}
    for route in routes.values():
        if (
            not isinstance(route, list)
            or len(route) not in (1, 2)
            or not all(isinstance(name, str) for name in route)
        ):
            raise ValueError(f"is a list of one or two names, or such a list for each runtime, not {route!r}")
    return routes


_NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}
_Routes = Annotated[
    Mapping[str, tuple[str, ...]],
    BeforeValidator(_routes),
    WithJsonSchema({"anyOf": [_NAMES, {"type": "object", "additionalProperties": _NAMES}]}),
]
_Cell = Annotated[str, Field(pattern=r"^[^#]+#[^#]+$")]


class Said(Model):
    """What is said of the steps of one call by one program."""

    by: str
    call: str
    routes: _Routes = Field(alias="route")
    en: Line
    zh: Line
    starts: Literal[True] | None = Field(None, description="true or left out")
    lights: tuple[Literal["runc", "process"], ...] = ()

    @property
    def texts(self) -> Mapping[str, str]:
        """Give the text in each language."""
        return {"en": self.en, "zh": self.zh}

    def route(self, runtime: str) -> tuple[str, ...]:
        """Say who turns to whom on a runtime; nobody where this step does not occur."""
        return self.routes.get(runtime) or self.routes.get("", ())


class Words(Model):
    """What is said of a record: where each of its runtimes is shown, and of every step."""

    record: SkipJsonSchema[str] = ""
    proofs: Mapping[str, _Cell] = Field(
        alias="proof", description="a mapping of each runtime to NN-name.ipynb#cell"
    )
    said: tuple[Said, ...] = Field(alias="words", description="a list of what is said of each step")

    @model_validator(mode="after")
    def _once(self) -> Words:
        if len({(each.by, each.call) for each in self.said}) != len(self.said):
            raise ValueError("says something of the same step twice")
        return self

    def of(self, step: Step) -> Said | None:
        """Find what is said of a step."""
        return next((each for each in self.said if (each.by, each.call) == (step.by, step.call)), None)


def load(folder: Path) -> dict[str, Words]:
    """Read the words below the folder of facts; none where a repository has none.

    Raises:
        FactError: they break the schema; says where.
    """
    if not (folder / PATH).is_file():
        return {}
    file = File(folder, PATH)
    return {
        name: file.read(Words, raw, name, name).model_copy(update={"record": name})
        for name, raw in file.mapping("records to words").items()
    }


def texts(words: Mapping[str, Words]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk over what is written for readers: where it stands, and the text in each language."""
    for record, each in words.items():
        for said in each.said:
            yield f"{record}: {said.by} {said.call}", said.texts


def problems(words: Words, chains: Mapping[str, Chain]) -> Iterator[str]:
    """Tell which steps have no words, which words no step, and which routes the record does not hold."""
    where = words.record
    if set(words.proofs) != set(chains):
        yield f"{where}: proof is for {', '.join(words.proofs)}; the record holds {', '.join(chains)}"
    used = set()
    for runtime, chain in chains.items():
        for step in dict.fromkeys((step.by, step.call) for step in chain.steps):
            said = words.of(Step(*step, "", "", ""))
            if said is None:
                yield f"{where}: no words for the step '{step[1]}' by {step[0]} on {runtime}"
            else:
                used.add(step)
                yield from (
                    f"{where}: {said.by} {said.call}: {what}" for what in _route_problems(said, chain)
                )
    for said in words.said:
        if (said.by, said.call) not in used:
            yield f"{where}: {said.by} {said.call}: no step of the record is that one"


def _route_problems(said: Said, chain: Chain) -> Iterator[str]:
    """Tell what of a route the record does not bear out."""
    route = said.route(chain.runtime)
    if not route:
        yield f"has no route for {chain.runtime}"
    elif not said.starts and len(route) > 1 and not _socket(chain, route):
        yield f"on {chain.runtime}, {route[0]} is not connected to a socket of {route[1]}"
    elif not set(route) <= {*chain.programs, chain.inside}:
        yield f"on {chain.runtime}, {' and '.join(route)} are not all among {', '.join(chain.programs)}"


def _socket(chain: Chain, route: tuple[str, ...]) -> str:
    """Find the socket over which the first of a route reaches the second."""
    socket, caller = chain.at(route[1]), route[0]
    # A part of a program has no connections of its own.
    caller = chain.programs[0] if caller == chain.inside else caller
    return socket.path if socket and socket.has_connected(caller) else ""


def listing(words: Words, chain: Chain, lang: str, link: str) -> str:
    """Write the steps as Markdown that holds HTML; `link` leads to where they were recorded."""
    items, call = [], ""
    for number, step in enumerate(chain.steps, 1):
        said = words.of(step)
        if said is None:
            continue  # problems() tells of it
        call = step.call if step.by == chain.programs[0] else call
        items.append(_item(number, step, said, chain, lang, call, link))
    # role: where it has no marks, a list is none to some screen readers.
    return "\n".join(['<ol role="list" class="steps__list" markdown="block">', *items, "</ol>"])


def _item(number: int, step: Step, said: Said, chain: Chain, lang: str, call: str, link: str) -> str:
    words, route = WORDS[lang], said.route(chain.runtime)
    kind = "inside" if len(route) == 1 else "starts" if said.starts else "calls"
    who = words[kind].format(*route, *([_socket(chain, route)] if kind == "calls" else []))
    within = (
        ""
        if call == step.call
        else f' <span class="step__within">{words["within"].format(f"`{call}`")}</span>'
    )
    count = words["count"].format(n=number, all=len(chain.steps))
    text = said.texts[lang].format(of=OF[lang][step.of])
    return (
        f'<li id="step-{chain.runtime}-{number}" class="step" data-parts="{html.escape(parts(step, said, chain))}" '
        f'markdown="block">\n'
        f'<p class="step__count">{count}</p>\n'
        f'<p class="step__call" markdown="span">`{step.call}`{within}</p>\n'
        f'<p class="step__who" markdown="span">{who}</p>\n'
        f'<p class="step__means" markdown="span">{" ".join(text.split())}</p>\n'
        f'<p class="step__recorded" markdown="span">{words["recorded"].format(link)}</p>\n'
        f"{_line(step, lang)}\n</li>"
    )


def _line(step: Step, lang: str) -> str:
    """Write the recorded line, each of its parts under its name."""
    values = vars(step).values()
    pairs = [
        f"<div><dt>{name}</dt><dd><code>{html.escape(value)}</code></dd></div>"
        for name, value in zip(LINE[lang], values, strict=True)
        if value
    ]
    return f'<dl class="step__line">{"".join(pairs)}</dl>'


def parts(step: Step, said: Said, chain: Chain) -> str:
    """List the parts of the picture that a step lights up, as layout.py names them."""
    shim = f"shim-{'pod' if chain.shims == 1 else step.of}"
    route = [shim if is_shim(name, chain) else name for name in said.route(chain.runtime)]
    lit = [*route, *([">".join(route)] if len(route) > 1 and not said.starts else [])]
    lit += [f"{LIGHTS[light]}-{step.of}" for light in said.lights]
    if "process" in said.lights:
        lit.append(f"{shim}/{step.of}")
    # Whoever starts a shim is not what the step is about.
    return " ".join(lit[1:] if said.starts else lit)


def is_shim(name: str, chain: Chain) -> bool:
    """Tell whether a name is that of the shims."""
    return is_same(chain.processes[0].shim, name)
