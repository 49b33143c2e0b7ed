"""What we require of a signature that is mathematically good: who may sign what, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import SignerMismatch, SigningTimeInvalid, TimestampTimeInvalid
from gateway.stages import Tree
from gateway.trust.certificates import Pinned
from gateway.wire.documents import NS

_SENDER = f"{{{NS}}}Header/{{{NS}}}Sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The tolerances of one installation."""

    clock_skew: timedelta = timedelta(minutes=5)  # how far a partner's clock may run ahead of ours


STANDARD = Policy()


def check_time(signed_at: datetime, at: datetime, policy: Policy) -> None:
    """Raise `SigningTimeInvalid` if the message was signed later than `at`, the instant at which it is judged."""
    if signed_at - at > policy.clock_skew:  # a difference, for there is no instant after the last one
        raise SigningTimeInvalid("the claimed time of signing lies in the future")


def check_stamp(signed_at: datetime, stamped_at: datetime, at: datetime | None, policy: Policy) -> None:
    """Raise `TimestampTimeInvalid` unless the timestamp lies between signing and `at`, the instant at which it is judged."""
    if stamped_at < signed_at - policy.clock_skew:
        raise TimestampTimeInvalid("the timestamp is from before the claimed time of signing")
    if at is not None and stamped_at > at + policy.clock_skew:
        raise TimestampTimeInvalid("the time of the timestamp lies in the future")


def check_sender(document: Tree, signer: Pinned) -> None:
    """Raise `SignerMismatch` unless the header names the signer's authority, once, as the sender."""
    senders = [sender.text for sender in document.findall(_SENDER)]
    if senders != [signer.authority]:
        raise SignerMismatch(f"the message was signed by {signer.authority}, which is not the sender its header names")
