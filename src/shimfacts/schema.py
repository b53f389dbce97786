"""What files of facts and tables are made of, as pydantic knows it, and mistakes in them told in plain words.

A model says what a part of a file may hold; its JSON Schema, made of the same model, tells an editor while one types.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from shimfacts import releases, yaml_files

LANGUAGES = ("en", "zh")
_EACH = f"exactly {' and '.join(LANGUAGES)}"
_T = TypeVar("_T")


class FactError(ValueError):
    """A fact or a row that cannot be used; says the file, the line, whose it is and what is wrong with it."""

    def __init__(self, file: str, name: str, what: str, line: int | None = None) -> None:
        """Say which entry of which file is wrong, and how."""
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {name}: {what}" if name else f"{where}: {what}")


class Model(BaseModel):
    """What a mapping holds: exactly the declared keys. A declared description is what an error says of a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _by_language(raw: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the YAML holds
    """Accept one text for both languages, a date, or one text for each language."""
    if isinstance(raw, datetime.date):
        raw = raw.isoformat()
    if isinstance(raw, (int, float)):
        raise ValueError(  # noqa: TRY004 - pydantic tells of a ValueError
            "is a bare number, which YAML shortens (1.20 becomes 1.2): put it in quotes"
        )
    if isinstance(raw, str):
        raw = dict.fromkeys(LANGUAGES, raw)
    if not isinstance(raw, dict) or set(raw) != set(LANGUAGES):
        raise ValueError(f"is a text, or a mapping with {_EACH}")
    if not all(isinstance(text, str) and text.strip() for text in raw.values()):
        raise ValueError("is empty or not text")
    return {lang: raw[lang].strip() for lang in LANGUAGES}


def _lines(raw: Any) -> dict[str, str]:  # noqa: ANN401
    """Accept one line for each language, as a row of a table or of a list has room for."""
    if not isinstance(raw, dict):
        raise ValueError(f"is a mapping with {_EACH}")  # noqa: TRY004 - pydantic tells of a ValueError
    if any("\n" in text for text in _by_language(raw).values()):
        raise ValueError("is one line in each language")
    return _by_language(raw)


def _range(raw: Any) -> Any:  # noqa: ANN401
    if isinstance(raw, str):
        releases.ends(raw)
    return raw


def _url(raw: Any) -> Any:  # noqa: ANN401
    if not isinstance(raw, str) or not re.match(r"https://[^\s/]+", raw):
        raise ValueError(f"begins with https://, not {raw!r}")
    return raw.strip()


_MAPPING = {
    "type": "object",
    "properties": {lang: {"type": "string"} for lang in LANGUAGES},
    "required": list(LANGUAGES),
    "additionalProperties": False,
}
#: One text for both languages, or one for each.
Both = Annotated[
    Mapping[str, str],
    BeforeValidator(_by_language),
    WithJsonSchema({"anyOf": [{"type": "string"}, _MAPPING]}),
]
#: One line for each language.
Lines = Annotated[Mapping[str, str], BeforeValidator(_lines), WithJsonSchema(_MAPPING)]
#: Releases, ends included: 1.20, 1.21–1.23, 1.24–, –1.23.
Range = Annotated[str, BeforeValidator(_range)]
#: One line without its ends.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\n]+$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Source(Model):
    """Where a fact can be read in the words of those who made it true."""

    title: Words
    url: Annotated[str, BeforeValidator(_url), WithJsonSchema({"type": "string", "pattern": "^https://"})]


Sources = Annotated[
    tuple[Source, ...], Field(min_length=1, description="a list of at least one {title, url}")
]


class File:
    """A file of facts or of a table, read; it knows its lines."""

    def __init__(self, folder: Path, name: str) -> None:
        """Read a file below the folder of facts; an empty one holds nothing.

        Raises:
            FactError: it is not YAML, or a key stands twice in a mapping.
        """
        self.name = name
        try:
            self._document = yaml_files.document(folder / name)
        except yaml.YAMLError as error:
            raise FactError(name, "", f"cannot be read: {error}") from error
        self.data: Any = self._document.data

    def wrong(self, what: str, name: str = "", *path: str | int) -> FactError:
        """Make the error of a part of this file, with its line."""
        return FactError(self.name, name, what, self._document.line(*path))

    def mapping(self, what: str) -> dict[str, Any]:
        """Give what the file holds as a mapping; `what` says of what to what.

        Raises:
            FactError: it is none.
        """
        if not isinstance(self.data or {}, dict):
            raise self.wrong(f"is not a mapping of {what}")
        return {str(key): value for key, value in (self.data or {}).items()}

    def read(self, kind: type[_T], raw: Any, name: str, *path: str | int) -> _T:  # noqa: ANN401
        """Make a model of a part of this file; `name` is what an error calls it, `path` where it stands.

        Raises:
            FactError: it breaks the model; says the line, and what is wrong there.
        """
        hashable: Any = kind
        try:
            # By the names in the file alone: what a model calls its attributes is no key.
            read: _T = _adapter(hashable).validate_python(raw, by_alias=True, by_name=False)
        except ValidationError as error:
            first = error.errors()[0]
            raise self.wrong(_words(kind, first), name, *path, *first["loc"]) from error
        return read


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    return TypeAdapter(kind)


def _words(kind: Any, error: ErrorDetails) -> str:  # noqa: ANN401
    """Say what is wrong in the words of people who write YAML."""
    path = ".".join(str(step) for step in error["loc"])
    key, raw, context = f"`{path}`" if path else "", error["input"], error.get("ctx", {})
    fields = _fields(kind, error["loc"])
    match error["type"]:
        case "value_error":
            return f"{key} {context['error']}".strip()
        case "missing":
            return f"lacks {key}; it has {', '.join(fields)}"
        case "extra_forbidden":
            return f"unknown key {path!r}; there are {', '.join(fields)}"
        case "literal_error":
            expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
            return f"unknown {path} {raw!r}; there are {expected}"
        case "bool_type" | "bool_parsing":
            return f"{key} is true or false, not {raw!r}"
    if said := _description(kind, error["loc"]):
        return f"{key} is {said}, not {raw!r}"
    match error["type"]:
        case "model_type" | "dict_type" | "model_attributes_type":
            return f"{key} is a mapping with {', '.join(fields)}, not {raw!r}".strip()
        case "string_type":
            return f"{key} is text in quotes, not {raw!r}"
        case "string_pattern_mismatch":
            return f"{key} is one line"
        case "string_too_short":
            return f"{key} is empty"
        case "tuple_type" | "list_type" | "too_short":
            return f"{key} is a list of at least one"
    return f"{key}: {error['msg']}"


def _bare(kind: Any) -> Any:  # noqa: ANN401
    """Take what is annotated, or may be left out, for what it is."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return kind


def _model(kind: Any, loc: tuple[int | str, ...]) -> type[BaseModel] | None:  # noqa: ANN401
    """Find the model that a path leads to; None where it leads to something else."""
    for step in loc:
        kind = _bare(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = {(each.alias or name): each.annotation for name, each in kind.model_fields.items()}
            kind = fields.get(str(step))
        else:  # a list or a mapping, whose last argument is what it holds
            kind = next((each for each in reversed(get_args(kind)) if each is not ...), None)
    kind = _bare(kind)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _fields(kind: Any, loc: tuple[int | str, ...]) -> list[str]:  # noqa: ANN401
    """List the keys of the model that a path leads to, or is in."""
    found = _model(kind, loc) or _model(kind, loc[:-1])
    return sorted(found.model_json_schema(by_alias=True).get("properties", {})) if found else []


def _description(kind: Any, loc: tuple[int | str, ...]) -> str:  # noqa: ANN401
    """Find what the model says of a value that a path leads to."""
    found = _model(kind, loc[:-1]) if loc else None
    described = (
        {(each.alias or name): each.description for name, each in found.model_fields.items()} if found else {}
    )
    return described.get(str(loc[-1])) or "" if loc else ""
