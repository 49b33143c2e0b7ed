"""The shapes of the API's answers, as they stand in the OpenAPI document."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.domain.case import Case
from gateway.flow.line_standings import LineStanding
from gateway.store.attachments import AttachmentRow
from gateway.store.deadlines import DeadlineRow
from gateway.store.inbox import InboxRow
from gateway.store.messages import MessageRow
from gateway.store.outbox import OutboxState


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")  # keys may be added to an answer; clients ignore what they do not know


class Problem(_Answer):
    """An error, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    path: str | None = None
    line: int | None = None


class WarningLine(_Answer):
    """Something a human should look at. It refuses nothing."""

    code: str
    path: str
    message: str


class SubmissionAnswer(_Answer):
    """What became of a message that was handed in."""

    outcome: Literal["sent", "held"]
    case: str
    case_id: int
    message_id: str | None = None
    sha256: str | None = None
    reason: str | None = None
    advice: str | None = None
    warnings: list[WarningLine] = []  # of personal numbers that do not check out or say something else


class RowAnswer(_Answer):
    """What became of one message of a table."""

    row: int
    outcome: Literal["sent", "held", "refused"]
    case: str | None = None
    case_id: int | None = None
    message_id: str | None = None
    sha256: str | None = None
    reason: str | None = None
    advice: str | None = None
    code: str | None = None
    path: str | None = None
    line: int | None = None
    message: str | None = None


class SubmissionsAnswer(_Answer):
    """What became of a table that holds several messages; the worst of their outcomes stands for the whole."""

    outcome: Literal["sent", "held"]
    messages: list[RowAnswer]


class InboxLine(_Answer):
    """One message that waits."""

    id: int
    message_id: str
    sender: str
    type: str
    case: str
    case_id: int
    dialect: str
    arrived_at: datetime


class InboxAnswer(_Answer):
    """What waits for the authority."""

    messages: list[InboxLine]


class CaseLine(_Answer):
    """One case, without the person."""

    id: int
    reference: str
    counterparty: str
    role: str
    state: str
    treaty: str
    procedure: str
    category: str
    waits_for: str | None = None  # requesting | requested: the side that must act next
    suspended: bool = False
    linked: list[str] = []  # references of the cases of the same family
    opened_at: datetime
    changed_at: datetime


class CaseListAnswer(_Answer):
    """Cases of the authority."""

    cases: list[CaseLine]


class MessageLine(_Answer):
    """One message of a case."""

    direction: Literal["in", "out"]
    type: str
    message_id: str
    sender: str
    recipient: str
    sha256: str
    outcome: str
    code: str | None
    received_at: datetime | None
    receipt: str | None


class HandedInAnswer(_Answer):
    """A file that lies here and waits for the message that names it by its SHA-256."""

    id: int
    sha256: str
    size: int
    media_type: str


class AttachmentLine(_Answer):
    """One attachment of a case."""

    kind: str
    media_type: str
    size: int
    sha256: str
    direction: Literal["in", "out"]
    message_id: str | None  # None while its message is held


class CaseAnswer(CaseLine):
    """One case with its messages, attachments and deadlines."""

    messages: list[MessageLine]
    attachments: list[AttachmentLine]
    deadlines: list[dict[str, Any]]


class DeadlineListAnswer(_Answer):
    """Deadlines as `gateway deadline --json` gives them, with `case` and `state`."""

    deadlines: list[dict[str, Any]]


class QueueLine(_Answer):
    """What is on its way to one partner."""

    recipient: str
    waiting: int
    parked: int
    oldest: datetime | None
    codes: list[str]
    for_paper: int  # of those parked: to be sent on paper, since a deadline is near
    nearest_deadline: datetime | None
    line: Literal["open", "stopped", "probing"]
    failures: int  # in a row
    since: datetime | None
    next_at: datetime | None  # stopped: when one message tries
    sent_per_second: float | None  # limits of the partner
    sent_per_day: int | None
    sent_today: int | None


class ParkedLine(_Answer):
    """What is set aside for one cause, in either direction."""

    code: str
    partner: str | None
    rule: str | None
    direction: Literal["in", "out"]
    count: int
    oldest: datetime
    owners: list[str]
    next: str


class QueuesAnswer(_Answer):
    """What is on its way out, and what is set aside."""

    outbox: list[QueueLine]
    parked: list[ParkedLine]


class StateAnswer(_Answer):
    """Health."""

    state: Literal["ok", "degraded"]


def inbox_line(row: InboxRow) -> dict[str, Any]:
    """Return one inbox row as the API shows it."""
    return {
        "id": row.id,
        "message_id": row.message_id,
        "sender": row.sender,
        "type": row.type,
        "case": row.case_reference,
        "case_id": row.case_id,
        "dialect": row.dialect,
        "arrived_at": row.arrived_at,
    }


def case_line(case: Case) -> dict[str, Any]:
    """Return one case as the API shows it."""
    names = ("id", "reference", "counterparty", "role", "state", "treaty", "procedure", "category", "opened_at", "changed_at")
    return {name: getattr(case, name) for name in names} | {
        "waits_for": case.waits_for,
        "suspended": case.suspended,
        "linked": list(case.linked),
    }


def case_answer(
    case: Case, found: Sequence[MessageRow], due: Sequence[DeadlineRow], files: Sequence[AttachmentRow]
) -> dict[str, Any]:
    """Return one case with everything that belongs to it."""
    named = {row.id: row.message_id for row in found}
    return case_line(case) | {
        "messages": [
            {
                "direction": row.direction,
                "type": row.type,
                "message_id": row.message_id,
                "sender": row.sender,
                "recipient": row.recipient,
                "sha256": row.digest,
                "outcome": row.outcome,
                "code": row.code,
                "received_at": row.received_at,
                "receipt": row.receipt_message_id,
            }
            for row in found
        ],
        "attachments": [
            {
                "kind": row.kind,
                "media_type": row.media_type,
                "size": row.size,
                "sha256": row.sha256,
                "direction": "in" if row.sender else "out",
                "message_id": named.get(row.message_row),
            }
            for row in files
        ],
        "deadlines": [row.detail | {"state": row.state} for row in due],
    }


def queue_line(state: OutboxState, line: LineStanding) -> dict[str, Any]:
    """Return what waits for one partner as the API shows it."""
    return {
        "recipient": state.recipient,
        "waiting": state.waiting,
        "parked": state.parked,
        "oldest": state.oldest,
        "codes": list(state.codes),
        "for_paper": state.for_paper,
        "nearest_deadline": state.nearest_deadline,
        **asdict(line),
    }
