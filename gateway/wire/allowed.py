"""Data minimisation: only fields on the list of a message type leave the gateway."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import FieldNotAllowed, SchemaSetBroken
from gateway.stages import Checked, Tree
from gateway.wire.documents import NS

_ALL: dict[str, Any] = {}  # a group that is allowed with all its fields
_PREFIX = len(NS) + 2


@dataclass(frozen=True, slots=True)
class AllowedFields:
    """The allow-lists of one schema version, each a tree of element names."""

    trees: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, folder: Path) -> "AllowedFields":
        """Read `allowed.toml` of a schema folder. Raises `SchemaSetBroken` when it cannot be read."""
        try:
            lists = tomllib.loads((folder / "allowed.toml").read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SchemaSetBroken(f"allowed.toml of the schema set cannot be read: {error}") from error
        trees: dict[str, Mapping[str, Any]] = {}
        for type_, paths in lists.items():
            tree: dict[str, Any] = {}
            for path in paths:
                *groups, last = path.split("/")
                node = tree
                for group in groups:
                    node = node.setdefault(group, {})
                node[last] = _ALL
            trees[type_] = tree
        return cls(trees)

    def check(self, checked: Checked) -> None:
        """Raise `FieldNotAllowed` for the first field that is not on the list of its message type."""
        tree = self.trees.get(checked.type)
        if tree is None:
            raise FieldNotAllowed(
                f"there is no allow-list for {checked.type}; nothing of it may leave", path=f"/{checked.type}"
            )
        _walk(checked.document, tree, f"/{checked.type}")


def _walk(node: Tree, allowed: Mapping[str, Any], path: str) -> None:
    for child in node:
        name = child.tag[_PREFIX:]
        below = allowed.get(name)
        if below is None:
            raise FieldNotAllowed(
                "this field may not leave in a message of this type", path=f"{path}/{name}", line=child.sourceline
            )
        if below is not _ALL:
            _walk(child, below, f"{path}/{name}")
