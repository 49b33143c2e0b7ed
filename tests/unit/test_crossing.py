"""Messages that cross: every history of two sides with one message on its way in each direction, walked to the end."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from gateway.domain import moves
from gateway.domain.case import REPLIES, Case
from gateway.domain.messages import Step
from gateway.domain.moves import CROSSING, NEXT, STAYING, Event, Role, State, event_of
from gateway.errors import TransitionNotAllowed
from tests.case_samples import NOW
from tests.two_sides import MOVES, InFlight, TwoSides

LAPSE_AT = NOW + timedelta(days=10)
OPENINGS = (Event.APPLICATION, Event.NOTIFICATION, Event.TRANSIT)
MOVING = [event for event in MOVES if event not in STAYING or event is Event.CORRECTION]  # the others change nothing


@dataclass(slots=True)
class Walk:
    """What walking all histories found."""

    ends: set[tuple[State, State]] = field(default_factory=set)  # both sides' states where nothing is on its way
    disagreeing: list[TwoSides] = field(default_factory=list)
    refused: list[TwoSides] = field(default_factory=list)  # histories in which something legal was refused on arrival
    believed: list[TwoSides] = field(default_factory=list)  # silence was taken though a reply was proven in time
    used: set[tuple[State, Event]] = field(default_factory=set)  # rows of CROSSING
    reached: int = 0


class Watched(dict[tuple[State, Event], State]):
    """The table of crossings, and which rows were asked for."""

    def __init__(self) -> None:
        super().__init__(CROSSING)
        self.used: set[tuple[State, Event]] = set()

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            self.used.add(key)
        return super().get(key, default)


def likeness(sides: TwoSides) -> tuple[Any, ...]:
    """Return what decides how a history can go on: ids are replaced by the order in which they are met."""
    ids: dict[str, int] = {}

    def number(name: str | None) -> int | None:
        return None if name is None else ids.setdefault(name, len(ids))

    def of_case(case: Case) -> tuple[Any, ...]:
        return case.state, case.suspended, case.deemed_at, number(case.lapse_notice), case.late, number(case.plan)

    def of_message(item: InFlight) -> tuple[Any, ...]:
        head, proof = item.message.header, item.message.proof if isinstance(item.message, Step) else None
        answers, spoken_of = head.answers and head.answers.message_id, proof and proof.message_id
        return event_of(item.message), number(head.message_id), number(answers), number(spoken_of), item.received_at

    on_the_way = (tuple(of_message(item) for item in sides.queues[role]) for role in Role)
    return *(of_case(sides.cases[role]) for role in Role), *on_the_way, sides.proof, sides.answered_at


def copied(sides: TwoSides) -> TwoSides:
    queues = {
        role: [InFlight(message=item.message, received_at=item.received_at) for item in queue]
        for role, queue in sides.queues.items()
    }
    return TwoSides(
        cases=dict(sides.cases),
        queues=queues,
        proof=sides.proof,
        answered_at=sides.answered_at,
        history=list(sides.history),
    )


def sendings(sides: TwoSides, most: int) -> Iterator[TwoSides]:
    for role in Role:
        if len(sides.queues[role.other]) < most:
            for event in MOVING:
                after = copied(sides)
                if after.send(role, after.message(role, event, lapse_at=LAPSE_AT), LAPSE_AT):
                    yield after


def takings(sides: TwoSides, found: Walk) -> Iterator[TwoSides]:
    for role in Role:
        if not sides.queues[role]:
            continue
        reply = event_of(sides.queues[role][0].message) in REPLIES
        for received_at in (LAPSE_AT - timedelta(seconds=1), LAPSE_AT) if reply else (LAPSE_AT,):
            after = copied(sides)
            after.queues[role][0].received_at = received_at
            contradicted = after.contradicted(role)
            try:
                after.process(role, LAPSE_AT)
            except TransitionNotAllowed:
                if not contradicted:
                    found.refused.append(after)
                continue  # silence that is contradicted by proof: a person goes on from here
            if contradicted:
                found.believed.append(after)
            yield after


@cache
def walk(opening: Event, most: int = 1) -> Walk:
    """Walk every history of a case, with at most so many messages on their way in each direction."""
    found, watched = Walk(), Watched()
    first, _ = TwoSides.begin(opening, NOW)
    found.ends.add((first.cases[Role.REQUESTING].state, first.cases[Role.REQUESTED].state))
    seen, ahead = {likeness(first)}, deque([first])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "CROSSING", watched)
        while ahead:
            sides = ahead.popleft()
            ways = [*sendings(sides, most), *takings(sides, found)]
            if sides.proof is not None and sides.answered_at is None:
                ways.append(copied(sides))
                ways[-1].learn(LAPSE_AT)
            for after in ways:
                if (like := likeness(after)) in seen:
                    continue
                seen.add(like)
                ahead.append(after)
                if after.quiet:
                    asking, asked = (after.cases[role] for role in Role)
                    found.ends.add((asking.state, asked.state))
                    if (asking.state, asking.waits_for, asking.suspended) != (asked.state, asked.waits_for, asked.suspended):
                        found.disagreeing.append(after)
    found.used, found.reached = watched.used, len(seen)
    return found


@pytest.mark.parametrize("opening", OPENINGS)
def test_sides_agree_whenever_nothing_is_on_its_way(opening: Event) -> None:
    found = walk(opening)
    assert found.reached > 100
    assert [sides.history for sides in found.disagreeing] == []
    assert {asking for asking, _ in found.ends} == {asked for _, asked in found.ends}


@pytest.mark.parametrize("opening", OPENINGS)
def test_what_was_legal_when_it_left_is_never_refused_on_arrival(opening: Event) -> None:
    assert [sides.history for sides in walk(opening).refused] == []


@pytest.mark.parametrize("opening", OPENINGS)
def test_silence_is_never_taken_against_proof_of_a_reply_in_time(opening: Event) -> None:
    assert [sides.history for sides in walk(opening).believed] == []


def test_every_row_of_the_crossings_is_needed_by_some_history() -> None:
    used = set().union(*(walk(opening).used for opening in OPENINGS))
    assert set(CROSSING) - used == set()


@pytest.mark.parametrize("row", sorted(CROSSING), ids=" meets ".join)
def test_history_without_a_row_of_the_crossings_would_end_in_a_refusal(row: tuple[State, Event]) -> None:
    """No row doubles what the table of moves says already."""
    state, event = row
    senders = {role for role in Role if any((other, event, role) in NEXT for other in State)}
    assert any((state, event, role) not in NEXT for role in senders)


def test_case_can_end_wherever_the_table_leads() -> None:
    ends = {asking for opening in OPENINGS for asking, _ in walk(opening).ends}
    assert ends == set(State) - {State.HELD}
