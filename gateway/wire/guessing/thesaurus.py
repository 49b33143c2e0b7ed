"""The words by which partners call canonical fields: a list of our own, and what the shipped partner folders say."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.wire.drafting.naming import plain
from gateway.wire.guessing.candidates import bare
from gateway.wire.guessing.words import lean, words_of

_FILE = Path(__file__).with_name("synonyms.toml")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words for a field, and how many steps of its path they stand for."""

    words: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thesaurus:
    """All words that are known."""

    fields: Mapping[str, tuple[str, ...]]  # end of a canonical path -> words
    learned: Mapping[str, tuple[str, ...]]  # canonical name -> words of shipped partners
    groups: Mapping[str, tuple[str, ...]]  # member that leads to a group -> words
    name_parts: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, Mapping[str, str]]  # canonical type -> word -> canonical code
    yes_no: tuple[tuple[str, str], ...]
    types: Mapping[str, tuple[str, ...]]

    def phrases(self, path: str, groups: tuple[str, ...]) -> Iterator[Phrase]:
        """Yield the words for a field; `groups` are the complex types that its path leads through, outermost first."""
        steps = bare(path).split("/")
        typed = [*groups, steps[-1]]  # "Relative/Sex" beside "Spouse/Sex"
        for length in range(1, len(steps) + 1):
            named, of_type = "/".join(steps[-length:]), "/".join(typed[-length:])
            yield from (Phrase(words, length) for words in self.fields.get(named, ()))
            if of_type != named:  # the type is the same in several places, and says nothing of which one
                yield from (Phrase(words, length - 1) for words in self.fields.get(of_type, ()))
        yield from (Phrase(words, 1) for words in (lean(plain(steps[-1])), *self.learned.get(steps[-1], ())))

    def group_words(self, name: str) -> tuple[str, ...]:
        """Return the words for a group, by the member that leads to it."""
        return (lean(plain(name)), *self.groups.get(name, ()), *self.learned.get(name, ()))


def _lists(table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType(
        {name: tuple(dict.fromkeys(lean(words_of(word)) for word in words)) for name, words in table.items()}
    )


@lru_cache(maxsize=4)
def read_thesaurus(partners: Path | None = None) -> Thesaurus:
    """Return our own words, and those of the partner folders below `partners`."""
    own = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Thesaurus(
        fields=_lists(own["fields"]),
        learned=MappingProxyType(_learned(partners)) if partners is not None else {},
        groups=_lists(own["groups"]),
        name_parts=_lists(own["name_parts"]),
        codes=MappingProxyType(
            {
                name: {words_of(word): code for code, words in codes.items() for word in words}
                for name, codes in own["codes"].items()
            }
        ),
        yes_no=tuple((yes, no) for yes, no in own["yes_no"]["pairs"]),
        types=_lists(own["types"]),
    )


def _learned(partners: Path) -> dict[str, tuple[str, ...]]:
    """Return the words that mapping rows of shipped partners stand against canonical names.

    A folder that cannot be read is no reason to guess less: `gateway partner check` says what is wrong with it.
    """
    found: dict[str, dict[str, None]] = {}
    for path in sorted(partners.glob("*/dialects/*/mapping.toml")):
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8")).get("rows", {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        for row in (row for rows_of in rows.values() if isinstance(rows_of, list) for row in rows_of if isinstance(row, dict)):
            here, canonical = row.get("here"), row.get("canonical")
            if isinstance(here, str) and isinstance(canonical, str) and here != ".":
                name = bare(canonical).rpartition("/")[2].removeprefix("@")
                words = lean(words_of(here.rpartition("/")[2].removeprefix("@")))
                found.setdefault(name, {})[words] = None
    return {name: tuple(words) for name, words in found.items()}
