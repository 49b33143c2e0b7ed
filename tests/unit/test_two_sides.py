"""Random histories of a case, legal and illegal, on both sides at once: they never come to disagree.

Messages travel in order in each direction, arrive, are processed later, and cross. Silence is recorded by the clock.
"""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.domain.case import DOCUMENTS, REPLIES, Case, check_lapse
from gateway.domain.limits import COMPUTABLE, LIMIT_IDS, OnLapse
from gateway.domain.messages import Category, Ground, Procedure, Step
from gateway.domain.moves import NEXT, Event, Role
from gateway.errors import TransitionNotAllowed
from tests.case_samples import GROUND_OF, NOW
from tests.clock_model import Clocks, treaties
from tests.two_sides import MOVES, InFlight, TwoSides

SIDES = st.sampled_from(Role)
REPLY_LIMITS = ("reply", "transit-reply")
ACTS = [event for event in MOVES if event is not Event.LAPSE]
DATED = {Event.HANDED_OVER, Event.TRANSFER_NOTICE, Event.INTERVIEW_APPOINTMENT}


def may_send(case: Case, event: Event) -> bool:
    """Whether this side may send this now, said once more in other words than the code's."""
    if (case.state, event, case.role) not in NEXT:
        return False
    if event is Event.DOCUMENT_REQUEST:
        return case.role is not case.issuer
    if event in DOCUMENTS:
        return case.role is case.issuer
    if event in {Event.SUSPENSION, Event.RESUMPTION}:
        return case.suspended == (event is Event.RESUMPTION)
    return not (event is Event.TRANSFER_NOTICE and case.must_take_back)


class BothSides(RuleBasedStateMachine):
    """Two gateways, one case."""

    @initialize(
        opening=st.sampled_from([Event.APPLICATION, Event.APPLICATION, Event.NOTIFICATION, Event.TRANSIT]),
        category=st.sampled_from(Category),
        procedure=st.sampled_from(Procedure),
        treaty=st.sampled_from(["eu-rs", "eu-ru", "eu-md", "eu-al", "eu-ge"]),
    )
    def begin(self, opening: Event, category: Category, procedure: Procedure, treaty: str) -> None:
        self.now = NOW
        transit = opening is Event.TRANSIT
        facts: dict[str, Any] = {
            "ground": Ground.TRANSIT if transit else GROUND_OF[category],
            "procedure": Procedure.ORDINARY if transit else procedure,
            "planned": NOW + timedelta(days=20) if transit else None,
        }
        self.sides, first = TwoSides.begin(opening, NOW, **facts)
        self.clocks = {role: Clocks(treaty=treaties()[treaty]) for role in Role}
        for role in Role:
            self.clocks[role].happened(self.sides.cases[role], first, NOW)
        self.disputed = False  # silence was refused for proof of a reply in time: a person goes on

    @rule(hours=st.sampled_from([1, 7, 30, 200, 2000]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: not self.disputed)
    @rule(role=SIDES, event=st.sampled_from(ACTS), takes_back=st.booleans())
    def try_anything(self, role: Role, event: Event, *, takes_back: bool) -> None:
        self._send(role, event, takes_back=takes_back)

    @precondition(lambda self: not self.disputed)
    @rule(role=SIDES, data=st.data())
    def do_something_legal(self, role: Role, data: st.DataObject) -> None:
        legal = [event for event in ACTS if may_send(self.sides.cases[role], event)]
        if legal:
            moving = [
                event for event in legal if NEXT[self.sides.cases[role].state, event, role] is not self.sides.cases[role].state
            ]
            self._send(role, data.draw(st.sampled_from(moving * 4 + legal)))

    def _send(self, role: Role, event: Event, *, takes_back: bool = True) -> None:
        case, waiting = self.sides.cases[role], len(self.sides.queues[role.other])
        message = self.sides.message(role, event, takes_back=takes_back)
        if event in DATED and isinstance(message, Step):
            message = self.sides.dated(message, self.now)
        sent = self.sides.send(role, message, self.now)
        if event is not Event.CORRECTION:  # of a notice, while the case went on, it is refused
            assert sent is may_send(case, event), (case.state, event, role)
        if not sent:
            assert self.sides.cases[role] is case
            assert len(self.sides.queues[role.other]) == waiting

    @precondition(lambda self: not self.disputed)
    @rule(early=st.sampled_from([0, 0, 0, 1]), waits=st.booleans())
    def record_silence(self, early: int, *, waits: bool) -> None:
        case, clocks = self.sides.cases[Role.REQUESTING], self.clocks[Role.REQUESTING]
        for limit_id in REPLY_LIMITS:
            if limit_id not in clocks.running or clocks.running[limit_id].state != "open" or case.suspended:
                continue
            found = clocks.deadline(limit_id, case)
            counts = found.lapses_at if found.limit and found.limit.on_lapse is OnLapse.AGREED else None
            self.now = max(self.now, counts) if counts and waits else self.now
            message = self.sides.message(
                Role.REQUESTING, Event.LAPSE, lapse_at=(counts or self.now) - timedelta(microseconds=early)
            )
            assert isinstance(message, Step)
            try:
                check_lapse(message, counts, self.now)
            except TransitionNotAllowed:
                assert early or counts is None or counts > self.now
                continue
            assert not early
            assert self.sides.send(Role.REQUESTING, message, self.now) is may_send(case, Event.LAPSE)

    @precondition(lambda self: not self.disputed)
    @rule(role=SIDES)
    def message_arrives(self, role: Role) -> None:
        self.sides.arrive(role, self.now)

    @precondition(lambda self: not self.disputed)
    @rule(role=SIDES)
    def message_is_processed(self, role: Role) -> None:
        self._process(role)

    def _process(self, role: Role) -> None:
        contradicted, before = self.sides.contradicted(role), self.sides.cases[role]
        try:
            item = self.sides.process(role, self.now)
        except TransitionNotAllowed:
            assert contradicted, self.sides.history
            assert self.sides.cases[role] is before
            self.disputed = True
            return
        assert not contradicted, "silence was taken against proof"
        if item is not None:
            self._count(item)

    def _count(self, item: InFlight) -> None:
        assert item.received_at is not None
        for role in Role:
            self.clocks[role].happened(self.sides.cases[role], item.message, item.received_at)

    @rule()
    def receipt_of_the_reply_comes_back(self) -> None:
        self.sides.learn(self.now)

    @precondition(lambda self: not self.disputed)
    @rule()
    def everything_arrives(self) -> None:
        while not self.disputed and any(self.sides.queues.values()):
            for role in Role:
                if not self.disputed:
                    self._process(role)
        self.sides.learn(self.now)
        if not self.disputed:
            self._agree()

    def _agree(self) -> None:
        asking, asked = (self.sides.cases[role] for role in Role)
        assert asking.state is asked.state, self.sides.history
        assert asking.waits_for is asked.waits_for
        assert asking.suspended == asked.suspended
        assert self.clocks[Role.REQUESTING].dates(asking) == self.clocks[Role.REQUESTED].dates(asked)

    @invariant()
    def every_deadline_has_its_rule(self) -> None:
        for role in Role:
            for limit_id in self.clocks[role].running:
                found = self.clocks[role].deadline(limit_id, self.sides.cases[role])
                assert limit_id in LIMIT_IDS
                assert found.limit in found.treaty.limits
                assert not found.known or (found.limit.confidence in COMPUTABLE and found.limit.article)

    @invariant()
    def silence_counts_after_its_instant_only(self) -> None:
        for case in self.sides.cases.values():
            assert case.deemed_at is None or case.deemed_at <= self.now

    @invariant()
    def silence_does_not_count_against_a_reply_that_was_in_time(self) -> None:
        asking = self.sides.cases[Role.REQUESTING]
        if self.sides.proof is not None and asking.deemed_at is not None:
            assert self.sides.proof >= asking.deemed_at

    def teardown(self) -> None:
        if not hasattr(self, "sides"):
            return
        if not self.disputed:
            self.everything_arrives()
        if self.disputed:  # the requested side's own answer stands on its side
            assert self.sides.cases[Role.REQUESTED].deemed_at is None
            assert any(event in REPLIES for _, role, event in self.sides.history if role is Role.REQUESTED)


TestBothSides = BothSides.TestCase
TestBothSides.settings = settings(
    max_examples=400, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
