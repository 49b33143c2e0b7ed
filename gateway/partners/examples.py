"""Run the worked examples that stand beside the rules of a treaty file."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time

from gateway.domain.answers import Deadline, ExtensionAsked
from gateway.domain.calendars import Calendar, Side
from gateway.domain.counting import Standstill
from gateway.domain.deadlines import due_date
from gateway.domain.limits import COMPUTABLE, Example, Limit
from gateway.domain.treaties import Treaty, under


def failing_examples(
    treaty: Treaty, calendars: Mapping[str, Calendar], treaties: Mapping[str, Treaty] | None = None
) -> tuple[str, ...]:
    """Return one sentence for each example that does not come out as its file says; none when all agree.

    A protocol is counted over its agreement, which `treaties` holds.
    """
    agreement = (treaties or {}).get(treaty.agreement or "")
    return tuple(_failing(under(agreement, treaty) if agreement else treaty, treaty, calendars))


def _failing(rules: Treaty, treaty: Treaty, calendars: Mapping[str, Calendar]) -> Iterator[str]:
    for row in treaty.limits:
        named = f"treaties/{treaty.id}.toml: limit {row.id!r} ({', '.join(sorted(row.procedures))})"
        if row.confidence in COMPUTABLE and row.override is None and not row.examples:
            yield f"{named} computes without an example"
        for number, example in enumerate(row.examples, 1):
            place = f"{named}, example {number}"
            found = _run(rules, row, example, calendars)
            if found.literal is None or found.rolled is None:
                yield f"{place}: is not known. {found.why_not}"
            elif found.limit is not row:
                yield f"{place}: another row applies to it"
            elif (found.literal.due_on, found.rolled.due_on) != (example.due, example.rolled):
                yield (
                    f"{place}: says {example.due}, rolled {example.rolled}; "
                    f"counted {found.literal.due_on}, rolled {found.rolled.due_on}"
                )


def _run(treaty: Treaty, row: Limit, example: Example, calendars: Mapping[str, Calendar]) -> Deadline:
    asked = None
    if example.extension_asked is not None and example.extension_days is not None:
        asked = ExtensionAsked(at=example.extension_asked, days=example.extension_days)
    requested = example.requested or (treaty.counterpart(example.requesting) if example.requesting else None)
    requested = requested or treaty.asked_by_default
    requesting = example.requesting or (treaty.counterpart(requested) if requested else None)
    stops: tuple[Standstill, ...] = ()
    if example.obstacle is not None:
        stops = (Standstill(since=example.obstacle[0], until=example.obstacle[1], why="obstacle"),)
    return due_date(
        treaty,
        row.id,
        start=example.start or datetime.combine(example.planned or date.min, time(), UTC),  # counted back: the planned day
        requested=Side.of(requested or "", calendars),
        requesting=Side.of(requesting, calendars) if requesting else None,
        procedure=example.procedure,
        category=example.category,
        extension=asked,
        planned=example.planned,
        escorted=bool(row.escorted),
        means=row.means,
        stops=stops,
    )
