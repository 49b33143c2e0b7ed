"""What a mapping compiles to: rows bound to slots, for both directions.

Reading fills a list of slots with canonical values, writing empties it: a slot belongs to one row, a repeated element
has a list of slots of its own. Order and emptiness are the writers' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from gateway.wire.converters import GroupConverter, Read, Write
from gateway.wire.report import Field
from gateway.wire.shapes import Shape

Side: TypeAlias = Literal["here", "canonical"]

# Required header fields that the gateway writes itself where a document leaves them out. A format may have no place for them:
# whoever reads the message in it has them from the inbox, or does not need them.
GIVEN_BY_GATEWAY: Final = frozenset({"Header/MessageId", "Header/Created"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One row about one value."""

    slot: int  # where the canonical value waits between reading and writing
    here: str | None  # path below the repeated element, or below the root
    canonical: str | None
    read: Read | None  # here -> canonical; None copies
    write: Write | None  # canonical -> here; None copies
    fixed: str | None  # the value that stands on the one side this row names
    number: int  # of its line in the report
    here_path: str  # absolute, for errors; so is the next
    canonical_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One row about a repeated element, or an optional group."""

    slot: int  # holds a list of slots, one list per element
    here: str | None  # None: the partner's side has no such element, a group converter fills it
    canonical: str
    scope: "Scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row about several fields that are other fields on the other side: between reading and writing they change places."""

    converter: GroupConverter
    here: tuple[int, ...]  # slots of the partner's fields
    canonical: tuple[int, ...]  # slots of the canonical members
    path: str  # absolute, in the canonical message
    losses: Mapping[str, str]  # member that may be lost -> why, as the mapping file declares it


@dataclass(slots=True, kw_only=True)
class Scope:
    """The rows of one message, or of one repeated element."""

    here: Shape
    canonical: Shape
    here_path: str  # absolute path of what the rows are relative to
    canonical_path: str
    size: int = 0
    leaves: list[Leaf] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    grouped: list[Repeat] = field(default_factory=list)  # those repeats in which there are groups, at any depth
    first: dict[str, int] = field(default_factory=dict)  # canonical path that has one place here -> slot: whether it came
    lost_here: dict[str, str] = field(default_factory=dict)  # path -> why it cannot be carried
    lost_canonical: dict[str, str] = field(default_factory=dict)
    spare: dict[str, int] = field(default_factory=dict)  # canonical field without a row -> slot: it may be filled in


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A slot, seen from the root: the groups that lead to it, each as (slot, size), then its own slot."""

    groups: tuple[tuple[int, int], ...]
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one message type is translated."""

    type: str  # "ReadmissionApplication"
    root: str  # XML: root element of the dialect
    match: tuple[str, str] | None  # JSON: path and value that tell the type
    scope: Scope
    fields: tuple[Field, ...]  # the lines of the report, by number
    fillable: Mapping[str, Place]  # canonical path -> where: what the gateway may fill in
    unmet: tuple[str, ...] = ()  # canonical fields that every message needs and the format gives up: nothing can pass


def absolute(above: str, path: str) -> str:
    """Return the absolute path of `path` below `above`; "." is `above` itself."""
    return above if path == "." else f"{above}/{path}"
