"""Read YAML that people write: a key that stands twice is a mistake, not a way to replace the first."""

from __future__ import annotations

from collections.abc import Hashable
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


def load(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a file.

    Raises:
        YAMLError: it is not YAML, or a key stands twice in a mapping.
    """
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, _Loader)  # noqa: S506 - a SafeLoader, see above
