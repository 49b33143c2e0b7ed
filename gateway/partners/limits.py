"""Read the rules of a treaty file: one row of `[[limits]]` into one frozen `Limit`."""

from dataclasses import replace
from datetime import date

from gateway.domain.limits import (
    COMPUTABLE,
    LIMIT_IDS,
    STARTS,
    Actor,
    Confidence,
    Direction,
    EndRule,
    Example,
    Extension,
    ExtensionKind,
    Limit,
    OnLapse,
    Unit,
    Whose,
)
from gateway.partners.fields import Table
from gateway.partners.values import day, flag, instant, optional, whole, word

LONGEST_CITATION = 80  # characters the store keeps of an article or a reference
MEANS = ("air", "land", "sea")
NOT_READ = "article not read"  # the article of a limit that nobody has verified

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
    "also_on_lapse",
    "article",
    "source",
    "confidence",
    "extension",
    "end",
    "end_source",
    "saturday_may_count",
    "escorted",
    "means",
    "precedence",
    "note",
    "examples",
}
_EXTENSION_KEYS = {"days", "kind", "who", "article", "other_base", "resumes"}
_EXAMPLE_KEYS = {
    "start",
    "planned",
    "due",
    "rolled",
    "procedure",
    "category",
    "requested",
    "requesting",
    "extension_asked",
    "extension_days",
    "obstacle_from",
    "obstacle_until",
    "why",
}


def read_limit(entry: Table, treaty_id: str) -> Limit:
    """Read one rule. Raises the table's error, naming the key."""
    entry.only(_LIMIT_KEYS)
    confidence = word(entry, "confidence", Confidence)
    amount = whole(entry, "amount") if "amount" in entry.values else None
    _check_trust(entry, confidence, amount)
    start, direction = _start(entry)
    row = Limit(
        id=_known(entry, "id", LIMIT_IDS),
        who=word(entry, "who", Actor),
        start=start,
        direction=direction,
        amount=amount,
        unit=word(entry, "unit", Unit),
        calendar=word(entry, "calendar", Whose),
        procedures=frozenset(entry.texts("procedures")),
        categories=frozenset(entry.texts("categories")),
        on_lapse=word(entry, "on_lapse", OnLapse, OnLapse.NOTHING),
        also_on_lapse=_also(entry),
        article=entry.text("article"),
        source=entry.text("source"),
        confidence=confidence,
        end=word(entry, "end", EndRule, EndRule.OPEN),
        end_source=optional(entry, "end_source"),
        saturday_may_count=bool(flag(entry, "saturday_may_count")),
        escorted=flag(entry, "escorted"),
        means=_known(entry, "means", MEANS) if "means" in entry.values else None,
        precedence=whole(entry, "precedence") if "precedence" in entry.values else 0,
        note=optional(entry, "note"),
        treaty=treaty_id,
    )
    _check_end(entry, row)
    extension = _extension(entry, row) if "extension" in entry.values else None
    examples = tuple(_example(each, row) for each in entry.tables("examples"))
    return replace(row, extension=extension, examples=examples)


def _known(entry: Table, key: str, names: tuple[str, ...]) -> str:
    if entry.text(key) not in names:
        raise entry.refuse(key, f"is {entry.text(key)!r}, not one of {', '.join(names)}")
    return entry.text(key)


def _start(entry: Table) -> tuple[str, Direction]:
    """Return what starts the clock, and whether it runs from there or back from there."""
    start, direction = _known(entry, "start", STARTS), word(entry, "direction", Direction, Direction.AFTER)
    if start.startswith("planned-") != (direction is Direction.BEFORE):
        raise entry.refuse("direction", f"is {str(direction)!r}, which does not go with the start {start!r}")
    return start, direction


def _check_trust(entry: Table, confidence: Confidence, amount: int | None) -> None:
    """Refuse a number that is dressed as a better one than it is."""
    article = entry.text("article")
    if len(article) > LONGEST_CITATION:
        raise entry.refuse("article", f"is longer than {LONGEST_CITATION} characters")
    if confidence is Confidence.OPERATOR:
        raise entry.refuse("confidence", "is 'operator', which only an overrides file may set")
    if confidence in COMPUTABLE and (amount is None or article == NOT_READ):
        raise entry.refuse("confidence", f"is {str(confidence)!r}, but the row lacks an amount or an article that was read")
    if confidence not in COMPUTABLE and amount is not None:
        raise entry.refuse("amount", "stands in a row that nobody has verified: such a number is not entered")


def _check_end(entry: Table, row: Limit) -> None:
    if (row.end is EndRule.OPEN) == bool(row.end_source):
        raise entry.refuse("end_source", "goes with an 'end' that the text fixes, and is needed there")
    if row.end is not EndRule.OPEN and (row.direction is Direction.BEFORE or row.unit is Unit.HOURS):
        raise entry.refuse("end", "is only for limits in days, months or years after an event: no other end moves")
    if row.saturday_may_count and row.unit is not Unit.WORKING_DAYS:
        raise entry.refuse("saturday_may_count", "is only for working days")


def _also(entry: Table) -> tuple[OnLapse, ...]:
    names = entry.texts("also_on_lapse") if "also_on_lapse" in entry.values else ()
    for name in names:
        if name not in set(OnLapse) - {OnLapse.NOTHING}:
            raise entry.refuse("also_on_lapse", f"names {name!r}, which is no meaning of silence")
    return tuple(map(OnLapse, names))


def _extension(entry: Table, row: Limit) -> Extension:
    inner = entry.table("extension")
    inner.only(_EXTENSION_KEYS)
    if row.direction is Direction.BEFORE or row.unit is Unit.HOURS:
        raise entry.refuse("extension", "is only for limits in days, months or years after an event")
    kind = word(inner, "kind", ExtensionKind)
    days = whole(inner, "days") if "days" in inner.values else None
    if (days is None) != (kind is ExtensionKind.OBSTACLE):
        raise inner.refuse("days", "go with an increment or a total, never with an obstacle")
    if kind is ExtensionKind.TOTAL and (row.unit is not Unit.CALENDAR_DAYS or (days or 0) <= (row.amount or 0)):
        raise inner.refuse("days", "is a total, which needs a limit in calendar days and more days than it")
    for key, wanted in (("other_base", ExtensionKind.INCREMENT), ("resumes", ExtensionKind.OBSTACLE)):
        if key in inner.values and kind is not wanted:
            raise inner.refuse(key, f"goes with the kind {str(wanted)!r} only")
    return Extension(
        kind=kind,
        days=days,
        who=word(inner, "who", Actor),
        article=inner.text("article"),
        other_base=whole(inner, "other_base") if "other_base" in inner.values else None,
        resumes=whole(inner, "resumes") if "resumes" in inner.values else None,
    )


def _example(entry: Table, row: Limit) -> Example:
    entry.only(_EXAMPLE_KEYS - {"start" if row.direction is Direction.BEFORE else "planned"})
    due = day(entry, "due")
    back = row.direction is Direction.BEFORE
    for one, other in (("extension_days", "extension_asked"), ("obstacle_until", "obstacle_from")):
        if (one in entry.values) != (other in entry.values):
            raise entry.refuse(one, f"goes with {other!r}")
    obstacle: tuple[date, date] | None = None
    if "obstacle_from" in entry.values:
        obstacle = day(entry, "obstacle_from"), day(entry, "obstacle_until")
        if obstacle[1] <= obstacle[0]:
            raise entry.refuse("obstacle_until", "is not after 'obstacle_from'")
    asked = instant(entry, "extension_asked") if "extension_asked" in entry.values else None
    return Example(
        start=None if back else instant(entry, "start"),
        planned=day(entry, "planned") if back else None,
        due=due,
        rolled=day(entry, "rolled") if "rolled" in entry.values else due,
        procedure=optional(entry, "procedure") or min(row.procedures),
        category=optional(entry, "category") or min(row.categories),
        requested=optional(entry, "requested") or None,
        requesting=optional(entry, "requesting") or None,
        extension_asked=asked,
        extension_days=whole(entry, "extension_days") if asked else None,
        obstacle=obstacle,
        why=optional(entry, "why"),
    )
