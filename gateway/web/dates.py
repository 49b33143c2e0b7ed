"""A stored deadline as a page shows it: the tag, both ends, and why this date."""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.partners import Partners
from gateway.store.deadlines import DeadlineRow
from gateway.store.worklist import CaseLine
from gateway.web.wording import Due, Tag, confidence_text, deadline_tag, full_day_text, instant_text, lapse_text, limit_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineView:
    """One deadline in words."""

    limit: str
    tag: Tag
    ours: bool  # whether our side must act
    who: str  # who must act
    literal: str | None  # the last calendar day, None when not known
    rolled: str | None  # the next working day; None where it is the same day
    lapses: str | None  # when the other side may rely on silence
    on_lapse: str
    source: str  # article
    confidence: str
    explain: tuple[str, ...]
    versions: str  # of rules and calendar
    open: bool


def authority_name(partners: Partners, code: str) -> str:
    """Return an authority's name with its code, or the code alone when its folder is not installed."""
    found = partners.authorities.get(code)
    return f"{found.name} ({code})" if found else code


def _zone(deadline: DeadlineRow, line: CaseLine, partners: Partners) -> str:
    """Return the zone in which the side that must act counts its days."""
    if isinstance(deadline.detail.get("zone"), str):
        return str(deadline.detail["zone"])
    acting = partners.authorities.get(_acting(deadline, line))
    return acting.zone if acting else "UTC"


def _acting(deadline: DeadlineRow, line: CaseLine) -> str:
    return line.home if deadline.must_act == line.role else line.counterparty


def deadline_tag_of(deadline: DeadlineRow, line: CaseLine, partners: Partners, now: datetime) -> Tag:
    """Return the tag of a deadline as one side of the case is to see it.

    The side that must act is warned by the literal end; the side that waits relies on silence after the rolled end
    only. Neither is told a date that the other reading of the treaty would make wrong.
    """
    ours = deadline.must_act == line.role
    due = Due(
        known=deadline.known,
        state=deadline.state,
        on=deadline.due_on if ours else deadline.rolled_on or deadline.due_on,
        until=deadline.due_until if ours else deadline.rolled_until or deadline.due_until,
        zone=_zone(deadline, line, partners),
        counts_hours=deadline.detail.get("unit") == "hours",
    )
    tag = deadline_tag(due, now)
    doubtful = deadline.known and deadline.state == "open" and deadline.confidence == "secondary"
    return replace(tag, text=f"{tag.text}, secondary source") if doubtful else tag


def deadline_view(deadline: DeadlineRow, line: CaseLine, partners: Partners, *, now: datetime, zone: str) -> DeadlineView:
    """Return a deadline in words; `zone` is the reader's."""
    ours = deadline.must_act == line.role
    explain = deadline.detail.get("explain")
    rules = f"Rules {deadline.treaty_version}"
    return DeadlineView(
        limit=limit_text(deadline.limit_id),
        tag=deadline_tag_of(deadline, line, partners, now),
        ours=ours,
        who="Your side" if ours else authority_name(partners, line.counterparty),
        literal=full_day_text(deadline.due_on) if deadline.due_on else None,
        rolled=full_day_text(deadline.rolled_on) if deadline.rolled_on and deadline.rolled_on != deadline.due_on else None,
        lapses=instant_text(deadline.lapses_at, zone) if deadline.lapses_at else None,
        on_lapse=lapse_text(deadline.on_lapse),
        source=deadline.source,
        confidence=confidence_text(deadline.confidence),
        explain=tuple(str(sentence) for sentence in explain) if isinstance(explain, list) else (),
        versions=f"{rules}, calendar {deadline.calendar_version}" if deadline.calendar_version else rules,
        open=deadline.state == "open",
    )
