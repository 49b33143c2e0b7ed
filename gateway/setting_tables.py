"""Settings that are one table for each authority, as `[edges.BA-MS]`: read key by key, each checked by its kind."""

from collections.abc import Mapping
from dataclasses import fields
from inspect import formatannotation
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from gateway.errors import SettingsInvalid

Table = TypeVar("Table")
_TYPES: Mapping[str, type] = {"str": str, "Path": str, "bool": bool, "int": int}


def read_tables(given: Any, folder: Path, *, name: str, kind: type[Table]) -> Mapping[str, Table]:
    """Read the tables of the setting `name`, each into the dataclass `kind`; `folder` anchors relative paths.

    Raises `SettingsInvalid`; its message repeats no value.
    """
    if not isinstance(given, dict) or not all(isinstance(table, dict) for table in given.values()):
        raise SettingsInvalid(f"{name} must hold one table for each authority: [{name}.XX-NAME]")
    return MappingProxyType(
        {authority: _read(f"{name}.{authority}", table, folder, kind) for authority, table in given.items()}
    )


def _read(place: str, table: Mapping[str, Any], folder: Path, kind: type[Table]) -> Table:
    kinds = {
        item.name: formatannotation(item.type).replace("pathlib.", "").removesuffix(" | None")
        for item in fields(kind)  # type: ignore[arg-type]  # a dataclass
    }
    found: dict[str, Any] = {}
    for key, value in table.items():
        wanted = kinds.get(key)
        if wanted is None:
            raise SettingsInvalid(f"unknown setting {key!r} in [{place}]")
        if type(value) is not _TYPES[wanted]:
            raise SettingsInvalid(f"setting {key!r} in [{place}] has a value that is not {wanted}")
        found[key] = (folder / Path(str(value)).expanduser()).resolve() if wanted == "Path" else value
    try:
        return kind(**found)
    except SettingsInvalid as error:
        raise SettingsInvalid(f"[{place}]: {error.message}") from error
