"""Days that this installation confirmed, added or removed: laid over the frozen calendars, each with who, when and why.

    [[changes]]
    calendar = "pk"
    on = 2027-03-10
    action = "confirm"          # confirm | add | remove
    name = "Eid al-Fitr"        # needed to add
    kind = "rest"               # rest | half | work; of an added day
    who = "Ministry of Security, legal unit"
    at = 2027-03-08T09:00:00Z
    why = "Notification No. 12 of the Cabinet Division, 7.3.2027"

The frozen files stay as they are. A calendar with changes has a version of its own, so that a deadline says which it knew.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from gateway.domain.calendars import Calendar, Kind, SpecialDay, Status
from gateway.errors import CalendarInvalid
from gateway.partners.calendars import load_calendars
from gateway.partners.fields import Table
from gateway.partners.values import day, instant, optional, word

_KEYS = {"calendar", "on", "action", "name", "kind", "who", "at", "why"}


class Action(StrEnum):
    CONFIRM = "confirm"  # an estimated day falls as estimated
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One decision about one day of one calendar."""

    calendar: str
    on: date
    action: Action
    name: str  # of an added day; "" otherwise
    kind: Kind
    who: str  # office, not a private person
    at: datetime
    why: str  # the reference on which it rests


def load_changes(path: Path) -> tuple[Change, ...]:
    """Read the changes of an installation; none when there is no file. Raises `CalendarInvalid` naming file and key."""
    if not path.is_file():
        return ()
    table = Table.read(path, path.name, CalendarInvalid)
    table.only({"changes"})
    return tuple(_change(entry) for entry in table.tables("changes"))


def _change(entry: Table) -> Change:
    entry.only(_KEYS)
    action = word(entry, "action", Action)
    if (action is Action.ADD) != bool(optional(entry, "name")):
        raise entry.refuse("name", "is needed to add a day, and only then")
    return Change(
        calendar=entry.text("calendar"),
        on=day(entry, "on"),
        action=action,
        name=optional(entry, "name"),
        kind=word(entry, "kind", Kind, Kind.REST),
        who=entry.text("who"),
        at=instant(entry, "at"),
        why=entry.text("why"),
    )


def changed(calendars: Mapping[str, Calendar], changes: Sequence[Change]) -> Mapping[str, Calendar]:
    """Return the calendars with the changes laid over them, in order. Raises `CalendarInvalid` for one that cannot be."""
    found, counts = dict(calendars), dict[str, int]()
    for change in changes:
        if change.calendar not in found:
            raise CalendarInvalid(f"there is no calendar {change.calendar!r} to change")
        counts[change.calendar] = counts.get(change.calendar, 0) + 1
        version = f"{calendars[change.calendar].version}~{counts[change.calendar]}"
        found[change.calendar] = replace(found[change.calendar], days=_days(found[change.calendar], change), version=version)
    return MappingProxyType(found)


def _days(calendar: Calendar, change: Change) -> Mapping[date, SpecialDay]:
    days, known = dict(calendar.days), calendar.days.get(change.on)
    place = f"calendar {calendar.id}, {change.on}"
    if not calendar.known_from <= change.on <= calendar.known_until:
        raise CalendarInvalid(f"{place}: lies outside {calendar.known_from} to {calendar.known_until}")
    if change.action is Action.ADD:
        if known is not None and known.status is Status.CONFIRMED:
            raise CalendarInvalid(f"{place}: is a day of its own already, {known.name}")
        days[change.on] = SpecialDay(
            on=change.on, name=change.name, status=Status.CONFIRMED, kind=change.kind, source=change.why
        )
    elif known is None:
        raise CalendarInvalid(f"{place}: is no day of its own; nothing to {change.action}")
    elif change.action is Action.REMOVE:
        del days[change.on]
    elif known.status is Status.CONFIRMED:
        raise CalendarInvalid(f"{place}: {known.name} is confirmed already")
    else:
        days[change.on] = replace(known, status=Status.CONFIRMED, source=change.why)
    return MappingProxyType(days)


def append_change(path: Path, change: Change) -> None:
    """Write one more change at the end of the file, at one go. Raises `CalendarInvalid` for one that cannot be read again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(before + _text(change), encoding="utf-8")
    try:
        load_changes(fresh)
    except CalendarInvalid:
        fresh.unlink()
        raise
    fresh.replace(path)


def _text(change: Change) -> str:
    at = change.at.astimezone(UTC).isoformat(timespec="seconds")
    lines = [
        "[[changes]]",
        f"calendar = {json.dumps(change.calendar)}",
        f"on = {change.on.isoformat()}",
        f"action = {json.dumps(str(change.action))}",
        *([f"name = {json.dumps(change.name, ensure_ascii=False)}"] if change.name else []),
        f"kind = {json.dumps(str(change.kind))}",
        f"who = {json.dumps(change.who, ensure_ascii=False)}",
        f"at = {at}",
        f"why = {json.dumps(change.why, ensure_ascii=False)}",
    ]
    return "\n".join(lines) + "\n\n"


class CalendarBook(Mapping[str, Calendar]):
    """The calendars in force: the frozen files with the installation's changes, read again when the changes grow."""

    def __init__(self, folder: Path, changes: Path) -> None:
        self._frozen = load_calendars(folder)
        self._path = changes
        self._stamp: tuple[int, int] | None = None
        self._current: Mapping[str, Calendar] = self._frozen
        self.refresh()

    def refresh(self) -> bool:
        """Read the changes again if their file is another; say whether it was. Raises `CalendarInvalid`."""
        stamp = self._seen()
        if stamp == self._stamp:
            return False
        self._current = changed(self._frozen, load_changes(self._path))
        self._stamp = stamp
        return True

    def use(self, frozen: Mapping[str, Calendar]) -> None:
        """Take other frozen calendars, with the same changes laid over them; the next `refresh` says that they are others.

        Raises `CalendarInvalid` for a change that does not fit them; those before stay in force.
        """
        self._current, self._frozen = changed(frozen, load_changes(self._path)), frozen
        self.look_again()

    def look_again(self) -> None:
        """Let the next `refresh` say that the file is another: what follows from it was not done."""
        self._stamp = (-1, -1)

    def _seen(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def __getitem__(self, calendar_id: str) -> Calendar:
        return self._current[calendar_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current)

    def __len__(self) -> int:
        return len(self._current)
