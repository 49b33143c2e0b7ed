"""What the pages read, and accounts, sessions and keys: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from gateway.errors import NotFound, NotPermitted
from gateway.store import accounts, given_up, messages, parked, views, worklist
from gateway.store import tables as t
from gateway.store.accounts import AccountRole
from gateway.store.board import board
from gateway.store.database import Database, reading, transaction
from gateway.store.worklist import Viewer
from tests.web_seed import (
    APPLICATION_DOCUMENT,
    AT_WAITING,
    BA_HELD,
    BA_MADE,
    BA_WAITING,
    NOW,
    PK_AGREED,
    PK_OPEN,
    RS_ERASED,
    RS_OVERDUE,
    RS_SOON,
    Seed,
    add_case,
    add_deadline,
    add_message,
    filled,
)

RS = Viewer(account="rs-officer", role=AccountRole.OFFICER, authority="RS-MUP")
BA = Viewer(account="ba-officer", role=AccountRole.OFFICER, authority="BA-MS")
PK = Viewer(account="pk-liaison", role=AccountRole.LIAISON, authority="PK-MOI")
AUDITOR = Viewer(account="auditor", role=AccountRole.AUDITOR, authority=None)
BA_AUDITOR = Viewer(account="ba-auditor", role=AccountRole.AUDITOR, authority="BA-MS")
OPS = Viewer(account="ops", role=AccountRole.OPERATIONS, authority=None)


@pytest.fixture
def made(engine: Database) -> Iterator[Seed]:
    return filled(Seed(engine=engine))


def ids(made: Seed, viewer: Viewer, show: str = "all", **more: object) -> list[int]:
    with reading(made.engine) as connection:
        found = worklist.worklist_page(connection, viewer, now=NOW, show=show, **more)  # type: ignore[arg-type]
    return [line.id for line in found.lines]


# --- the worklist -----------------------------------------------------------------------------------------------------


def test_worklist_holds_the_cases_of_one_authority(made: Seed) -> None:
    assert set(ids(made, RS)) == {RS_SOON, RS_OVERDUE, RS_ERASED}
    assert set(ids(made, BA)) == {BA_WAITING, BA_HELD, BA_MADE}
    assert set(ids(made, PK)) == {PK_OPEN, PK_AGREED}


def test_auditor_of_the_installation_sees_all_cases(made: Seed) -> None:
    assert len(ids(made, AUDITOR)) == 9


def test_operations_see_no_case(made: Seed) -> None:
    assert ids(made, OPS) == []
    with reading(made.engine) as connection, pytest.raises(NotFound):
        worklist.case_line(connection, OPS, PK_OPEN, now=NOW)


def test_what_is_to_do_and_what_waits_are_told_apart(made: Seed) -> None:
    assert set(ids(made, BA, "todo")) == {BA_HELD, BA_MADE}
    assert ids(made, BA, "waiting") == [BA_WAITING]
    assert ids(made, PK, "todo") == [PK_OPEN]
    assert ids(made, RS, "todo") == [RS_OVERDUE, RS_SOON]


def test_case_whose_message_was_given_up_is_to_do_until_something_else_is_sent(made: Seed) -> None:
    assert BA_WAITING not in ids(made, BA, "todo")
    with transaction(made.engine) as tx:
        case = tx.execute(select(t.cases).where(t.cases.c.id == BA_WAITING)).one()
        row = add_message(
            tx, case, "out", "InformationRequest", "0193aaaa-0000-7000-8000-000000000001", at=NOW, outcome="parked"
        )
        messages.mark_dropped(tx, row)
        given_up.add(tx, given_up.GivenUp(message_row=row, case_id=BA_WAITING, by="A. Specimen", why="sent by fax", at=NOW))
        receipt = add_message(tx, case, "out", "Receipt", "0193aaaa-0000-7000-8000-000000000002", at=NOW, outcome="dropped")
        tx.execute(update(t.messages).where(t.messages.c.id == receipt).values(case_id=None))
        given_up.add(tx, given_up.GivenUp(message_row=receipt, case_id=None, by="A. Specimen", why="sent by fax", at=NOW))
    assert BA_WAITING in ids(made, BA, "todo")
    assert BA_WAITING not in ids(made, BA, "waiting")
    assert ids(made, PK, "todo") == [PK_OPEN]  # a receipt belongs to no case, and hides none
    with transaction(made.engine) as tx:
        add_message(tx, case, "out", "InformationRequest", "0193aaaa-0000-7000-8000-000000000003", at=NOW, outcome="waiting")
    assert BA_WAITING not in ids(made, BA, "todo")


def test_given_up_message_that_arrived_after_all_is_no_task(made: Seed) -> None:
    with transaction(made.engine) as tx:
        case = tx.execute(select(t.cases).where(t.cases.c.id == BA_WAITING)).one()
        row = add_message(
            tx, case, "out", "InformationRequest", "0193aaaa-0000-7000-8000-000000000001", at=NOW, outcome="parked"
        )
        messages.mark_dropped(tx, row)
        given_up.add(tx, given_up.GivenUp(message_row=row, case_id=BA_WAITING, by="A. Specimen", why="sent by fax", at=NOW))
        messages.mark_sent(tx, [row], NOW)
        assert given_up.of_case(tx, BA_WAITING) == {}
    assert BA_WAITING not in ids(made, BA, "todo")


def test_application_without_any_deadline_is_still_to_be_answered(made: Seed) -> None:
    with transaction(made.engine) as tx:
        add_case(tx, 20, "PK-MOI", "AT-BMI", "requested", "requested")
    assert 20 in ids(made, PK, "todo")


def test_unknown_deadline_stands_after_what_is_due_soon_and_before_the_rest(made: Seed) -> None:
    with transaction(made.engine) as tx:
        for number, due in enumerate((None, (NOW + timedelta(days=20)).date(), (NOW + timedelta(days=1)).date()), start=20):
            add_case(tx, number, "PK-MOI", "AT-BMI", "requested", "requested")
            add_deadline(tx, number, due)
    assert ids(made, PK)[:3] == [22, 20, PK_OPEN]
    assert ids(made, PK)[3:] == [21, PK_AGREED]


def test_line_shows_the_deadline_that_presses_most(made: Seed) -> None:
    with transaction(made.engine) as tx:
        add_deadline(tx, RS_SOON, (NOW + timedelta(days=30)).date(), limit_id="transfer")
        add_deadline(tx, RS_SOON, None, limit_id="interview")
    with reading(made.engine) as connection:
        line = worklist.case_line(connection, RS, RS_SOON, now=NOW)
    assert line.due is not None
    assert line.due.limit_id == "reply"


def test_settled_deadline_is_not_shown_as_due(made: Seed) -> None:
    with reading(made.engine) as connection:
        assert worklist.case_line(connection, PK, PK_AGREED, now=NOW).due is None


def test_long_worklist_comes_in_pages_that_hold_each_case_once(made: Seed) -> None:
    with transaction(made.engine) as tx:
        for number in range(100, 100 + 2 * worklist.PAGE_ROWS):
            add_case(tx, number, "PK-MOI", "AT-BMI", "requested", "requested")
    seen = [case for page in (1, 2, 3) for case in ids(made, PK, page=page)]
    assert len(seen) == len(set(seen)) == 2 * worklist.PAGE_ROWS + 2
    assert ids(made, PK, page=99) == ids(made, PK, page=3)


def test_ended_hold_is_not_shown(made: Seed) -> None:
    with transaction(made.engine) as tx:
        tx.execute(update(t.holds).where(t.holds.c.case_id == BA_HELD).values(ended_at=NOW, ended_by="ba-second"))
    with reading(made.engine) as connection:
        assert worklist.case_line(connection, BA, BA_HELD, now=NOW).hold_reason is None
        assert worklist.case_line(connection, BA, BA_MADE, now=NOW).hold_reason == "statement-not-released"


# --- one case ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case_id", [BA_WAITING, 4711])
def test_case_of_another_authority_is_not_found(made: Seed, case_id: int) -> None:
    with reading(made.engine) as connection, pytest.raises(NotFound):
        views.case_view(connection, PK, case_id, now=NOW)


def test_statement_of_another_authority_does_not_exist(made: Seed) -> None:
    with reading(made.engine) as connection:
        assert views.statement_line(connection, PK, BA_MADE) is None
        found = views.statement_line(connection, BA, BA_MADE)
    assert found is not None
    assert (found.made_by, found.released_by) == ("ba-officer", None)


def test_case_comes_with_its_messages_and_their_documents(made: Seed) -> None:
    with reading(made.engine) as connection:
        (message,) = views.case_view(connection, PK, PK_OPEN, now=NOW).messages
    assert (message.type, message.direction) == ("ReadmissionApplication", "in")
    assert [document.kind for document in message.documents] == ["translated", "signed"]


def test_receipt_hangs_on_the_message_it_proves(made: Seed) -> None:
    from gateway.web.runtime import Signatory

    made.answer(case_id=PK_OPEN, outcome="agreed", reasons=[], remarks=None, signatory=Signatory(name="N"), viewer=PK)
    with reading(made.engine) as connection:
        reply = views.case_view(connection, PK, PK_OPEN, now=NOW).messages[0]
    assert reply.type == "ReadmissionReply"
    assert [document.kind for document in reply.receipt_documents] == ["receipt"]


def test_timeline_is_newest_first_and_hides_reads_from_all_but_auditors(made: Seed) -> None:
    made.now += timedelta(minutes=5)
    made.journal(event="case.read", actor="ba-officer", authority="BA-MS", case_id=BA_WAITING)
    made.journal(event="deadline.changed", actor="gateway", case_id=BA_WAITING)
    with reading(made.engine) as connection:
        officer = [event.event for event in views.case_view(connection, BA, BA_WAITING, now=NOW).timeline]
        auditor = [event.event for event in views.case_view(connection, BA_AUDITOR, BA_WAITING, now=NOW).timeline]
    assert officer == ["deadline.changed", "message.sent"]
    assert auditor == ["deadline.changed", "case.read", "message.sent"]


def test_entry_of_another_authority_never_stands_in_a_timeline(made: Seed) -> None:
    made.journal(event="message.sent", actor="pk-liaison", authority="PK-MOI", case_id=BA_WAITING)
    with reading(made.engine) as connection:
        timeline = views.case_view(connection, BA, BA_WAITING, now=NOW).timeline
    assert {event.authority for event in timeline} == {"BA-MS"}


def test_erased_case_is_known_as_erased(made: Seed) -> None:
    with reading(made.engine) as connection:
        assert views.case_view(connection, RS, RS_ERASED, now=NOW).erased
        assert not views.case_view(connection, RS, RS_SOON, now=NOW).erased


def test_document_is_found_by_its_own_authority_only(made: Seed) -> None:
    with reading(made.engine) as connection:
        head = views.document_head(connection, PK, APPLICATION_DOCUMENT)
        assert (head.kind, head.authority, head.case_id) == ("translated", "PK-MOI", PK_OPEN)
        for stranger in (BA, RS, OPS, BA_AUDITOR):
            with pytest.raises(NotFound):
                views.document_head(connection, stranger, APPLICATION_DOCUMENT)


# --- the flow board ---------------------------------------------------------------------------------------------------


def test_board_counts_what_waits_moves_and_is_parked(made: Seed) -> None:
    with reading(made.engine) as connection:
        flows = {(flow.home, flow.counterparty, flow.direction): flow for flow in board(connection, OPS, now=NOW).flows}
    out = flows["AT-BMI", "RS-MUP", "out"]
    assert (out.waiting, out.parked, out.delivered) == (2, 1, 1)
    assert out.oldest == NOW - timedelta(hours=2)
    assert out.last_success == NOW - timedelta(hours=3)
    queued = flows["BA-MS", "PK-MOI", "in"]
    assert (queued.waiting, queued.delivered, queued.last_success) == (1, 0, None)


def test_board_counts_what_came_and_was_set_aside(made: Seed) -> None:
    parcel = parked.ParkedParcel(
        home="BA-MS",
        sender="",
        verified=False,
        message_id=None,
        type=None,
        reference=None,
        sequence=None,
        digest="0" * 64,
        body=b"sealed",
        transport="memory",
        received_at=NOW,
        parked_at=NOW,
        attempts=1,
        code="internal-error",
        rule="ValueError",
    )
    with transaction(made.engine) as tx:
        parked.keep(tx, parcel)
        parked.keep(tx, replace(parcel, sender="PK-MOI", digest="1" * 64))
    with reading(made.engine) as connection:
        found = board(connection, OPS, now=NOW)
    flows = {(flow.home, flow.counterparty, flow.direction): flow for flow in found.flows}
    assert flows["BA-MS", "PK-MOI", "in"].parked == flows["BA-MS", "unknown", "in"].parked == 1
    assert sum(failure.count for failure in found.failures if failure.code == "internal-error") == 2


def test_delivered_counts_one_day_and_last_success_remembers(made: Seed) -> None:
    later = NOW + timedelta(days=2)
    with reading(made.engine) as connection:
        flows = {(flow.home, flow.direction): flow for flow in board(connection, OPS, now=later).flows}
    assert flows["AT-BMI", "out"].delivered == 0
    assert flows["AT-BMI", "out"].last_success == NOW - timedelta(hours=3)


def test_many_failures_of_one_cause_are_one_line_and_the_biggest_comes_first(made: Seed) -> None:
    with reading(made.engine) as connection:
        failures = board(connection, OPS, now=NOW).failures
    assert [(failure.code, failure.count, failure.direction) for failure in failures] == [
        ("schema-violation", 4, "in"),
        ("broker-unavailable", 3, "out"),
    ]
    assert failures[0].first_at == NOW - timedelta(hours=3)
    assert failures[0].last_at == NOW


def test_refusals_of_long_ago_are_not_shown(made: Seed) -> None:
    with reading(made.engine) as connection:
        codes = {failure.code for failure in board(connection, OPS, now=NOW + timedelta(days=8)).failures}
    assert codes == {"broker-unavailable"}  # that still lies there


def test_board_of_one_authority_shows_its_ways_only(made: Seed) -> None:
    with reading(made.engine) as connection:
        found = board(connection, BA_AUDITOR, now=NOW)
    assert {flow.home for flow in found.flows} == {"BA-MS"}
    assert found.failures == ()
    assert found.unfetched == ()


def test_board_is_empty_for_those_who_do_not_run_the_gateway(made: Seed) -> None:
    with reading(made.engine) as connection:
        for viewer in (BA, PK):
            found = board(connection, viewer, now=NOW)
            assert (found.flows, found.failures, found.unfetched) == ((), (), ())


def test_what_an_authority_has_not_fetched_is_counted(made: Seed) -> None:
    with reading(made.engine) as connection:
        (waiting,) = board(connection, OPS, now=NOW).unfetched
    assert (waiting.authority, waiting.count, waiting.oldest) == ("PK-MOI", 1, NOW)


# --- accounts, sessions, keys -----------------------------------------------------------------------------------------


def test_name_of_an_account_is_given_once(made: Seed) -> None:
    with transaction(made.engine) as tx:
        with pytest.raises(NotPermitted):
            accounts.add_account(tx, name="ops", role="auditor", authority=None, password="x", at=NOW)
        accounts.add_account(tx, name="ops-2", role="operations", authority=None, password="x", at=NOW)
    with reading(made.engine) as connection:
        assert "ops-2" in {account.name for account in accounts.all_of(connection)}


@pytest.mark.parametrize("role", ["officer", "liaison"])
def test_officer_belongs_to_an_authority(made: Seed, role: str) -> None:
    with transaction(made.engine) as tx, pytest.raises(NotPermitted):
        accounts.add_account(tx, name="new", role=role, authority=None, password="x", at=NOW)


def test_unknown_account_cannot_be_disabled(made: Seed) -> None:
    with transaction(made.engine) as tx, pytest.raises(NotFound):
        accounts.disable(tx, "nobody", NOW)


def test_session_ends_by_disuse_by_age_and_by_hand(made: Seed) -> None:
    with transaction(made.engine) as tx:
        account = accounts.find(tx, "ops")
        assert account is not None
        token, form_token = accounts.open_session(tx, account, now=NOW)
        found = accounts.session(tx, token, now=NOW + timedelta(minutes=29))
        assert found is not None
        assert (found.account.name, found.form_token) == ("ops", form_token)
        assert accounts.session(tx, token, now=NOW + accounts.IDLE) is None
        accounts.touch(tx, token, now=NOW + accounts.ABSOLUTE - timedelta(minutes=1))
        assert accounts.session(tx, token, now=NOW + accounts.ABSOLUTE - timedelta(seconds=1)) is not None
        assert accounts.session(tx, token, now=NOW + accounts.ABSOLUTE) is None
        accounts.close_session(tx, token)
        assert accounts.session(tx, token, now=NOW) is None
        assert accounts.session(tx, "guess", now=NOW) is None


def test_sessions_that_have_run_out_are_cleared_when_another_opens(made: Seed) -> None:
    with transaction(made.engine) as tx:
        account = accounts.find(tx, "ops")
        assert account is not None
        for hours in (0, 1, 20):
            accounts.open_session(tx, account, now=NOW + timedelta(hours=hours))
        assert len(tx.execute(select(t.sessions)).all()) == 1


def test_key_opens_with_its_secret_only_and_until_its_end(made: Seed) -> None:
    ends_at = NOW + timedelta(days=90)
    with transaction(made.engine) as tx:
        key = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit", "inbox"], at=NOW, ends_at=ends_at)
        (found,) = accounts.find_api_keys(tx, [key], now=NOW)
        assert found is not None
        assert (found.authority, found.scopes) == ("BA-MS", {"submit", "inbox"})
        for wrong in (f"{found.prefix}.guess", "nothing.at-all", found.prefix, "", key + "x"):
            assert accounts.find_api_keys(tx, [wrong], now=NOW) == [None]
        assert accounts.find_api_keys(tx, [key], now=ends_at) == [None]
        assert key.partition(".")[2] not in str(tx.execute(select(t.api_keys)).all())


def test_use_of_a_key_is_noted_once_a_minute(made: Seed) -> None:
    with transaction(made.engine) as tx:
        key = accounts.add_api_key(tx, authority="BA-MS", scopes=["inbox"], at=NOW, ends_at=NOW + timedelta(days=1))
        prefix = key.partition(".")[0]
        used = []
        for seconds in (0, 30, 60):
            accounts.api_key_used(tx, prefix, now=NOW + timedelta(seconds=seconds))
            used.append(tx.execute(select(t.api_keys.c.used_at)).scalar_one())
    assert used == [NOW, NOW, NOW + timedelta(minutes=1)]


def test_refused_sign_ins_are_counted_per_account_and_time(made: Seed) -> None:
    for name in ("ops", "ops", "auditor"):
        made.journal(event=accounts.SIGN_IN_REFUSED, actor=name)
    with reading(made.engine) as connection:
        assert accounts.refused_attempts(connection, "ops", since=NOW - timedelta(minutes=15)) == 2
        assert accounts.refused_attempts(connection, "ops", since=NOW + timedelta(seconds=1)) == 0
        assert accounts.refused_attempts(connection, "nobody", since=NOW - timedelta(days=1)) == 0


def test_waiting_side_is_not_asked_to_do_anything(made: Seed) -> None:
    at = Viewer(account="at-officer", role=AccountRole.OFFICER, authority="AT-BMI")
    assert ids(made, at, "todo") == []
    assert ids(made, at, "waiting") == [AT_WAITING]
