"""What the pages say about dates, states and events. Pure functions: no clock, no database.

A deadline is told in words first; the tone (a colour) only repeats them. A date is never shown without the zone it
is counted in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SOON = 3  # days left from which a deadline is shown as soon due


class Tone(StrEnum):
    """How urgent a tag looks. The style sheet has one class for each."""

    URGENT = "urgent"
    SOON = "soon"
    CALM = "calm"
    UNKNOWN = "unknown"
    GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A few words, their tone, and the date they speak of."""

    text: str
    tone: Tone
    stands_for: str | None = None  # ISO date or instant, for <time datetime>


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What of a deadline decides its tag."""

    known: bool
    state: str  # open | met | late | lapsed | moot
    on: date | None  # last day, a local date of the state that must act; None when not known
    until: datetime | None  # UTC instant at which it ends
    zone: str  # of the state that must act
    counts_hours: bool = False  # the limit is given in hours: the time of day matters


_SETTLED: Mapping[str, Tag] = {
    "met": Tag(text="Met in time", tone=Tone.GOOD),
    "late": Tag(text="Met late", tone=Tone.CALM),
    "lapsed": Tag(text="Time limit has passed", tone=Tone.URGENT),
    "moot": Tag(text="No longer needed", tone=Tone.CALM),
}


def day_text(day: date) -> str:
    """Return e.g. "Wed 25 Nov"."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def full_day_text(day: date) -> str:
    """Return e.g. "Wed 25 Nov 2026"."""
    return f"{day_text(day)} {day.year}"


def zone_text(instant: datetime) -> str:
    """Return the zone's own letters ("CET"), or its distance from UTC where it has none ("UTC+03:00")."""
    name = instant.tzname() or ""
    if name.isalpha():
        return name
    offset = instant.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"


def instant_text(instant: datetime, zone: str) -> str:
    """Return an absolute local time with its zone, e.g. "24 Nov 2026, 13:05 CET"."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local.day} {MONTHS[local.month - 1]} {local.year}, {local:%H:%M} {zone_text(local)}"


def evidence_text(oldest: datetime, stops_at: datetime, zone: str, *, stopped: bool) -> str:
    """Return what every page says while no timestamp can be had for the record."""
    since = f"Nothing that was recorded since {instant_text(oldest, zone)} has a timestamp yet"
    if stopped:
        return f"New messages cannot be sent. {since}. What was sent or received is safe. Tell the operator."
    return f"New messages can be sent until {instant_text(stops_at, zone)}. {since}. Tell the operator."


def count_text(number: int, noun: str) -> str:
    """Return e.g. "1 day", "2 days"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age_text(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit: "2 days", "3 hours", "5 minutes", "just now"."""
    passed = now - then
    for unit, noun in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if passed >= unit:
            return count_text(passed // unit, noun)
    return "just now"


def deadline_tag(due: Due, now: datetime) -> Tag:
    """Return what to say about a deadline at `now` (UTC).

    Days are counted between local dates of the state that must act: there the day ends, not where the reader sits.
    """
    if due.state in _SETTLED:
        # Nobody knows whether an answer was in time when nobody knows the limit.
        return (
            _SETTLED[due.state] if due.known or due.state == "moot" else Tag(text="Ended, limit not known", tone=Tone.UNKNOWN)
        )
    if not due.known or due.on is None:
        return Tag(text="Not known: ask", tone=Tone.UNKNOWN)
    if due.counts_hours and due.until is not None:
        return _in_hours(due.until, due.zone, now)
    today = now.astimezone(ZoneInfo(due.zone)).date()
    left = (due.on - today).days
    stands_for = due.on.isoformat()
    if left < 0:
        return Tag(text=f"Overdue by {count_text(-left, 'day')}", tone=Tone.URGENT, stands_for=stands_for)
    if left <= 1:
        word = "tomorrow" if left else "today"
        return Tag(text=f"Due {word} ({day_text(due.on)})", tone=Tone.SOON if left else Tone.URGENT, stands_for=stands_for)
    tone = Tone.SOON if left <= SOON else Tone.CALM
    return Tag(text=f"{left} days left ({day_text(due.on)})", tone=tone, stands_for=stands_for)


def _in_hours(until: datetime, zone: str, now: datetime) -> Tag:
    local = until.astimezone(ZoneInfo(zone))
    stands_for = until.isoformat()
    if now >= until:
        return Tag(
            text=f"Overdue by {age_text(until, now)}".replace("just now", "minutes"), tone=Tone.URGENT, stands_for=stands_for
        )
    left = (until - now) // timedelta(hours=1)
    words = count_text(left, "hour") + " left" if left else "Less than an hour left"
    tone = Tone.URGENT if left < 24 else Tone.SOON  # noqa: PLR2004 - hours in a day
    return Tag(text=f"{words} ({day_text(local.date())}, {local:%H:%M} {zone_text(local)})", tone=tone, stands_for=stands_for)


_LAPSE: Mapping[str, str] = {
    "agreed": "agreement is deemed to have been given",
    "document-consent": "consent to the requesting side's travel document is deemed to have been given",
    "proposal-accepted": "the proposal is deemed to have been accepted",
    "reasons": "the silent side owes its reasons",
    "nothing": "nothing follows by itself",
}

_CONFIDENCE: Mapping[str, str] = {
    "verified": "verified: read in the treaty's own text",
    "secondary": "from a secondary source, not read in the treaty's own text",
    "unverified": "not verified: ask before you rely on it",
    "operator": "set by the operator of this installation",
}

_STATES: Mapping[tuple[str, str], Tag] = {
    ("requesting", "held"): Tag(text="Held: not sent", tone=Tone.SOON),
    ("requesting", "requested"): Tag(text="Waiting for the answer", tone=Tone.CALM),
    ("requested", "requested"): Tag(text="To be answered", tone=Tone.SOON),
    ("requesting", "agreed"): Tag(text="Agreed", tone=Tone.GOOD),
    ("requested", "agreed"): Tag(text="Agreed", tone=Tone.GOOD),
    ("requesting", "refused"): Tag(text="Refused", tone=Tone.CALM),
    ("requested", "refused"): Tag(text="Refused", tone=Tone.CALM),
    ("requesting", "notified"): Tag(text="Notified: transfer can follow", tone=Tone.GOOD),
    ("requested", "notified"): Tag(text="Notified: no answer is needed", tone=Tone.CALM),
    ("requesting", "planned"): Tag(text="Transfer announced", tone=Tone.CALM),
    ("requested", "planned"): Tag(text="Transfer announced: answer the plan", tone=Tone.SOON),
    ("requesting", "claimed"): Tag(text="Readmission in error claimed: to be answered", tone=Tone.SOON),
    ("requested", "claimed"): Tag(text="Readmission in error claimed", tone=Tone.CALM),
    ("requesting", "taken-back"): Tag(text="Taken back", tone=Tone.CALM),
    ("requested", "taken-back"): Tag(text="Taken back", tone=Tone.CALM),
    ("requesting", "transferred"): Tag(text="Handed over", tone=Tone.GOOD),
    ("requested", "transferred"): Tag(text="Handed over", tone=Tone.GOOD),
    ("requesting", "transit-requested"): Tag(text="Transit: waiting for the answer", tone=Tone.CALM),
    ("requested", "transit-requested"): Tag(text="Transit: to be answered", tone=Tone.SOON),
    ("requesting", "transit-agreed"): Tag(text="Transit agreed", tone=Tone.GOOD),
    ("requested", "transit-agreed"): Tag(text="Transit agreed", tone=Tone.GOOD),
    ("requesting", "transited"): Tag(text="Transit done", tone=Tone.GOOD),
    ("requested", "transited"): Tag(text="Transit done", tone=Tone.GOOD),
}

_GROUNDS: Mapping[str, str] = {
    "national": "own national",
    "former-national": "former national",
    "family-member": "family member",
    "former-sfry-national": "former national of the SFRY",
    "third-country-visa": "third-country national, visa",
    "third-country-permit": "third-country national, residence permit",
    "third-country-entry": "third-country national, direct entry",
    "stateless": "stateless person",
    "transit": "transit",
}

_TYPES: Mapping[str, str] = {
    "ReadmissionApplication": "Readmission application",
    "ReadmissionReply": "Reply",
    "LapseNotice": "Notice of silence",
    "ReadmissionInError": "Claim of readmission in error",
    "ReadmissionInErrorReply": "Reply on readmission in error",
}

_KINDS: Mapping[str, str] = {
    "original": "As it was handed in",
    "signed": "Signed original",
    "translated": "In your own format",
    "report": "Translation report",
    "receipt": "Receipt",
    "form": "Filled form as it came back",
    "delivery": "Scan of the proof of delivery",
}

FOR_PAPER = Tag(text="Send on paper", tone=Tone.URGENT)  # of a case with a message that cannot be delivered in time

_OUTCOMES: Mapping[str, str] = {
    "accepted": "Accepted",
    "waiting": "Waiting to leave",
    "sent": "Sent, no receipt yet",
    "received": "Received by the other side",
    "refused": "Refused",
    "parked": "Parked: delivery gave up for now",
    "dropped": "Given up: it was not delivered",
    "delivered": "Delivered on paper",
}

_SUBJECTS: Mapping[str, str] = {
    "case": "Case",
    "message": "Message",
    "attachment": "Attachment",
    "receipt": "Receipt",
    "statement": "Due diligence statement",
    "deadline": "Time limit",
    "form": "Form",
    "gap": "Missing number",
}

_ATTACHMENTS = {
    "photograph": "Photograph",
    "document-scan": "Scan of a document",
    "fingerprints": "Fingerprints",
    "other": "Other file",
}

_MEDIA = {"image/jpeg": "JPEG image", "image/png": "PNG image", "application/pdf": "PDF document"}

_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")  # where a word begins in "TransferNotification"


def in_words(code: str) -> str:
    """Return a code with spaces and a capital: what is shown where a table below has no row for it."""
    text = code.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]


def state_tag(role: str, state: str) -> Tag:
    """Return where a case stands, as its own side sees it."""
    return _STATES.get((role, state), Tag(text=in_words(state), tone=Tone.CALM))


def lapse_text(on_lapse: str) -> str:
    """Return what the passing of a limit means, as the end of a sentence."""
    return _LAPSE.get(on_lapse, in_words(on_lapse).lower())


def confidence_text(confidence: str) -> str:
    """Return how far a limit can be relied on."""
    return _CONFIDENCE.get(confidence, confidence)


def ground_text(ground: str) -> str:
    """Return why the requested state is asked."""
    return _GROUNDS.get(ground, in_words(ground).lower())


def type_text(kind: str) -> str:
    """Return the name of a message type: "TransferNotification" is "Transfer notification"."""
    first, *rest = _CAPITALS.split(kind)
    return _TYPES.get(kind, " ".join((first, *map(str.lower, rest))))


def document_text(kind: str) -> str:
    """Return what a stored document is."""
    return _KINDS.get(kind, in_words(kind))


def attachment_text(kind: str) -> str:
    """Return what an attachment is."""
    return _ATTACHMENTS.get(kind, in_words(kind))


def media_text(media_type: str) -> str:
    """Return what kind of file it is."""
    return _MEDIA.get(media_type, "File")


def size_text(size: int) -> str:
    """Return a size in bytes as people read it: "48 KB", "2.5 MB"."""
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} KB"  # noqa: PLR2004 - a megabyte


def outcome_text(outcome: str) -> str:
    """Return what became of a message."""
    return _OUTCOMES.get(outcome, in_words(outcome))


def event_text(event: str, message_type: str | None = None) -> str:
    """Return a journal event as a short sentence: "message.received" is "Message received", or "Reply received"."""
    noun, _, past = event.partition(".")
    subject = type_text(message_type) if message_type and noun == "message" else _SUBJECTS.get(noun, in_words(noun))
    return f"{subject} {in_words(past).lower()}".strip()


def limit_text(limit: str) -> str:
    """Return the name of a limit: "reply" is "Reply"."""
    return in_words(limit)
