"""Decisions about partners and conformance passes, on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.domain.partner_decisions import Decided, Kind, PartnerDecision, Scope
from gateway.store import early, partner_decisions, passes
from gateway.store.database import reading, transaction
from gateway.store.early import EarlyRow
from gateway.store.passes import PassRow
from tests.store_rows import NOW


def decision(kind: Kind, who: str, **more) -> PartnerDecision:
    return PartnerDecision(kind=kind, scope=Scope(who=who), at=NOW, by="B. Specimen", why="order 3/2026", **more)


def test_decisions_come_back_as_they_were_made_oldest_first(engine) -> None:
    made = [decision(Kind.ADMITTED, "pk", detail={"assessment": "DPIA-7"}), decision(Kind.SUSPENDED, "AT-BMI:RS-MUP")]
    with transaction(engine) as tx:
        made = [partner_decisions.add(tx, each) for each in made]
    with reading(engine) as tx:
        assert partner_decisions.every(tx) == made


def test_mark_is_another_after_each_decision(engine) -> None:
    marks = []
    for kind in (Kind.SUSPENDED, Kind.RESUMED, Kind.SUSPENDED):
        with transaction(engine) as tx:
            marks.append(partner_decisions.mark(tx))
            partner_decisions.add(tx, decision(kind, "pk"))
    with reading(engine) as tx:
        marks.append(partner_decisions.mark(tx))
    assert len(set(marks)) == 4


def test_what_is_suspended_anew_after_it_was_resumed_is_suspended(engine) -> None:
    with transaction(engine) as tx:
        for kind in (Kind.SUSPENDED, Kind.RESUMED, Kind.SUSPENDED):
            partner_decisions.add(tx, decision(kind, "pk"))
        partner_decisions.add(tx, decision(Kind.RESUMED, "rs"))
        assert [each.scope.who for each in Decided.of(partner_decisions.every(tx)).suspended] == ["pk"]


def test_passes_come_back_newest_first_and_one_is_kept_once(engine) -> None:
    rows = [
        PassRow(partner=partner, made_at=NOW + timedelta(days=day), ends_at=NOW, sha256=f"{day:064}", body=b"pass")
        for day, partner in ((1, "pk"), (2, "rs"), (3, "pk"))
    ]
    with transaction(engine) as tx:
        for row in rows:
            passes.add(tx, row)
    with reading(engine) as tx:
        assert [row.sha256[-1] for row in passes.of(tx)] == ["3", "2", "1"]
        assert passes.of(tx, "pk") == [rows[2], rows[0]]
    with pytest.raises(IntegrityError), engine.begin() as tx:
        passes.add(tx, rows[0])


def waiting(**changes) -> EarlyRow:
    facts = {
        "home": "AT-BMI",
        "sender": "RS-MUP",
        "reference": "R",
        "sequence": 1,
        "message_id": "m",
        "digest": "0" * 64,
        "body": b"sealed",
        "transport": "memory",
        "received_at": NOW,
    }
    return EarlyRow(**facts | changes)


def test_message_of_a_suspended_exchange_is_not_taken_in_its_turn_until_it_is_freed(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [waiting(suspended_type="InformationRequest"), waiting(message_id="n", sequence=1, reference="S")])
    with transaction(engine) as tx:
        assert [row.message_id for row in early.ready(tx, most=10)] == ["n"]
        (row,) = early.suspended(tx)
        assert (row.home, row.sender, row.type) == ("AT-BMI", "RS-MUP", "InformationRequest")
        assert early.here(tx, home="AT-BMI", sender="RS-MUP", reference="R") == {1}
        early.suspend(tx, row.id, None)
        assert [row.message_id for row in early.ready(tx, most=10)] == ["m", "n"]
        assert early.suspended(tx) == []
