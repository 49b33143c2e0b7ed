"""What the domain must know of each step of a case: where it stands in the message. Persons and texts stay in the tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gateway.domain.messages import Answered, Header, Step
from gateway.stages import Tree
from gateway.wire.documents import NS

_R = f"{{{NS}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Paths below the root, "" where the message has no such thing."""

    outcome: str = ""
    limit: str = ""
    days: str = ""
    at: str = ""
    on: str = ""
    until: str = ""
    reason: str = ""
    means: str = ""
    escorted: str = ""
    proof: str = ""


PLACES: Mapping[str, Places] = {
    "ExtensionRequest": Places(limit="Extension/Limit", days="Extension/Days", reason="Extension/Reason"),
    "ExtensionDecision": Places(
        outcome="Decision/Outcome", limit="Decision/Limit", days="Decision/Days", until="Decision/Until"
    ),
    "InformationRequest": Places(until="Questions/AnswerBy"),
    "InformationReply": Places(),
    "InterviewRequest": Places(),
    "InterviewAppointment": Places(at="Appointment/At"),
    "InterviewResult": Places(outcome="Result/Finding", on="Result/HeldOn"),
    "RegisterSearchResult": Places(outcome="Search/Finding", on="Search/SearchedOn"),
    "TravelDocumentRequest": Places(reason="TravelDocument/Purpose", until="TravelDocument/NeededBy"),
    "TravelDocumentIssued": Places(until="Issued/Document/ExpiryDate"),
    "TravelDocumentRefused": Places(reason="Refusal/Reason/Code"),
    "TransferNotification": Places(at="Plan/At", means="Plan/Means", escorted="Plan/Escorted"),
    "TransferNotificationReply": Places(outcome="Decision/Outcome", at="Plan/At"),
    "TransferPostponed": Places(reason="Postponement/Reason", on="Postponement/Since", at="Plan/At"),
    "TransferRecord": Places(outcome="Record/Outcome", at="Record/At", means="Record/Means"),
    "TransitReply": Places(outcome="Decision/Outcome", on="Decision/Date", at="Transit/At"),
    "TransitRevocation": Places(reason="Revocation/Reason"),
    "Withdrawal": Places(reason="Withdrawal/Reason"),
    "Suspension": Places(reason="Suspension/Reason", on="Suspension/Since", until="Suspension/ExpectedUntil"),
    "Resumption": Places(on="Resumption/Since"),
    "LapseNotice": Places(outcome="Lapse/Meaning", limit="Lapse/Limit", at="Lapse/LapsedAt", proof="Lapse/Proof"),
    "ReadmissionInError": Places(reason="Error/Reason", on="Error/ReadmittedOn"),
    "ReadmissionInErrorReply": Places(outcome="Decision/Outcome", on="Decision/Date"),
    "Correction": Places(proof="Correction/Corrected"),
    "ErasureNotice": Places(outcome="Erasure/Scope", on="Erasure/ErasedOn", reason="Erasure/Reason"),
    "DataUseReport": Places(),
    "CostStatement": Places(on="Statement/Date", until="Statement/PayBy"),
    "CostSettlement": Places(on="Settlement/PaidOn"),
    "ReintegrationReferral": Places(),
    "PostReturnFollowUp": Places(outcome="FollowUp/Finding", on="FollowUp/Date"),
    "Rejection": Places(reason="Rejection/Code", proof="Rejection/Rejected"),
}


def read_step(kind: str, document: Tree, header: Header) -> Step:
    """Return what the domain must know of a checked step."""
    places = PLACES[kind]
    days, proof = _text(document, places.days), places.proof and document.find(_path(places.proof))
    return Step(
        header=header,
        type=kind,
        outcome=_text(document, places.outcome),
        limit=_text(document, places.limit),
        days=int(days) if days else None,
        at=_instant(_text(document, places.at)),
        on=_day(_text(document, places.on)),
        until=_day(_text(document, places.until)),
        reason=_text(document, places.reason),
        means=_text(document, places.means),
        escorted=_text(document, places.escorted) in {"true", "1"},
        proof=None if proof is None or proof == "" else _answered(proof),
    )


def _path(path: str) -> str:
    return "/".join(_R + step for step in path.split("/"))


def _text(document: Tree, path: str) -> str | None:
    found: str | None = document.findtext(_path(path)) if path else None
    return found


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _day(text: str | None) -> date | None:
    """Return a whole date; a part of one (a travel document may expire in a year) tells no day."""
    return date.fromisoformat(text) if text and len(text) == len("YYYY-MM-DD") else None


def _answered(element: Tree) -> Answered:
    return Answered(message_id=element.findtext(_R + "MessageId"), digest=element.findtext(_R + "Sha256"))
