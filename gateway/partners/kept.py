"""A TOML file kept as it was read, compressed, and parsed again when somebody looks into it.

The mapping rows of all partners are a hundred thousand values, 10 MB; a gateway compiles those of a few formats, once, and
looks at none of them afterwards. What is kept are the bytes that were read: a file that changed since is not mixed in.
"""

import tomllib
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any


class Kept(Mapping[str, Any]):
    """The values of a TOML file that was parsed before without an error."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        """`content`: what `Table.parse` has read."""
        self._content = zlib.compress(content)

    def __getitem__(self, key: str) -> Any:
        return _parsed(self._content)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_parsed(self._content))

    def __len__(self) -> int:
        return len(_parsed(self._content))


@lru_cache(maxsize=1)  # whoever compiles a format looks into it many times, and into no other meanwhile
def _parsed(packed: bytes) -> Mapping[str, Any]:
    return tomllib.loads(zlib.decompress(packed).decode())
