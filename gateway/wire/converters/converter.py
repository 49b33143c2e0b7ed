"""What a converter is: a value as a partner writes it, and the same value as the canonical message writes it.

Each works in both directions and refuses what it cannot read or write with `BadValue`; it never guesses and never repeats
the value in the error. `read(write(canonical)) == canonical` for every canonical value that it writes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateway.errors import BadValue

Read: TypeAlias = Callable[[Any], str]
Write: TypeAlias = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """One way of writing one value."""

    name: str
    form: str  # what it looks like on the partner's side, for reports and documentation
    example: tuple[str, Any]  # canonical, and the same as the partner writes it
    read: Read  # here -> canonical
    write: Write  # canonical -> here


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One field of a canonical group, as a path below the group; "." is the value itself."""

    path: str
    inner: tuple[str, ...] = ()  # of a repeated element: its fields, each once


Values: TypeAlias = Sequence[Any]  # in the order of the members: a text, None, or for a repeated one a list of lists of texts


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupConverter:
    """One way of writing several fields as other fields: a name as one text, a day as three numbers.

    `write` also says which members would not come back: a mapping that does not declare that loss refuses the message.
    """

    name: str
    form: str
    here: tuple[str, ...]  # what the partner's fields are, in the order in which a row names them
    canonical: tuple[Member, ...]
    example: tuple[tuple[Any, ...], tuple[Any, ...]]  # canonical, and the same as the partner writes it
    read: Callable[[Values], Values]  # here -> canonical; not called when nothing is given
    write: Callable[[Values], tuple[Values, frozenset[str]]]  # canonical -> here, and the members that would not come back
    may_lose: frozenset[str] = field(default_factory=frozenset)  # members whose loss a mapping may declare
    numbers: bool = False  # the partner's fields are whole numbers, not texts


def text_of(value: Any, form: str) -> str:
    """Return a text without the spaces around it. Raises `BadValue` for a number and the like."""
    if not isinstance(value, str):
        raise BadValue(f"is not written as {form}")
    return value.strip()


def exact(name: str, form: str, example: tuple[str, Any], read: Read, write: Write) -> Converter:
    """Return a converter that refuses to write a value that would not come back the same."""

    def checked(value: str) -> Any:
        canonical = value.strip()
        written = write(canonical)
        try:
            back = read(written)
        except BadValue:
            back = None
        if back != canonical:
            raise BadValue(f"cannot be written exactly as {form}")
        return written

    return Converter(name=name, form=form, example=example, read=read, write=checked)
