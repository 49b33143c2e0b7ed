"""An operator's own figures: set over a rule file, with who, when and on what ground; shown as the operator's.

    [[overrides]]
    treaty = "ba-pk"
    limit = "reply"
    amount = 30
    unit = "calendar-days"
    who = "Ministry of Security, Sector for Immigration"
    when = 2026-11-20
    reference = "Minutes of the joint committee, 20.11.2026, item 4"

`procedure` picks one of several rows of a limit; `on_lapse` is stated only where the reference says what silence means.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gateway.domain.limits import Confidence, Limit, OnLapse, Override, Unit
from gateway.domain.treaties import Treaty
from gateway.errors import TreatyInvalid
from gateway.partners.fields import Table
from gateway.partners.values import day, optional, whole, word

LONGEST_REFERENCE = 80  # characters the store keeps

_KEYS = {"treaty", "limit", "procedure", "amount", "unit", "on_lapse", "who", "when", "reference"}


def apply_overrides(treaties: Mapping[str, Treaty], path: Path) -> dict[str, Treaty]:
    """Return the treaties with the figures of the file set. Raises `TreatyInvalid` naming the file and the key."""
    table = Table.read(path, path.name, TreatyInvalid)
    table.only({"overrides"})
    changed = dict(treaties)
    for entry in table.tables("overrides"):
        entry.only(_KEYS)
        name = entry.text("treaty")
        if name not in changed:
            raise entry.refuse("treaty", f"is {name!r}, which no rule file has")
        row = _row(entry, changed[name])
        if row.override is not None:
            raise entry.refuse("limit", f"sets {row.id!r} of {name!r} a second time")
        limits = tuple(_set(entry, row) if limit is row else limit for limit in changed[name].limits)
        changed[name] = replace(changed[name], limits=limits)
    return changed


def _row(entry: Table, treaty: Treaty) -> Limit:
    """Return the one row that the entry speaks of."""
    limit_id, procedure = entry.text("limit"), optional(entry, "procedure")
    rows = [row for row in treaty.limits if row.id == limit_id and (not procedure or procedure in row.procedures)]
    if not rows:
        raise entry.refuse("limit", f"is {limit_id!r}, which {treaty.id!r} does not have" + (" so" if procedure else ""))
    if len(rows) > 1:
        raise entry.refuse("limit", f"is {limit_id!r}, of which {treaty.id!r} has several rows: name the procedure")
    return rows[0]


def _set(entry: Table, row: Limit) -> Limit:
    reference = entry.text("reference")
    if len(reference) > LONGEST_REFERENCE:
        raise entry.refuse("reference", f"is longer than {LONGEST_REFERENCE} characters")
    return replace(
        row,
        amount=whole(entry, "amount"),
        unit=word(entry, "unit", Unit),
        on_lapse=word(entry, "on_lapse", OnLapse, row.on_lapse),
        confidence=Confidence.OPERATOR,
        override=Override(who=entry.text("who"), when=day(entry, "when"), reference=reference),
        extension=None,  # measured against the number that was replaced
        examples=(),
    )
