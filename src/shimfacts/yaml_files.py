"""Read YAML that people write: lines are known, and a key that stands twice is a mistake.

It is no way to replace the first one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a mapping with the same key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make the mapping, unless a key of it stands twice.

        Raises:
            ConstructorError: it does; says where both stand.
        """
        seen: dict[Any, yaml.Mark] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<`, whose keys give way to those beside it
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    f"the key {key!r} is here", seen[key], "and here again", key_node.start_mark
                )
            seen[key] = key_node.start_mark
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Document:
    """What a file holds, and where in it each part stands."""

    data: Any
    node: yaml.Node | None

    def line(self, *path: str | int) -> int:
        """Give the line of a part, named by keys and places in lists; of what holds it where it is not there."""
        node, line = self.node, 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def document(path: Path) -> Document:
    """Read a file with its lines.

    Raises:
        YAMLError: it is not YAML, or a key stands twice in a mapping.
    """
    with path.open(encoding="utf-8") as stream:
        loader = _Loader(stream)
        try:
            node = loader.get_single_node()
            return Document(None if node is None else loader.construct_document(node), node)
        finally:
            loader.dispose()


def load(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a file.

    Raises:
        YAMLError: it is not YAML, or a key stands twice in a mapping.
    """
    return document(path).data
