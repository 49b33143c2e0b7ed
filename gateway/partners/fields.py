"""Read a TOML file key by key; every refusal names the file and the key."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError


def read_bytes(path: Path, place: str, error: type[GatewayError]) -> bytes:
    """Return what a file holds; `place` is how messages name it."""
    try:
        return path.read_bytes()
    except OSError as cause:
        raise error(f"{place}: cannot be read") from cause


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML file, with the place it was read from."""

    values: Mapping[str, Any]
    place: str  # "ba/partner.toml", then the keys that lead here
    error: type[GatewayError]  # what a refusal raises

    @classmethod
    def read(cls, path: Path, place: str, error: type[GatewayError]) -> "Table":
        """Read a whole file; `place` is how messages name it."""
        return cls.parse(read_bytes(path, place, error), place, error)

    @classmethod
    def parse(cls, content: bytes, place: str, error: type[GatewayError]) -> "Table":
        """Parse what a whole file holds."""
        try:
            return cls(tomllib.loads(content.decode()), place, error)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
            raise error(f"{place}: is not TOML ({cause})") from cause
        except RecursionError:
            raise error(f"{place}: is nested too deeply") from None

    def refuse(self, key: str, why: str) -> GatewayError:
        """Return the error for one key; the caller raises it."""
        return self.error(f"{self.place}: key {key!r} {why}")

    def only(self, allowed: set[str]) -> None:
        """Refuse a key that nobody reads: it is a slip, or meant for newer code."""
        for key in self.values:
            if key not in allowed:
                raise self.refuse(key, "is not known")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self.values.get(key, default)
        if value is None:
            raise self.refuse(key, "is missing")
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, "is not a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of at least one text."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            raise self.refuse(key, "is missing" if value is None else "is not a list of texts")
        return tuple(value)

    def table(self, key: str) -> "Table":
        """Return the table under `key`; a missing one is empty."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.refuse(key, "is not a table")
        return Table(value, f"{self.place}: {key}" if ":" not in self.place else f"{self.place}.{key}", self.error)

    def tables(self, key: str) -> tuple["Table", ...]:
        """Return the list of tables under `key`; a missing one is empty."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.refuse(key, "is not a list of tables")
        return tuple(Table(item, f"{self.place}: {key}[{number}]", self.error) for number, item in enumerate(value, 1))

    def mapping(self, key: str) -> dict[str, str]:
        """Return a table from text to text; a missing one is empty."""
        inner = self.table(key)
        return {name: inner.text(name) for name in inner.values}
