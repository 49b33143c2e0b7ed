"""Authorities without a system: officers read and answer on the pages, or the gateway's own officers print and send."""

import re

import pytest
from sqlalchemy import select

from gateway.errors import NotPermitted
from gateway.flow.draft import Sent
from gateway.flow.edges import edge_of, serve_edge
from gateway.flow.mailbox import acknowledge
from gateway.flow.paper_tasks import end_task, to_send
from gateway.store import cases, inbox
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.wire.documents import serialize
from tests.authority_systems import AUTHORITY, connected
from tests.forging import application, journalled
from tests.gateways import AUTHORITIES, exchange
from tests.officers import Officer

pytestmark = pytest.mark.anyio


async def arrived(gateway) -> Sent:
    sent = gateway.hand_in(serialize(application(gateway.rt.clock())), authority="AT-BMI")
    assert isinstance(sent, Sent), sent
    await exchange(gateway)
    return sent


def waiting(gateway) -> list[inbox.InboxRow]:
    with reading(gateway.rt.engine) as tx:
        return inbox.waiting(tx, AUTHORITY)


# --- page -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(gateway):
    return connected(gateway, "page")


async def test_authority_with_a_browser_only_reads_and_answers(page) -> None:
    sent = await arrived(page)
    assert serve_edge(AUTHORITY, edge_of(AUTHORITY, page.rt), page.rt) == 0
    (row,) = waiting(page)
    officer = Officer(page.rt)
    assert f"/cases/{row.case_id}" in officer.get("/work")
    link = re.findall(r'href="(/documents/\d+)"', officer.get(f"/cases/{row.case_id}"))[0]
    assert waiting(page) == [row]  # the page of the case shows no document yet
    officer.get(f"{link}/read?purpose=case-work")
    assert waiting(page) == []

    form = {"outcome": "agreed", "signatory": "M. Specimen"}
    officer.post(f"/cases/{row.case_id}/answer", step="check", **form)
    done = officer.post(f"/cases/{row.case_id}/answer", step="send", **form)
    assert done.status_code == 303, done.text[:500]
    await exchange(page)
    with reading(page.rt.engine) as tx:
        states = {case.home: str(case.state) for case in cases.by_reference(tx, sent.case_reference)}
        assert [line.type for line in inbox.waiting(tx, "AT-BMI")] == ["ReadmissionReply"]
    assert states == dict.fromkeys(("AT-BMI", AUTHORITY), "agreed")
    (fetched,) = journalled(page.rt.engine, "message.fetched")
    assert (fetched["actor"], fetched["authority"], fetched["message_id"]) == ("liaison", AUTHORITY, sent.message_id)


async def test_application_that_was_answered_on_the_page_is_not_waiting_any_more(page) -> None:
    await arrived(page)
    (row,) = waiting(page)
    officer = Officer(page.rt)
    form = {"outcome": "agreed", "signatory": "M. Specimen"}
    assert officer.post(f"/cases/{row.case_id}/answer", step="send", **form).status_code == 303
    assert waiting(page) == []


async def test_reading_on_the_page_acknowledges_nothing_for_an_authority_with_a_system(gateway) -> None:
    await arrived(gateway)
    (row,) = waiting(gateway)
    officer = Officer(gateway.rt)
    link = re.findall(r'href="(/documents/\d+)"', officer.get(f"/cases/{row.case_id}"))[0]
    officer.get(f"{link}/read?purpose=case-work")
    assert waiting(gateway) == [row]


# --- paper ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def paper(gateway):
    return connected(gateway, "paper")


async def test_message_for_an_authority_on_paper_is_a_task_that_no_machine_ends(paper, clock) -> None:
    sent = await arrived(paper)
    clock.move(days=3)
    assert serve_edge(AUTHORITY, edge_of(AUTHORITY, paper.rt), paper.rt) == 0
    (task,) = to_send(paper.rt, homes=AUTHORITIES)
    assert (task.message_id, task.authority) == (sent.message_id, AUTHORITY)
    with pytest.raises(NotPermitted):
        acknowledge(AUTHORITY, task.id, actor="system", rt=paper.rt)
    assert to_send(paper.rt, homes=AUTHORITIES) == [task]


async def test_task_ends_when_an_officer_records_the_delivery_and_only_once(paper) -> None:
    await arrived(paper)
    (task,) = to_send(paper.rt, homes=[AUTHORITY])
    for by, ended in (("officer.one", True), ("officer.two", False)):
        with transaction(paper.rt.engine) as tx:
            assert end_task(tx, AUTHORITY, task.case_id, task.message_row, by=by, rt=paper.rt) is ended
    assert to_send(paper.rt, homes=[AUTHORITY]) == []
    with reading(paper.rt.engine) as tx:
        assert tx.execute(select(t.inbox.c.fetched_by).where(t.inbox.c.id == task.id)).scalar() == "officer.one"


async def test_delivery_that_is_rolled_back_leaves_the_task(paper) -> None:
    await arrived(paper)
    (task,) = to_send(paper.rt, homes=[AUTHORITY])

    def broken_off() -> None:
        with transaction(paper.rt.engine) as tx:
            assert end_task(tx, AUTHORITY, task.case_id, task.message_row, by="officer", rt=paper.rt)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert to_send(paper.rt, homes=[AUTHORITY]) == [task]


async def test_delivery_is_recorded_for_authorities_on_paper_only(gateway) -> None:
    await arrived(gateway)
    (row,) = waiting(gateway)
    assert to_send(gateway.rt, homes=AUTHORITIES) == []
    with pytest.raises(NotPermitted), transaction(gateway.rt.engine) as tx:
        end_task(tx, AUTHORITY, row.case_id, row.message_row, by="officer", rt=gateway.rt)


async def test_tasks_of_other_authorities_are_not_shown(paper) -> None:
    await arrived(paper)
    assert to_send(paper.rt, homes=["BA-MS"]) == []
