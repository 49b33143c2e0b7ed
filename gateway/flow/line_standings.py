"""How the line of each recipient stands, as operations and an authority's system are shown it beside what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from gateway.domain.pace import UNLIMITED
from gateway.partners import Partners
from gateway.store import lines, outbox
from gateway.store.database import Tx
from gateway.store.lines import Line
from gateway.store.outbox import OutboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStanding:
    """How the way to one recipient stands; the same for all senders of this gateway."""

    line: Literal["open", "stopped", "probing"]
    failures: int  # in a row
    since: datetime | None  # of the first of them
    next_at: datetime | None  # stopped: when one message tries
    sent_per_second: float | None  # limits of the partner; None: none
    sent_per_day: int | None
    sent_today: int | None  # of a partner with limits, since midnight UTC


def standings(tx: Tx, partners: Partners, now: datetime) -> Sequence[tuple[OutboxState, LineStanding]]:
    """Return what waits by sender and recipient, each with how the recipient's line stands."""
    known = lines.every(tx)
    return [(state, _standing(known, state.recipient, partners, now)) for state in outbox.states(tx)]


def _standing(known: Mapping[str, Line], recipient: str, partners: Partners, now: datetime) -> LineStanding:
    line = known.get(recipient, Line(recipient=recipient))
    authority = partners.authorities.get(recipient)
    pace = partners.partners[authority.partner].pace if authority else UNLIMITED
    sent_today = line.sent_on_day if line.day == now.astimezone(UTC).date() else 0
    return LineStanding(
        line=_state(line, now),
        failures=line.failures,
        since=line.since,
        next_at=line.next_at,
        sent_per_second=pace.sent_per_second,
        sent_per_day=pace.sent_per_day,
        sent_today=sent_today if pace.limits_sending else None,
    )


def _state(line: Line, now: datetime) -> Literal["open", "stopped", "probing"]:
    if line.next_at is None:
        return "open"
    return "probing" if line.probe_until is not None and line.probe_until > now else "stopped"
