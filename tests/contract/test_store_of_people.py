"""Statements, holds, accounts, sessions, API keys and repeated requests: the same promises on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.errors import NotFound, NotPermitted, StoreConflict
from gateway.store import accounts, idempotency, journal, statements
from gateway.store.accounts import ABSOLUTE, IDLE, SIGN_IN_REFUSED, AccountRole
from gateway.store.database import reading, transaction
from gateway.store.statements import HoldRow, StatementRow
from gateway.store.tables import accounts as account_table
from gateway.store.tables import api_keys, sessions
from tests.store_rows import NOW, add_case

LATER = NOW + timedelta(hours=1)
MINUTE = timedelta(minutes=1)
WAIT = 30  # seconds


def statement_row(case_id: int, **changes) -> StatementRow:
    made = StatementRow(
        case_id=case_id, body=b"\x00answers", complete=True, made_by="one", made_at=NOW, released_by=None, released_at=None
    )
    return replace(made, **changes)


def hold_row(case_id: int, **changes) -> HoldRow:
    made = HoldRow(
        case_id=case_id,
        reason="statement-missing",
        body=b"\x00canonical",
        original=b"\x00original",
        report=b"\x00report",
        dialect="ba/ms-xml",
        actor="one",
        created_at=NOW,
    )
    return replace(made, **changes)


# --- statements and holds ---------------------------------------------------------------------------------------------


def test_case_without_a_statement_has_none(engine) -> None:
    with reading(engine) as tx:
        assert statements.statement(tx, add_case(engine)) is None


def test_statement_comes_back_as_it_was_written(engine) -> None:
    row = statement_row(add_case(engine), released_by="two", released_at=LATER)
    with transaction(engine) as tx:
        statements.put_statement(tx, row)
    with reading(engine) as tx:
        assert statements.statement(tx, row.case_id) == row


def test_statement_made_again_takes_its_release_back(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        statements.put_statement(tx, statement_row(case_id, released_by="two", released_at=LATER))
        statements.put_statement(tx, statement_row(case_id, body=b"other", made_by="three"))
    with reading(engine) as tx:
        assert statements.statement(tx, case_id) == statement_row(case_id, body=b"other", made_by="three")


def test_open_hold_is_found_until_it_ends(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        statements.hold(tx, hold_row(case_id))
        found = statements.open_hold(tx, case_id)
        assert found == hold_row(case_id, id=found.id)
        assert statements.end_hold(tx, found.id, by="two", at=LATER)
        assert statements.open_hold(tx, case_id) is None


def test_hold_ends_once(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        statements.hold(tx, hold_row(case_id))
        hold_id = statements.open_hold(tx, case_id).id
        assert statements.end_hold(tx, hold_id, by="two", at=LATER)
        assert not statements.end_hold(tx, hold_id, by="three", at=LATER)


def test_hold_may_go_on_for_another_reason(engine) -> None:
    held, other = add_case(engine), add_case(engine, reference="B" * 26)
    with transaction(engine) as tx:
        statements.hold(tx, hold_row(held))
        statements.hold(tx, hold_row(other))
        statements.change_reason(tx, statements.open_hold(tx, held).id, "statement-not-released")
        assert statements.open_hold(tx, held).reason == "statement-not-released"
        assert statements.open_hold(tx, other).reason == "statement-missing"


# --- accounts ---------------------------------------------------------------------------------------------------------


def add_account(engine, name: str = "officer.one", role: str = "officer", authority: str | None = "BA-MS"):
    with transaction(engine) as tx:
        accounts.add_account(tx, name=name, role=role, authority=authority, password="salted$hash", at=NOW)
        return accounts.find(tx, name)


def test_account_is_found_by_its_name_only(engine) -> None:
    account = add_account(engine)
    assert (account.role, account.authority, account.language) == (AccountRole.OFFICER, "BA-MS", "en")
    with reading(engine) as tx:
        assert accounts.find(tx, "officer.two") is None


def test_name_of_an_account_is_given_once_and_the_transaction_goes_on(engine) -> None:
    add_account(engine)
    with transaction(engine) as tx:
        with pytest.raises(NotPermitted):
            accounts.add_account(tx, name="officer.one", role="officer", authority="BA-MS", password="x", at=NOW)
        accounts.add_account(tx, name="auditor", role="auditor", authority=None, password="x", at=NOW)
    with reading(engine) as tx:
        assert [account.name for account in accounts.all_of(tx)] == ["auditor", "officer.one"]


@pytest.mark.parametrize("role", ["officer", "liaison"])
def test_officer_without_an_authority_is_refused(engine, role) -> None:
    with pytest.raises(NotPermitted):
        add_account(engine, role=role, authority=None)


def test_disabled_account_loses_its_sessions(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, _ = accounts.open_session(tx, account, now=NOW)
        accounts.disable(tx, "officer.one", NOW)
        assert accounts.session(tx, token, now=NOW) is None
        assert accounts.find(tx, "officer.one").disabled_at == NOW
        with pytest.raises(NotFound):
            accounts.disable(tx, "nobody", NOW)


def test_session_lasts_while_it_is_used(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, form_token = accounts.open_session(tx, account, now=NOW)
        accounts.touch(tx, token, now=NOW + IDLE - MINUTE)
        found = accounts.session(tx, token, now=NOW + IDLE + MINUTE)
    assert (found.account, found.form_token) == (account, form_token)


def test_session_that_is_not_used_runs_out(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, _ = accounts.open_session(tx, account, now=NOW)
        assert accounts.session(tx, token, now=NOW + IDLE - MINUTE) is not None
        assert accounts.session(tx, token, now=NOW + IDLE) is None


def test_session_ends_after_a_working_day_however_much_it_is_used(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, _ = accounts.open_session(tx, account, now=NOW)
        accounts.touch(tx, token, now=NOW + ABSOLUTE - MINUTE)
        assert accounts.session(tx, token, now=NOW + ABSOLUTE - MINUTE) is not None
        assert accounts.session(tx, token, now=NOW + ABSOLUTE) is None


def test_signing_in_ends_the_session_the_browser_came_with(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        planted, _ = accounts.open_session(tx, account, now=NOW)
        own, _ = accounts.open_session(tx, account, now=NOW, replaces=planted)
        assert accounts.session(tx, planted, now=NOW) is None
        assert accounts.session(tx, own, now=NOW) is not None


def test_signed_out_session_is_gone_and_an_unknown_one_is_harmless(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, _ = accounts.open_session(tx, account, now=NOW)
        accounts.close_session(tx, token)
        accounts.close_session(tx, "unknown")
        assert accounts.session(tx, token, now=NOW) is None


def test_refused_sign_ins_are_counted_for_one_name_since_an_instant(engine) -> None:
    with transaction(engine) as tx:
        for name, at in (("one", NOW - MINUTE), ("one", NOW), ("one", LATER), ("two", NOW)):
            journal.append(tx, [journal.Entry(at=at, event=SIGN_IN_REFUSED, actor=name)])
        journal.append(tx, [journal.Entry(at=NOW, event="sign-in.done", actor="one")])
    with reading(engine) as tx:
        assert accounts.refused_attempts(tx, "one", since=NOW) == 2


def test_api_key_opens_what_it_was_made_for(engine) -> None:
    with transaction(engine) as tx:
        key = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit", "inbox"], at=NOW, ends_at=LATER)
        (found,) = accounts.find_api_keys(tx, [key], now=NOW)
    assert (found.authority, found.scopes, found.ends_at) == ("BA-MS", frozenset({"submit", "inbox"}), LATER)


@pytest.mark.parametrize("spoil", [lambda key: key + "x", lambda key: key.partition(".")[0], lambda _: "", lambda _: "a.b"])
def test_wrong_api_key_opens_nothing(engine, spoil) -> None:
    with transaction(engine) as tx:
        key = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit"], at=NOW, ends_at=LATER)
        assert accounts.find_api_keys(tx, [spoil(key)], now=NOW) == [None]


def test_api_key_ends_at_its_instant(engine) -> None:
    with transaction(engine) as tx:
        key = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit"], at=NOW, ends_at=LATER)
        assert accounts.find_api_keys(tx, [key], now=LATER) == [None]


def test_last_use_of_an_api_key_is_noted_at_most_once_a_minute(engine) -> None:
    with transaction(engine) as tx:
        prefix = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit"], at=NOW, ends_at=LATER).partition(".")[0]
        noted = []
        for seconds in (0, 59, 60):
            accounts.api_key_used(tx, prefix, now=NOW + timedelta(seconds=seconds))
            noted.append(tx.execute(select(api_keys.c.used_at)).scalar_one())
    assert noted == [NOW, NOW, NOW + MINUTE]


def test_no_secret_is_stored(engine) -> None:
    account = add_account(engine)
    with transaction(engine) as tx:
        token, _ = accounts.open_session(tx, account, now=NOW)
        secret = accounts.add_api_key(tx, authority="BA-MS", scopes=["submit"], at=NOW, ends_at=LATER).partition(".")[2]
        stored = repr([tx.execute(select(table)).all() for table in (account_table, sessions, api_keys)])
    assert "salted$hash" in stored
    assert token not in stored
    assert secret not in stored


# --- repeated requests ------------------------------------------------------------------------------------------------


def test_first_request_with_a_key_may_go_on(engine) -> None:
    with transaction(engine) as tx:
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW) is None


def test_repeat_gets_the_recorded_answer_and_the_transaction_goes_on(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.record(tx, "BA-MS", "key-1", claimed_at=NOW, status=202, answer={"outcome": "sent"})
    with transaction(engine) as tx:
        found = idempotency.claim(tx, "BA-MS", "key-1", "b" * 64, LATER)
        assert idempotency.claim(tx, "BA-MS", "key-2", "b" * 64, LATER) is None
    assert found == idempotency.Recorded(request_hash="a" * 64, status=202, answer={"outcome": "sent"})


def test_repeat_during_the_work_learns_that_it_is_in_progress(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
    with transaction(engine) as tx:
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW).status == idempotency.IN_PROGRESS


def test_claim_left_over_by_a_process_that_died_is_taken_over(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        assert idempotency.claim(tx, "BA-MS", "key-1", "b" * 64, NOW + idempotency.LEFT_OVER) is not None
        later = NOW + idempotency.LEFT_OVER + timedelta(seconds=1)
        assert idempotency.claim(tx, "BA-MS", "key-1", "b" * 64, later) is None
        assert idempotency.claim(tx, "BA-MS", "key-1", "c" * 64, later).request_hash == "b" * 64


def test_recorded_answer_is_never_taken_over(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.record(tx, "BA-MS", "key-1", claimed_at=NOW, status=202, answer={})
        assert idempotency.claim(tx, "BA-MS", "key-1", "b" * 64, NOW + timedelta(days=30)).status == 202


def test_claim_left_over_by_a_clock_that_was_ahead_is_taken_over(engine) -> None:
    later = NOW + 2 * idempotency.LEFT_OVER
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, later)
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, later - idempotency.LEFT_OVER) is not None
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW) is None


def test_claim_that_was_taken_over_records_no_answer(engine) -> None:
    later = NOW + idempotency.LEFT_OVER + timedelta(seconds=1)
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, later)
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        idempotency.record(tx, "BA-MS", "key-1", claimed_at=NOW, status=201, answer={})


def test_recorded_answer_is_not_given_up(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.record(tx, "BA-MS", "key-1", claimed_at=NOW, status=201, answer={})
        idempotency.give_up(tx, "BA-MS", "key-1", claimed_at=NOW)
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, LATER).status == 201


def test_claim_that_was_taken_over_is_not_given_up(engine) -> None:
    later = NOW + idempotency.LEFT_OVER + timedelta(seconds=1)
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, later)
        idempotency.give_up(tx, "BA-MS", "key-1", claimed_at=NOW)
        assert idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, later).status == idempotency.IN_PROGRESS


def test_key_of_another_authority_is_another_key(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        assert idempotency.claim(tx, "AT-BMI", "key-1", "a" * 64, NOW) is None


def test_key_that_was_given_up_can_be_used_again(engine) -> None:
    with transaction(engine) as tx:
        idempotency.claim(tx, "BA-MS", "key-1", "a" * 64, NOW)
        idempotency.give_up(tx, "BA-MS", "key-1", claimed_at=NOW)
        assert idempotency.claim(tx, "BA-MS", "key-1", "b" * 64, NOW) is None


def test_one_of_two_requests_at_once_gets_the_key(engine) -> None:
    barrier = threading.Barrier(2, timeout=WAIT)

    def request(number: int) -> bool:
        barrier.wait()
        with transaction(engine) as tx:
            return idempotency.claim(tx, "BA-MS", "key-1", f"{number:064d}", NOW) is None

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(request, range(2), timeout=WAIT)) == [False, True]
