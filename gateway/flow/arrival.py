"""What becomes of a received message before and after the database is asked."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.messages import Message
from gateway.errors import Refused, Unavailable
from gateway.stages import Checked, Opened, Received
from gateway.trust.seal import Contents
from gateway.wire.manifest import Named
from gateway.wire.translate import Translation

CLOCK_SKEW = timedelta(minutes=5)  # two machines' clocks may differ by this much


@dataclass(slots=True)
class Coming:
    """One message on its way inward: what is known of it between the steps."""

    received: Received
    contents: Contents | None = None  # of its seal; let go once it was verified
    opened: Opened | None = None
    checked: Checked | None = None
    message: Message | None = None
    named: tuple[Named, ...] = ()
    translation: Translation | None = None
    error: Refused | Unavailable | None = None  # what ended its way

    def judged(self) -> "Prepared | Rejected | Postponed":
        """Return what the steps found."""
        if isinstance(self.error, Refused):
            return Rejected(received=self.received, error=self.error, opened=self.opened)
        if self.error is not None:  # revocation not known, a key store that does not answer: the message is not at fault
            return Postponed(received=self.received, error=self.error)
        assert self.opened is not None
        assert self.checked is not None
        assert self.message is not None
        return Prepared(
            received=self.received,
            opened=self.opened,
            checked=self.checked,
            message=self.message,
            translation=self.translation,
            named=self.named,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message that passed every check that needs no database."""

    received: Received
    opened: Opened
    checked: Checked
    message: Message
    translation: Translation | None  # into the recipient's dialect; None for a receipt
    named: tuple[Named, ...] = ()  # the attachments that it names


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A message that was refused. `opened` is known once the signature was verified: only then it can be answered."""

    received: Received
    error: Refused
    opened: Opened | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """A message that cannot be judged now, through no fault of its own. Nothing about it is proven."""

    received: Received
    error: Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one received message."""

    # accepted | waiting | repeated | refused | postponed (nothing was kept: it must come again) | part (of an attachment: kept)
    outcome: str
    message_id: str | None
    code: str | None = None
