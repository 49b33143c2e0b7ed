"""Names for the types of a drafted schema: the partner's word where there is one, each name once."""

from collections.abc import Iterator, Mapping

from gateway.wire.drafting.canonical import Canonical
from gateway.wire.drafting.layout import Layout
from gateway.wire.drafting.naming import snake
from gateway.wire.drafting.vocabulary import Vocabulary


class TypeNames:
    """Names of the shared groups and of the values of one format."""

    def __init__(self, groups: Mapping[str, str], *, small: bool = False) -> None:
        self.groups, self.small, self.taken = groups, small, set(groups.values())

    @classmethod
    def of(cls, vocabulary: Vocabulary, canonical: Canonical, layout: Layout) -> "TypeNames":
        """Return the names that a vocabulary gives."""
        groups: dict[str, str] = {}
        for rows in layout.shared.values():
            if rows.group in canonical.groups:
                taken = set(groups.values())
                groups[rows.name] = next(name for name in _words(vocabulary, canonical, rows.group) if name not in taken)
        return cls(groups, small=vocabulary.style == "snake")

    def of_rows(self, rows: str) -> str:
        """Return the name for the type of a row set; that of a repeated value is the value's."""
        return self.groups.get(rows, rows)

    def of_value(self, value: str) -> str:
        """Return the name for a simple type."""
        name = snake(value) if self.small else value
        return f"{name}Value" if name in self.taken else name


def _words(vocabulary: Vocabulary, canonical: Canonical, group: str) -> Iterator[str]:
    """Yield names for a group: its own word, then those of the members that lead to it, then the canonical name."""
    words = vocabulary.words
    if group in words.by_name:
        yield vocabulary.name(words.by_name[group])
    for outer in (*canonical.messages.values(), *canonical.groups.values()):
        for member in outer.members:
            if member.group == group and (word := words.of(outer.name, member.name)):
                yield vocabulary.name(word)
    yield vocabulary.name(group)
    yield f"{vocabulary.name(group)}Type"
