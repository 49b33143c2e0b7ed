"""The sentences of a verdict on a case file: for a court clerk, who knows the case and not the protocol."""

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.trust.strangers import Introduction
from gateway.wire.case_index import IndexedMessage
from gateway.wire.manifest import Named

VALID = "valid"
REFUSED = "refused"
NOT_PROVEN = "not-proven"  # nothing is wrong, and something is not shown
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The verdict on one thing in a case file."""

    item: str  # "message 1", "receipt of message 1", "deadline reply"
    verdict: str  # valid | refused | not-proven
    says: str
    code: str | None = None  # of a refusal


def on(at: datetime) -> str:
    """Return an instant as it is read aloud: "1 June 2026, 08:15:00 UTC"."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M:%S} UTC"


def certificate(known: Introduction) -> str:
    """Return what a signature rests on."""
    weak = " (for development only: it proves nothing)" if known.development else ""
    return f"with a certificate that {known.issuer} issued to {known.owner}{weak}"


def whole_is_good(known: Introduction, signed_at: datetime, files: int, stamped_at: datetime | None) -> str:
    """Return the sentence on the container."""
    vouched = f" A timestamp authority vouches that it was there on {on(stamped_at)}." if stamped_at else ""
    return (
        f"This case file was put together by {known.authority} on {on(signed_at)} and has not been changed since: all {files} "
        f"files in it were signed {certificate(known)}.{vouched}"
    )


def message_is_good(line: IndexedMessage, known: Introduction, signed_at: datetime) -> str:
    """Return the sentence on one message."""
    return (
        f"The {line.noun} of {line.sender} to {line.recipient} of {on(signed_at)} is authentic: it was signed "
        f"{certificate(known)}, and has not been changed since."
    )


def refused_message_is_good(line: IndexedMessage, known: Introduction, signed_at: datetime) -> str:
    """Return the sentence on a message that was refused on arrival and kept."""
    return (
        f"{line.recipient} refused a message of {line.sender} of {on(signed_at)} ({line.code}). It is kept as it came: it was "
        f"signed {certificate(known)}, and has not been changed since."
    )


def receipt_is_good(line: IndexedMessage, received_at: datetime, known: Introduction, text: str | None = None) -> str:
    """Return the sentence on the receipt of a message. `text` is what the receipt says beside: how it came on paper, say."""
    did = f"refused it ({line.code})" if line.outcome == "refused" else "took it"
    return (
        f"{line.recipient} confirmed that it received exactly this {line.noun} on {on(received_at)}, and {did}; "
        f"the receipt was signed {certificate(known)}."
    ) + (f' The receipt says: "{text}".' if text else "")


_KINDS = {"photograph": "photograph", "document-scan": "scan of a document", "fingerprints": "file with fingerprints"}


def attachment_is_good(line: IndexedMessage, one: Named) -> str:
    """Return the sentence on an attachment that is there."""
    return (
        f"The {_KINDS.get(one.kind, 'file')} that {line.sender} signed for is the one in this file: {one.size} bytes, "
        f"exactly as its {line.noun} names it."
    )


def attachment_is_missing(line: IndexedMessage, one: Named) -> str:
    """Return the sentence on an attachment that is not there."""
    return (
        f"The {_KINDS.get(one.kind, 'file')} that {line.sender} signed for ({one.size} bytes) is not in this file: what it "
        "held is not shown."
    )


def refused_with_files(line: IndexedMessage, files: int) -> str:
    """Return the sentence on the attachments of a message that was refused on arrival."""
    return (
        f"{line.recipient} refused this message, and {files} attachment{'' if files == 1 else 's'} with it: what came of them "
        "was not kept."
    )


OVERALL = {
    VALID: "Everything in this file that was signed holds. What is the word of the exporting authority alone is marked.",
    REFUSED: "This case file must not be relied on: at least one item above was refused.",
}
