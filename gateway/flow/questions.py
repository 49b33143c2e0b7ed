"""What a message answers: filled in where an authority's own format does not say it, checked where it does."""

from collections.abc import Mapping

from gateway.domain.case import Case
from gateway.domain.messages import OPENING
from gateway.store import messages
from gateway.store.database import Tx
from gateway.store.messages import MessageRow

# Type of an answer -> types of what it usually answers, the newest of the case. Others answer nothing, or say what.
ASKED_BY: Mapping[str, tuple[str, ...]] = {
    "ExtensionDecision": ("ExtensionRequest",),
    "InformationReply": ("InformationRequest",),
    "InterviewAppointment": ("InterviewRequest", "ReadmissionReply"),
    "TravelDocumentIssued": ("TravelDocumentRequest",),
    "TravelDocumentRefused": ("TravelDocumentRequest",),
    "TransferNotificationReply": ("TransferNotification",),
    "TransferPostponed": ("TransferNotification",),
    "TransferRecord": ("TransferNotification",),
    "ReadmissionInErrorReply": ("ReadmissionInError",),
    "CostSettlement": ("CostStatement",),
}
# These answer what opened the case, whichever side sent it.
ABOUT_THE_OPENING = ("ReadmissionReply", "TransitReply", "ExtensionRequest", "Withdrawal", "LapseNotice", "Rejection")


def usual_question(tx: Tx, case: Case, kind: str, opener: MessageRow | None) -> MessageRow | None:
    """Return the message that a message of this type answers; None where it answers nothing, or nothing is there."""
    assert case.id is not None
    if kind in ASKED_BY:
        return messages.last_of(tx, case.id, ASKED_BY[kind]) or (opener if kind == "InterviewAppointment" else None)
    return opener if kind in ABOUT_THE_OPENING else None


def answered_by(tx: Tx, case: Case, message_id: str) -> MessageRow | None:
    """Return the message of a case with this id, whichever side sent it; None if the case has none."""
    found = messages.known(tx, "out", [(case.home, message_id)]) | messages.known(tx, "in", [(case.counterparty, message_id)])
    row = next(iter(found.values()), None)
    return row if row is not None and row.case_id == case.id and (row.outcome != "refused" or row.type in OPENING) else None
