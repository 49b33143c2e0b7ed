"""Cases of one authority that may concern one person: found by keyed hashes, decided by people, forgotten with the case."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from gateway.errors import BadValue, DatabaseUnavailable, Erased, NotFound
from gateway.flow import resemblances as flow
from gateway.flow.erasure import erase_case
from gateway.flow.resemblances import Hint, Verdict, decide, hints, make_searchable
from gateway.store import messages, resemblances, tables
from gateway.store.database import Tx, open_engine, reading, transaction
from gateway.store.messages import DocumentRow
from gateway.store.resemblance_tables import resemblance_decisions, search_terms, searchable
from gateway.transport.memory import MemoryHub
from gateway.trust.devca import make_development_keys
from gateway.trust.vault import Vault
from tests.forging import journalled
from tests.gateways import AUTHORITIES, Gateway, exchange, make_gateway
from tests.look_alikes import application, opened, unlike

pytestmark = pytest.mark.anyio

BA, PK = {"homes": ("BA-MS",)}, {"homes": ("PK-MOI",)}
WHY = "documents-compared"


@pytest.fixture
async def gateway(database_url: str, keys: Path, clock):
    """One gateway that is home to all four authorities, on SQLite and on PostgreSQL."""
    made = await make_gateway(database_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)).open()
    yield made
    made.rt.engine.dispose()


def shown(found: list[Hint]) -> list[tuple[int, int]]:
    return [(hint.case.id or 0, hint.found.score) for hint in found]


async def test_second_application_about_one_person_is_hinted_from_both_cases(gateway: Gateway) -> None:
    first, second, stranger = opened(gateway, 1), opened(gateway, 2), unlike(gateway, 3)
    assert make_searchable(gateway.rt) == 3
    assert make_searchable(gateway.rt) == 0
    assert shown(hints(first, gateway.rt, **BA)) == [(second, 100)]
    assert shown(hints(second, gateway.rt, **BA)) == [(first, 100)]
    assert hints(stranger, gateway.rt, **BA) == []
    (hint,) = hints(first, gateway.rt, **BA)
    assert {"name-same", "identifier-same", "birth-agrees-in-part"} <= {reason.code for reason in hint.found.reasons}


async def test_person_is_found_by_another_spelling_with_other_papers(gateway: Gateway) -> None:
    changes = {"AsShown": "KHAN AHMAD NAMUNA", "Script": "Latn", "Latin": "KHAN AHMAD NAMUNA"}
    body = application(2, **changes).replace(b"3420112345671", b"3420199999991").replace(b"XX0000000", b"YY7777777")
    first, second = opened(gateway, 1), gateway.hand_in(body, authority="BA-MS").case_id  # type: ignore[union-attr]
    make_searchable(gateway.rt)
    (hint,) = hints(first, gateway.rt, **BA, least=0)
    assert hint.case.id == second
    assert {"name-same", "identifier-differs"} <= {reason.code for reason in hint.found.reasons}


async def test_other_authority_of_the_same_gateway_is_never_hinted(gateway: Gateway) -> None:
    held = opened(gateway, 1)
    gateway.release(held)
    await exchange(gateway)
    make_searchable(gateway.rt)
    with reading(gateway.rt.engine) as tx:
        theirs = tx.execute(select(tables.cases.c.id).where(tables.cases.c.home == "PK-MOI")).scalar_one()
        of_each = [
            set(tx.execute(select(search_terms.c.term).where(search_terms.c.case_id == one)).scalars())
            for one in (held, theirs)
        ]
    assert hints(held, gateway.rt, **BA, least=0) == []
    assert hints(theirs, gateway.rt, **PK, least=0) == []
    assert of_each[0]
    assert len(of_each[0]) == len(of_each[1])
    assert of_each[0].isdisjoint(of_each[1])
    with pytest.raises(NotFound):
        hints(held, gateway.rt, **PK)
    with pytest.raises(NotFound):
        decide(held, theirs, Verdict.SAME, why=WHY, by="officer", homes=AUTHORITIES, rt=gateway.rt)


async def test_messages_write_no_row_of_the_search(gateway: Gateway) -> None:
    opened(gateway, 1)
    with reading(gateway.rt.engine) as tx:
        assert tx.execute(select(searchable)).all() == []
        assert tx.execute(select(search_terms)).all() == []


async def test_terms_cannot_be_made_without_the_master_key(gateway: Gateway, tmp_path: Path) -> None:
    case_id = opened(gateway, 1)
    make_searchable(gateway.rt)
    make_development_keys(tmp_path / "keys", ("BA-MS",), gateway.rt.clock())
    foreign = Vault.load(tmp_path / "keys").search_term("BA-MS", "number", "XX0000000")
    own = gateway.rt.vault.search_term("BA-MS", "number", "XX0000000")
    with reading(gateway.rt.engine) as tx:
        kept = set(tx.execute(select(search_terms.c.term).where(search_terms.c.case_id == case_id)).scalars())
    assert own in kept
    assert foreign not in kept


async def test_decision_is_kept_with_who_made_it_until_another_is_made(gateway: Gateway) -> None:
    first, second = opened(gateway, 1), opened(gateway, 2)
    make_searchable(gateway.rt)
    decide(second, first, Verdict.SAME, why=WHY, by="officer.one", **BA, rt=gateway.rt)
    decide(first, second, Verdict.DIFFERENT, why="family-members", by="officer.two", **BA, rt=gateway.rt)
    for one, other in ((first, second), (second, first)):
        (hint,) = hints(one, gateway.rt, **BA)
        assert hint.case.id == other
        assert hint.decision is not None
        assert (hint.decision.verdict, hint.decision.why, hint.decision.decided_by) == (
            "different",
            "family-members",
            "officer.two",
        )
    entries = [row for row in journalled(gateway.rt.engine) if row["event"] == "resemblance.decided"]
    assert [(row["case_id"], row["actor"]) for row in entries] == [
        (first, "officer.one"),
        (second, "officer.one"),
        (first, "officer.two"),
        (second, "officer.two"),
    ]
    assert "KHAN" not in str(entries)


async def test_decided_pair_is_shown_although_its_score_is_low(gateway: Gateway) -> None:
    first, stranger = opened(gateway, 1), unlike(gateway, 3)
    decide(first, stranger, Verdict.SAME, why="fingerprints-compared", by="officer", **BA, rt=gateway.rt)
    (hint,) = hints(first, gateway.rt, **BA)
    assert hint.case.id == stranger
    assert hint.found.score < 50


async def test_decision_needs_two_cases_with_one_of_the_reasons(gateway: Gateway) -> None:
    first, second = opened(gateway, 1), opened(gateway, 2)
    with pytest.raises(BadValue):
        decide(first, first, Verdict.SAME, why=WHY, by="officer", **BA, rt=gateway.rt)
    with pytest.raises(BadValue):
        decide(first, second, Verdict.SAME, why="they look alike", by="officer", **BA, rt=gateway.rt)
    with reading(gateway.rt.engine) as tx:
        assert resemblances.decided(tx, first) == {}


async def test_erased_case_is_found_no_more_nor_is_what_was_decided_about_it(gateway: Gateway) -> None:
    first, second = opened(gateway, 1), opened(gateway, 2)
    make_searchable(gateway.rt)
    decide(first, second, Verdict.SAME, why=WHY, by="officer", **BA, rt=gateway.rt)
    done = erase_case(first, by="officer", why="unlawful", rt=gateway.rt, although_open=True)
    assert done.record.destroyed["resemblance_decisions"] == 1
    assert done.record.destroyed["search_terms"] > 10
    with reading(gateway.rt.engine) as tx:
        assert tx.execute(select(search_terms).where(search_terms.c.case_id == first)).all() == []
        assert tx.execute(select(resemblance_decisions)).all() == []
    assert make_searchable(gateway.rt) == 0
    assert hints(second, gateway.rt, **BA) == []
    with pytest.raises(Erased):
        hints(first, gateway.rt, **BA)


async def test_case_erased_while_it_is_looked_at_stays_forgotten(gateway: Gateway, monkeypatch) -> None:
    case_id = opened(gateway, 1)
    before = flow._terms

    def erasing(tx, case, rt):
        found = before(tx, case, rt)
        other = open_engine(str(rt.settings.database))
        with transaction(other) as meanwhile:
            meanwhile.execute(update(tables.cases).where(tables.cases.c.id == case_id).values(wrapped_key=None))
        other.dispose()
        return found

    monkeypatch.setattr(flow, "_terms", erasing)
    assert make_searchable(gateway.rt) == 0
    with reading(gateway.rt.engine) as tx:
        assert tx.execute(select(search_terms)).all() == []


async def test_case_whose_application_cannot_be_read_stops_nobody(gateway: Gateway) -> None:
    damaged, second = opened(gateway, 1), opened(gateway, 2)
    with transaction(gateway.rt.engine) as tx:
        tx.execute(update(tables.holds).where(tables.holds.c.case_id == damaged).values(body=b"\x01" + bytes(40)))
    assert make_searchable(gateway.rt) == 2
    assert hints(second, gateway.rt, **BA, least=0) == []


async def test_defect_over_one_application_ends_neither_the_loop_nor_the_others(gateway: Gateway, monkeypatch) -> None:
    opened(gateway, 1)
    opened(gateway, 2)
    describe, calls = flow.describe, iter((True, False))

    def sometimes(document):
        if next(calls):
            raise RuntimeError("KHAN")
        return describe(document)

    monkeypatch.setattr(flow, "describe", sometimes)
    with capture_logs() as logs:
        assert make_searchable(gateway.rt) == 2
    assert [(line["event"], line["code"], line["error_type"]) for line in logs] == [
        ("search.skipped", "internal-error", "RuntimeError")
    ]
    assert "KHAN" not in str(logs)


async def test_database_lost_meanwhile_is_no_defect_of_an_application(gateway: Gateway, monkeypatch) -> None:
    """Else every case of the portion would count as unreadable, and would never be found."""
    first, second = opened(gateway, 1), opened(gateway, 2)

    def lost(*_: object) -> None:
        raise OperationalError("select", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patched:
        patched.setattr(flow, "application_of", lost)
        with pytest.raises(DatabaseUnavailable):
            make_searchable(gateway.rt)
    assert make_searchable(gateway.rt) == 2
    assert shown(hints(first, gateway.rt, **BA)) == [(second, 100)]


async def test_sent_applications_are_read_together_and_one_that_is_damaged_is_left_out(gateway: Gateway, monkeypatch) -> None:
    first, damaged, second, third = (opened(gateway, number) for number in (1, 2, 3, 4))
    for one in (first, damaged, second, third):
        gateway.release(one)
    make_searchable(gateway.rt)
    asked: list[int] = []
    ask = messages.documents_of_kind

    def noted(tx: Tx, rows: Sequence[int], kind: str) -> dict[int, DocumentRow]:
        asked.append(len(rows))
        return ask(tx, rows, kind)

    monkeypatch.setattr(messages, "documents_of_kind", noted)
    assert {case_id for case_id, _ in shown(hints(first, gateway.rt, **BA))} == {damaged, second, third}
    assert asked == [1, 3], "its own, then those of all others by one statement"
    with transaction(gateway.rt.engine) as tx:
        signed = select(tables.documents.c.id).join(tables.messages).where(tables.messages.c.case_id == damaged)
        tx.execute(update(tables.documents).where(tables.documents.c.id.in_(signed)).values(body=b"\x01" + bytes(40)))
    assert {case_id for case_id, _ in shown(hints(first, gateway.rt, **BA))} == {second, third}


async def test_portions_reach_every_case(gateway: Gateway) -> None:
    made = [opened(gateway, number) for number in range(1, 6)]
    while make_searchable(gateway.rt, most=2):
        pass
    with reading(gateway.rt.engine) as tx:
        assert set(tx.execute(select(searchable.c.case_id)).scalars()) == set(made)


async def test_installation_that_switched_hints_off_keeps_no_index(gateway: Gateway) -> None:
    first, _ = opened(gateway, 1), opened(gateway, 2)
    make_searchable(gateway.rt)
    off = replace(gateway.rt, settings=replace(gateway.rt.settings, hints=False))
    assert hints(first, off, **BA) == []
    assert make_searchable(off) == 0
    with reading(gateway.rt.engine) as tx:
        assert tx.execute(select(search_terms)).all() == []
        assert tx.execute(select(searchable)).all() == []
    assert make_searchable(gateway.rt) == 2
    assert len(hints(first, gateway.rt, **BA)) == 1
