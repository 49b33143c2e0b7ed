"""How long things took, per treaty, partner and procedure. Small groups show no figure: nobody can be told from them.

Auditors found that these figures are never collected: time to receipt, to reply, to travel document, to transfer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from sqlalchemy import Connection, select

from gateway.domain.messages import OPENING
from gateway.store.tables import cases, messages

SMALLEST_GROUP = 5  # cases; below that a figure could point at a person

# What is measured -> message types that end it. All run from the instant at which the other side had the application.
ENDS: dict[str, tuple[str, ...]] = {
    "reply": ("ReadmissionReply", "TransitReply"),
    "travel-document": ("TravelDocumentIssued",),
    "transfer": ("TransferRecord",),
}
MEASURES = ("receipt", *ENDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One line of the statistics. Hours are None where fewer than SMALLEST_GROUP cases are behind them."""

    treaty: str
    partner: str  # state of the other side, or "all"
    role: str  # ours: requesting | requested
    procedure: str
    measure: str  # one of MEASURES
    count: int | None  # cases that got so far; None when fewer than SMALLEST_GROUP
    median_hours: float | None
    ninth_decile_hours: float | None


def durations(tx: Connection, *, since: datetime | None = None, until: datetime | None = None) -> list[Group]:
    """Return the statistics of cases opened in the time given; every group with at least one case is named."""
    found = select(
        cases.c.id,
        cases.c.treaty,
        cases.c.counterparty,
        cases.c.role,
        cases.c.procedure,
        messages.c.type,
        messages.c.outcome,
        messages.c.signed_at,
        messages.c.received_at,
        messages.c.facts,
    ).join(messages, messages.c.case_id == cases.c.id)
    if since is not None:
        found = found.where(cases.c.opened_at >= since)
    if until is not None:
        found = found.where(cases.c.opened_at < until)
    by_case: dict[int, _Times] = {}
    for row in tx.execute(found.order_by(cases.c.id, messages.c.id)):
        key = (row.treaty, row.counterparty[:2], row.role, row.procedure)
        times = by_case.setdefault(row.id, _Times(key=key, at={}))
        if row.outcome not in {"refused", "parked", "dropped"} and row.received_at is not None:
            _note(times, row.type, row.facts or {}, row.signed_at, row.received_at)
    return list(_groups(by_case.values()))


@dataclass(slots=True)
class _Times:
    key: tuple[str, str, str, str]
    at: dict[str, datetime]


def _note(times: _Times, kind: str, facts: dict[str, object], signed_at: datetime | None, received_at: datetime) -> None:
    if kind in OPENING:
        times.at.setdefault("sent", signed_at or received_at)
        times.at.setdefault("receipt", received_at)
        return
    for measure, kinds in ENDS.items():
        over = kind != "TransferRecord" or facts.get("event") == "handed-over"
        if kind in kinds and over and facts.get("event") != "interview-proposal":
            times.at.setdefault(measure, received_at)


def _groups(cases_: Iterable[_Times]) -> Iterable[Group]:
    grouped: dict[tuple[str, str, str, str], list[_Times]] = {}
    for times in cases_:
        grouped.setdefault(times.key, []).append(times)
    for key, members in sorted(grouped.items()):
        for measure in MEASURES:
            start = "sent" if measure == "receipt" else "receipt"
            spans = [one.at[measure] - one.at[start] for one in members if measure in one.at and start in one.at]
            if spans:
                yield _group(key, measure, spans)


def _group(key: tuple[str, str, str, str], measure: str, spans: list[timedelta]) -> Group:
    treaty, partner, role, procedure = key
    enough = len(spans) >= SMALLEST_GROUP
    hours = sorted(span.total_seconds() / 3600 for span in spans)
    return Group(
        treaty=treaty,
        partner=partner,
        role=role,
        procedure=procedure,
        measure=measure,
        count=len(hours) if enough else None,
        median_hours=round(median(hours), 1) if enough else None,
        ninth_decile_hours=round(quantiles(hours, n=10, method="inclusive")[8], 1) if enough else None,
    )
