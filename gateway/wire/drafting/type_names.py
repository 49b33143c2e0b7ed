"""Names for the types of a drafted schema: the partner's word where there is one, each name once."""

from collections.abc import Iterator

from gateway.wire.drafting.canonical import Canonical
from gateway.wire.drafting.layout import Layout
from gateway.wire.drafting.naming import snake
from gateway.wire.drafting.vocabulary import Vocabulary


class TypeNames:
    """Names of the shared groups and of the values of one format."""

    def __init__(self, vocabulary: Vocabulary, canonical: Canonical, layout: Layout) -> None:
        self.vocabulary, self.canonical = vocabulary, canonical
        self.groups: dict[str, str] = {}
        self.taken: set[str] = set()
        for rows in layout.shared.values():
            if rows.group in canonical.groups:
                free = (name for name in self._candidates(rows.group) if name not in self.taken)
                self.groups[rows.name] = next(free)
                self.taken.add(self.groups[rows.name])

    def _candidates(self, group: str) -> Iterator[str]:
        """Yield the word for a group: its own, then those of the members that lead to it, then the canonical name."""
        words = self.vocabulary.words
        if group in words.by_name:
            yield self.vocabulary.name(words.by_name[group])
        for outer in (*self.canonical.messages.values(), *self.canonical.groups.values()):
            for member in outer.members:
                if member.group == group and (word := words.of(outer.name, member.name)):
                    yield self.vocabulary.name(word)
        yield self.vocabulary.name(group)
        yield f"{self.vocabulary.name(group)}Type"

    def of_rows(self, rows: str) -> str:
        """Return the name for the type of a row set; that of a repeated value is the value's."""
        return self.groups.get(rows, rows)

    def of_value(self, value: str) -> str:
        """Return the name for a simple type."""
        name = snake(value) if self.vocabulary.style == "snake" else value
        return f"{name}Value" if name in self.taken else name
