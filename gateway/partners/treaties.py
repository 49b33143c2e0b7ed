"""Load `partners/treaties/` into frozen treaties, and the operator's own figures over them.

A rule without an article, an unknown key, a number nobody can trust dressed as one that computes: each stops the start,
with the file and the key named.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from gateway.domain.treaties import (
    COMPUTABLE,
    STARTS,
    Actor,
    Confidence,
    Direction,
    Example,
    Extension,
    ExtensionKind,
    Fact,
    Limit,
    OnLapse,
    Party,
    Treaty,
    Unit,
    Whose,
)
from gateway.errors import TreatyInvalid
from gateway.partners.fields import Table
from gateway.partners.overrides import apply_overrides
from gateway.partners.values import day, flag, instant, optional, whole, word

LONGEST_ID = 30  # characters the store keeps of a limit's id
LONGEST_CITATION = 80  # and of an article or a reference
NOT_READ = "article not read"  # the article of a limit that nobody has verified

_TREATY_KEYS = {"id", "name", "version", "entered_into_force", "note", "parties", "limits", "authorities", "facts"}
_PARTY_KEYS = {"code", "name", "states"}
_FACT_KEYS = {"about", "text", "confidence", "source"}
_AUTHORITY_KEYS = {"state", "text", "confidence", "source"}
_EXTENSION_KEYS = {"days", "kind", "who", "article"}
_LIMIT_KEYS = {
    "id",
    "who",
    "start",
    "direction",
    "amount",
    "unit",
    "calendar",
    "procedures",
    "categories",
    "on_lapse",
    "article",
    "source",
    "confidence",
    "extension",
    "escorted",
    "note",
    "examples",
}
_EXAMPLE_KEYS = {
    "start",
    "due",
    "rolled",
    "procedure",
    "category",
    "requested",
    "requesting",
    "extension_asked",
    "extension_days",
    "why",
}


def load_treaties(folder: Path, overrides: Path | None = None) -> Mapping[str, Treaty]:
    """Read every treaty below `folder`, by id, with the operator's figures set.

    A file's id is its path below `folder` without ".toml". Raises `TreatyInvalid` naming the file and the key.
    """
    if not folder.is_dir():
        raise TreatyInvalid(f"there is no folder of treaties {folder.name!r}")
    found: dict[str, Treaty] = {}
    for path in sorted(folder.rglob("*.toml")):
        treaty = load_treaty(path, path.relative_to(folder).with_suffix("").as_posix())
        found[treaty.id] = treaty
    if overrides is not None:
        found = apply_overrides(found, overrides)
    return MappingProxyType(found)


def load_treaty(path: Path, treaty_id: str) -> Treaty:
    """Read one treaty file."""
    table = Table.read(path, f"treaties/{treaty_id}.toml", TreatyInvalid)
    table.only(_TREATY_KEYS)
    if table.text("id") != treaty_id:
        raise table.refuse("id", f"is {table.text('id')!r}, but the file is {treaty_id!r}")
    parties = tuple(_party(entry) for entry in table.tables("parties"))
    if len(parties) != 2:  # noqa: PLR2004 - a bilateral treaty, a group of states being one party
        raise table.refuse("parties", f"names {len(parties)} parties, not two")
    if parties[0].states & parties[1].states:
        raise table.refuse("parties", "names one state on both sides")
    limits = tuple(_limit(entry) for entry in table.tables("limits"))
    _refuse_overlaps(table, limits)
    authorities = {}
    for entry in table.tables("authorities"):
        entry.only(_AUTHORITY_KEYS)
        authorities[entry.text("state")] = _fact(entry, about="authority")
    return Treaty(
        id=treaty_id,
        name=table.text("name"),
        version=table.text("version"),
        parties=(parties[0], parties[1]),
        entered_into_force=day(table, "entered_into_force") if "entered_into_force" in table.values else None,
        limits=limits,
        authorities=MappingProxyType(authorities),
        facts=tuple(_register_fact(entry) for entry in table.tables("facts")),
        note=optional(table, "note"),
    )


def _refuse_overlaps(table: Table, limits: tuple[Limit, ...]) -> None:
    for place, one in enumerate(limits):
        for other in limits[:place]:
            same_transfer = None in {one.escorted, other.escorted} or one.escorted == other.escorted
            shared = one.procedures & other.procedures and one.categories & other.categories
            if one.id == other.id and shared and same_transfer:
                raise table.refuse("limits", f"has two rows {one.id!r} for the same procedure and category")


def _party(entry: Table) -> Party:
    entry.only(_PARTY_KEYS)
    states = entry.texts("states")
    for state in states:
        if len(state) != 2 or not state.isascii() or not state.isupper():  # noqa: PLR2004 - alpha-2
            raise entry.refuse("states", f"names {state!r}, which is not two capital letters (ISO 3166-1, or XK)")
    return Party(code=entry.text("code"), name=entry.text("name"), states=frozenset(states))


def _register_fact(entry: Table) -> Fact:
    entry.only(_FACT_KEYS)
    return _fact(entry, about=entry.text("about"))


def _fact(entry: Table, *, about: str) -> Fact:
    return Fact(
        about=about, text=entry.text("text"), confidence=word(entry, "confidence", Confidence), source=entry.text("source")
    )


def _limit(entry: Table) -> Limit:
    entry.only(_LIMIT_KEYS)
    limit_id, article = entry.text("id"), entry.text("article")
    if len(limit_id) > LONGEST_ID:
        raise entry.refuse("id", f"is longer than {LONGEST_ID} characters")
    if len(article) > LONGEST_CITATION:
        raise entry.refuse("article", f"is longer than {LONGEST_CITATION} characters")
    confidence = word(entry, "confidence", Confidence)
    amount = whole(entry, "amount") if "amount" in entry.values else None
    if confidence is Confidence.OPERATOR:
        raise entry.refuse("confidence", "is 'operator', which only an overrides file may set")
    if confidence in COMPUTABLE and (amount is None or article == NOT_READ):
        raise entry.refuse("confidence", f"is {str(confidence)!r}, but the row lacks an amount or an article that was read")
    start = entry.text("start")
    if start not in STARTS:
        raise entry.refuse("start", f"is {start!r}, not one of {', '.join(STARTS)}")
    procedures, categories = frozenset(entry.texts("procedures")), frozenset(entry.texts("categories"))
    row = Limit(
        id=limit_id,
        who=word(entry, "who", Actor),
        start=start,
        direction=word(entry, "direction", Direction, Direction.AFTER),
        amount=amount,
        unit=word(entry, "unit", Unit),
        calendar=word(entry, "calendar", Whose),
        procedures=procedures,
        categories=categories,
        on_lapse=word(entry, "on_lapse", OnLapse, OnLapse.NOTHING),
        article=article,
        source=entry.text("source"),
        confidence=confidence,
        escorted=flag(entry, "escorted"),
        note=optional(entry, "note"),
        examples=tuple(_example(each, procedures, categories) for each in entry.tables("examples")),
    )
    return replace(row, extension=_extension(entry, row)) if "extension" in entry.values else row


def _extension(entry: Table, row: Limit) -> Extension:
    inner = entry.table("extension")
    inner.only(_EXTENSION_KEYS)
    if row.direction is Direction.BEFORE or row.unit is Unit.HOURS:
        raise entry.refuse("extension", "is only for limits in days, months or years after an event")
    kind, days = word(inner, "kind", ExtensionKind), whole(inner, "days")
    if kind is ExtensionKind.TOTAL and (row.unit is not Unit.CALENDAR_DAYS or days <= (row.amount or 0)):
        raise inner.refuse("days", "is a total, which needs a limit in calendar days and more days than it")
    return Extension(days=days, kind=kind, who=word(inner, "who", Actor), article=inner.text("article"))


def _example(entry: Table, procedures: frozenset[str], categories: frozenset[str]) -> Example:
    entry.only(_EXAMPLE_KEYS)
    due = day(entry, "due")
    asked = instant(entry, "extension_asked") if "extension_asked" in entry.values else None
    return Example(
        start=instant(entry, "start"),
        due=due,
        rolled=day(entry, "rolled") if "rolled" in entry.values else due,
        procedure=optional(entry, "procedure") or min(procedures),
        category=optional(entry, "category") or min(categories),
        requested=optional(entry, "requested") or None,
        requesting=optional(entry, "requesting") or None,
        extension_asked=asked,
        extension_days=whole(entry, "extension_days") if asked else None,
        why=optional(entry, "why"),
    )
