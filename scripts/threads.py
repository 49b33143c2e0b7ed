"""One case as a thread of example messages: who writes, in which order, on which day, and what each message answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from specimens import Corridor, Fields, case_reference, digest, header, relative

Side: TypeAlias = Literal["requesting", "requested"]

NAMED_BY = ("Name", "MaidenName", "Birth", "Nationality")  # what a message about an open case says of a person
OTHER: Mapping[Side, Side] = {"requesting": "requested", "requested": "requesting"}


@dataclass(slots=True, kw_only=True)
class Thread:
    """The messages about one case, in the order of their sequence numbers; the message that opens it comes first.

    All outcomes of a question stand one after the other, as no real case would have them: each is an example by itself.
    """

    corridor: Corridor
    opened: Fields  # the application, notification or transit application
    person: Fields  # as later messages name the person
    sent: dict[str, tuple[str, Fields]] = field(default_factory=dict)
    counts: dict[Side, int] = field(default_factory=lambda: {"requesting": 1, "requested": 0})

    @classmethod
    def on(cls, corridor: Corridor, opened: Fields) -> "Thread":
        """Return the thread that `opened` opens."""
        return cls(corridor=corridor, opened=opened, person=relative(opened["Person"], *NAMED_BY))

    @property
    def now(self) -> datetime:
        """When the next message is written: a day and twenty minutes after the one before."""
        first = datetime.fromisoformat(self.opened["Header"]["Created"])
        return first + (len(self.sent) + 1) * timedelta(days=1, minutes=20)

    def day(self, later: int = 0) -> str:
        """Return a date, in days from the next message."""
        return f"{self.now + timedelta(days=later):%Y-%m-%d}"

    def instant(self, later: int, hour: int) -> str:
        """Return an instant at a full hour, in days from the next message."""
        return f"{self.day(later)}T{hour:02}:00:00Z"

    def code(self, side: Side) -> str:
        """Return the authority of a side."""
        return self.corridor.requesting if side == "requesting" else self.corridor.requested

    def signatory(self, side: Side) -> Fields:
        """Return who signs for a side."""
        spec = self.corridor.authorities[self.code(side)]["signatory"]
        return {"Name": spec["name"], "Rank": spec["rank"]}

    def proof(self, name: str | None) -> Fields:
        """Return id and digest of a message of the thread; None is the one that opened it."""
        found = self.opened if name is None else self.sent[name][1]
        message = found["Header"]["MessageId"]
        return {"MessageId": message, "Sha256": digest(f"envelope {message}")}

    def add(self, kind: str, slug: str, side: Side, body: Fields, *, answers: str | None = None, opener: bool = False) -> str:
        """Write the next message; return its name, "extension-decision-granted".

        `answers` names an earlier message of the thread; `opener` says that it answers the one that opened the thread.
        """
        name = f"{kebab(kind)}-{slug}"
        self.counts[side] += 1
        self.sent[name] = (kind, self._header(name, side, answers, opener) | {"Person": self.person} | body)
        return name

    def _header(self, name: str, side: Side, answers: str | None, opener: bool) -> Fields:
        files = {each: self.corridor.authorities[self.code(each)]["reference"] for each in OTHER}
        opened = self.opened["Header"]
        own = {
            "requesting": opened["NationalReference"],
            "requested": files["requested"].format(n="9" + opened["Created"][8:10]),
        }
        when = {
            "requesting": opened["Created"][:10],
            "requested": f"{datetime.fromisoformat(opened['Created']) + timedelta(days=1):%Y-%m-%d}",
        }
        more: dict[str, Any] = {
            "CaseReference": opened["CaseReference"],
            "Sequence": str(self.counts[side]),
            "NationalReference": own[side],
            "InReplyTo": self.proof(answers) if answers or opener else None,
        }
        return {
            "Header": header(f"{self.corridor.code} {name}", self.code(side), self.code(OTHER[side]), self.now, **more),
            "Reference": {"Number": own[OTHER[side]], "Date": when[OTHER[side]]},
            "Signatory": self.signatory(side),
        }


def kebab(kind: str) -> str:
    """Return a message type as a file is named: "TransferRecord" is "transfer-record"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()


def new_case(corridor: Corridor, key: str, number: int) -> dict[str, Any]:
    """Return the header fields of a message that opens a case of its own."""
    reference = corridor.authorities[corridor.requesting]["reference"].format(n=f"{number:03}")
    return {"CaseReference": case_reference(f"{corridor.code} {key}"), "Sequence": "1", "NationalReference": reference}
