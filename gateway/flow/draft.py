"""One message on its way outward: what is known of it between the steps, and what may become of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from gateway.domain.case import Case
from gateway.domain.messages import Message
from gateway.domain.safeguards import ADVICE, HoldReason
from gateway.errors import (
    GatewayError,
    Misconfigured,
    Refused,
)
from gateway.stages import Checked, Sealed, Signed, Submitted, Tree
from gateway.store.attachments import AttachmentRow
from gateway.store.cases import CaseKey
from gateway.store.messages import MessageRow
from gateway.wire.manifest import Named
from gateway.wire.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The message is signed, sealed and durable in the outbox."""

    message_id: str
    case_id: int
    case_reference: str
    digest: str
    document: Tree = field(default=None, repr=False, compare=False)  # canonical; for what is said of it beside the outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The message is kept and must not leave yet."""

    case_id: int
    case_reference: str
    reason: HoldReason
    advice: str
    document: Tree = field(default=None, repr=False, compare=False)  # as of `Sent`


Submission: TypeAlias = Sent | Held | GatewayError  # Refused: the message is at fault; another error: not done, by our fault


@dataclass(slots=True)
class Draft:
    """One message on its way through the walk."""

    submitted: Submitted
    document: Tree = None
    header: Mapping[str, str] = field(default_factory=dict)  # as it was handed in
    report: Report | None = None
    reported: str | None = None  # SHA-256 of the mapping report that is kept with it
    kept_report: bytes | None = None  # of a message that was held: the report of its translation, as JSON
    named: tuple[Named, ...] = ()  # the attachments that it names
    files: Mapping[str, AttachmentRow] = field(default_factory=dict)  # by digest: handed in, to be claimed
    released: bool = False  # it was held, and claimed its attachments then
    case: Case | None = None  # before this message
    checked: Checked | None = None
    message: Message | None = None
    after: Case | None = None
    signed: Signed | None = None
    sealed: Sealed | None = None
    hold: HoldReason | None = None
    refused: GatewayError | None = None
    again: Sent | Held | None = None  # the same message was handed in before
    due_at: datetime | None = None  # the end of the nearest deadline that its sender has to keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database says about a batch, read before the work begins."""

    cases: Mapping[CaseKey, Case]
    openers: Mapping[int, MessageRow]  # by case id: the message that opened it
    sequences: Mapping[int, int]  # by case id: highest number we used
    sent: Mapping[tuple[str, str], MessageRow]


@contextmanager
def own_error(draft: Draft) -> Iterator[None]:
    """An error inside belongs to this message alone; what is outside's fault ends the batch."""
    try:
        yield
    except (Refused, Misconfigured) as error:
        draft.refused = error


def each(drafts: Iterable[Draft], step: Callable[[Draft], None]) -> None:
    """Take one step with every message that is still on its way, before any of them takes the next.

    A processor that repeats one step is faster than one that goes through all steps for each message (docs/performance.md).
    """
    for draft in drafts:
        if draft.refused is None and draft.again is None:
            with own_error(draft):
                step(draft)


def held_result(case: Case, reason: HoldReason) -> Held:
    """Return the result of a message that is kept, with what a person can do about it."""
    assert case.id is not None
    return Held(case_id=case.id, case_reference=case.reference, reason=reason, advice=ADVICE[reason])
