"""Messages and cases for tests of the case: AA-X asks, BB-X is asked, and both are invented."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from gateway.domain.case import Case, opened
from gateway.domain.messages import Answered, Application, Category, Ground, Header, Outcome, Procedure, Reply, Step
from gateway.domain.moves import EVENT_OF, OPENS, Event, Role, State, event_of

ASKING, ASKED = "AA-X", "BB-X"
NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
REFERENCE = "KQ3XN7YB2MZV5TDWA4RUHE6PCG"
HOME = {Role.REQUESTING: ASKING, Role.REQUESTED: ASKED}
KIND_OF = {event: kind for kind, event in reversed(EVENT_OF.items())}  # event -> type and outcome of a message that does it
OPENING_OF = {event: KIND_OF[event][0] for event in OPENS if event is not Event.HOLD}
GROUND_OF = {
    Category.NATIONAL: Ground.NATIONAL,
    Category.THIRD_COUNTRY: Ground.THIRD_COUNTRY_ENTRY,
    Category.STATELESS: Ground.STATELESS,
}
_numbers = count(1)


def header(by: Role, *, answers: str | None = None, created: datetime = NOW) -> Header:
    """Return the header of a message that one side sends, with a fresh id."""
    return Header(
        message_id=f"message-{next(_numbers)}",
        sender=HOME[by],
        recipient=HOME[by.other],
        created=created,
        case_reference=REFERENCE,
        sequence=1,
        answers=Answered(message_id=answers, digest="0" * 64) if answers else None,
    )


def application(event: Event = Event.APPLICATION, **changes: Any) -> Application:
    """Return what opens a case: an application, a notification or an application for transit."""
    transit = event is Event.TRANSIT
    values: dict[str, Any] = {
        "header": header(Role.REQUESTING),
        "type": OPENING_OF[event],
        "agreement": "aa-bb",
        "ground": Ground.TRANSIT if transit else Ground.NATIONAL,
        "procedure": Procedure.ORDINARY,
        "interview_requested": False,
        "nationalities": ("BB",),
        "former_nationalities": (),
        "born": None,
        "children_born": (),
        "evidence": (),
    }
    return Application(**values | changes)


def sent(event: Event, by: Role, *, answers: str | None = None, **facts: Any) -> Reply | Step:
    """Return a message by which one side does something to an open case."""
    kind, outcome = KIND_OF[event]
    head = header(by, answers=answers)
    if kind == "ReadmissionReply":
        assert outcome is not None
        return Reply(header=head, outcome=Outcome(outcome), reasons=("other",) if event is Event.REFUSAL else ())
    return Step(header=head, type=kind, outcome=outcome, **facts)


def case(state: State = State.REQUESTED, role: Role = Role.REQUESTING, **changes: Any) -> Case:
    """Return a case that stands at a state, as one side sees it."""
    first = application()
    made = opened(
        first, home=HOME[role], event=event_of(first), treaty_version="1", schema_version="1.0", wrapped_key=b"key", at=NOW
    )
    return replace(made, **{"state": state} | changes)
