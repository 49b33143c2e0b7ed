"""A decision about one day of a calendar: written down, counted again, journalled."""

from datetime import date

from gateway.domain.calendars import Kind
from gateway.errors import CalendarInvalid
from gateway.flow.ports import Runtime
from gateway.flow.recount import Move, recount_outdated
from gateway.partners.calendar_changes import Action, CalendarBook, Change, append_change, changed
from gateway.store import journal
from gateway.store.database import transaction


def change_day(
    rt: Runtime, *, action: Action, calendar: str, on: date, who: str, why: str, name: str = "", kind: Kind = Kind.REST
) -> list[Move]:
    """Confirm, add or remove one day; return the open deadlines that moved by it.

    Raises `CalendarInvalid` for a day that cannot be changed so; then nothing is written.
    """
    if not isinstance(rt.calendars, CalendarBook):
        raise CalendarInvalid("the calendars of this gateway cannot be changed while it runs")
    change = Change(calendar=calendar, on=on, action=action, name=name, kind=kind, who=who, at=rt.clock(), why=why)
    changed(rt.calendars, [change])  # refuses what cannot be, before anything is written
    append_change(rt.settings.calendar_changes, change)
    rt.calendars.refresh()
    with transaction(rt.engine) as tx:
        journal.append(tx, [_entry(change, rt)])
    return recount_outdated(rt)


def _entry(change: Change, rt: Runtime) -> journal.Entry:
    return journal.Entry(
        at=change.at,
        event="calendar.changed",
        actor=change.who[:80],
        detail={
            "calendar": change.calendar,
            "on": change.on.isoformat(),
            "action": str(change.action),
            "kind": str(change.kind),
            "why": change.why,
            "version": rt.calendars[change.calendar].version,
        },
    )
