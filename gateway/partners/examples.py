"""Run the worked examples that stand beside the rules of a treaty file."""

from collections.abc import Iterator, Mapping

from gateway.domain.calendars import Calendar, Side
from gateway.domain.deadlines import Deadline, ExtensionAsked, due_date
from gateway.domain.treaties import Direction, Example, Limit, Treaty


def failing_examples(treaty: Treaty, calendars: Mapping[str, Calendar]) -> tuple[str, ...]:
    """Return one sentence for each example that does not come out as its file says; none when all agree."""
    return tuple(_failing(treaty, calendars))


def _failing(treaty: Treaty, calendars: Mapping[str, Calendar]) -> Iterator[str]:
    for row in treaty.limits:
        for number, example in enumerate(row.examples, 1):
            place = f"treaties/{treaty.id}.toml: limit {row.id!r} ({', '.join(sorted(row.procedures))}), example {number}"
            found = _run(treaty, row, example, calendars)
            if found.literal is None or found.rolled is None:
                yield f"{place}: is not known. {found.why_not}"
            elif (found.literal.due_on, found.rolled.due_on) != (example.due, example.rolled):
                yield (
                    f"{place}: says {example.due}, rolled {example.rolled}; "
                    f"counted {found.literal.due_on}, rolled {found.rolled.due_on}"
                )


def _run(treaty: Treaty, row: Limit, example: Example, calendars: Mapping[str, Calendar]) -> Deadline:
    asked = None
    if example.extension_asked is not None and example.extension_days is not None:
        asked = ExtensionAsked(at=example.extension_asked, days=example.extension_days)
    requested = example.requested or treaty.asked_by_default
    requesting = example.requesting or (treaty.counterpart(requested) if requested else None)
    return due_date(
        treaty,
        row.id,
        start=example.start,
        requested=Side.of(requested or "", calendars),
        requesting=Side.of(requesting, calendars) if requesting else None,
        procedure=example.procedure,
        category=example.category,
        extension=asked,
        planned=example.start.date() if row.direction is Direction.BEFORE else None,
        escorted=bool(row.escorted),
    )
