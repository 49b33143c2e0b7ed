"""What becomes of a received message before and after the database is asked."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.messages import Message
from gateway.errors import Refused, Unavailable
from gateway.stages import Checked, Opened, Received
from gateway.wire.translate import Translation

CLOCK_SKEW = timedelta(minutes=5)  # two machines' clocks may differ by this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message that passed every check that needs no database."""

    received: Received
    opened: Opened
    checked: Checked
    message: Message
    translation: Translation | None  # into the recipient's dialect; None for a receipt


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

    outcome: str  # accepted | waiting | repeated | refused | postponed (nothing was kept: it must come again)
    message_id: str | None
    code: str | None = None
