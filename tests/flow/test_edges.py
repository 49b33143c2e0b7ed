"""Serving edges: whose turn it is, pauses that outlive a restart, and trouble that stays where it belongs."""

import asyncio
from datetime import timedelta

import pytest

from gateway.edge.pull import PullEdge
from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeUnavailable, SettingsInvalid, TurnLost
from gateway.flow import edges
from gateway.flow.attachments import hand_in
from gateway.flow.draft import Sent
from gateway.flow.edges import serve_edges
from gateway.flow.erasure import WHY, erase_case
from gateway.flow.turns import TURN_SECONDS, Turn, pause_after
from gateway.store import edge_troubles, edge_turns, inbox
from gateway.store.database import reading, transaction
from gateway.wire.documents import serialize
from tests.authority_systems import AUTHORITY, PushSystem, connected, with_edges
from tests.files import file, naming
from tests.forging import application, journalled
from tests.gateways import exchange
from tests.steps import addressed, write
from tests.webhook_server import webhook_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def push(gateway, tmp_path):
    with webhook_server() as server:
        yield PushSystem(gateway, server, tmp_path)


async def sent(gateway, document=None) -> Sent:
    done = gateway.hand_in(serialize(application(gateway.rt.clock()) if document is None else document), authority="AT-BMI")
    assert isinstance(done, Sent), done
    await exchange(gateway)
    return done


def standing(rt) -> edge_troubles.Standing:
    with reading(rt.engine) as tx:
        (found,) = edge_troubles.standings(tx, [AUTHORITY])
    return found


def visit(rt, name: str = "one"):
    """Return a process's rounds, as `serve_edges` does them."""
    return edges.Visits(AUTHORITY, rt, by=name)


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_pause_doubles_up_to_its_cap_and_is_spread_over_its_upper_half() -> None:
    settings = EdgeSettings(retry_first_seconds=2, retry_most_seconds=300)
    assert [pause_after(failures, settings, 1.0) for failures in (0, 1, 2, 7, 8, 10_000)] == [2, 4, 8, 256, 300, 300]
    assert [pause_after(1, settings, roll) for roll in (0.0, 0.5)] == [2, 3]


async def test_pause_after_a_failure_outlives_a_restart(gateway, push, clock) -> None:
    await sent(gateway)
    push.fail()
    first = visit(push.rt)
    first.once()
    first.end()
    push.heal()
    again = visit(push.rt, "two")
    again.once()
    assert push.received() == []
    assert (standing(push.rt).code, standing(push.rt).waiting) == ("edge-unavailable", 1)

    clock.move(seconds=2)
    again.once()
    assert len(push.received()) == 1
    assert (standing(push.rt).code, standing(push.rt).waiting) == (None, 0)


async def test_pauses_grow_with_each_failure(gateway, push, clock) -> None:
    await sent(gateway)
    push.fail()
    process, pauses = visit(push.rt), []
    for _ in range(4):
        process.once()
        pauses.append((standing(push.rt).next_at - clock.now).total_seconds())
        clock.move(seconds=pauses[-1])
    assert len(push.server.posts) == 4
    assert all(longest / 2 <= pause <= longest for pause, longest in zip(pauses, (2, 4, 8, 16), strict=True)), pauses


async def test_pause_that_the_system_asked_for_is_kept(gateway, push, clock) -> None:
    await sent(gateway)
    push.fail()
    push.server.headers["Retry-After"] = "120"
    visit(push.rt).once()
    assert standing(push.rt).next_at == clock.now + timedelta(seconds=120)


# --- whose turn it is -------------------------------------------------------------------------------------------------


async def test_two_processes_never_serve_one_authority_at_once(gateway, push, clock) -> None:
    await sent(gateway)
    first, second = visit(push.rt, "first"), visit(push.rt, "second")
    first.once()
    await sent(gateway)
    second.once()
    assert len(push.received()) == 1
    clock.move(seconds=TURN_SECONDS)  # the first one died
    second.once()
    assert len(push.received()) == 2
    first.once()  # and came back
    assert not first._turn.keep()


async def test_turn_that_is_lost_while_a_large_file_is_given_ends_the_round(gateway, push) -> None:
    scan = file(size=2_200_000)
    hand_in(scan.body, gateway.rt, authority="AT-BMI", actor="officer", media_type=scan.media_type)
    await sent(gateway, naming(gateway.rt.clock(), scan))
    turns = iter([True, True, False])
    with pytest.raises(TurnLost):
        edges.serve_edge(AUTHORITY, push.edge(), push.rt, lambda: next(turns))
    assert push.received() == []
    assert standing(push.rt).code is None  # nothing is wrong with the system


async def test_process_that_ends_gives_its_turn_back(gateway, push) -> None:
    await sent(gateway)
    first = visit(push.rt, "first")
    first.once()
    await sent(gateway)
    first.end()
    visit(push.rt, "second").once()
    assert len(push.received()) == 2


async def test_turn_is_renewed_before_it_ends_and_not_at_every_look(gateway, clock) -> None:
    turn = Turn(AUTHORITY, gateway.rt, by="one")

    def until():
        with reading(gateway.rt.engine) as tx:
            return edge_turns.get(tx, AUTHORITY).held_until

    assert turn.keep()
    first = until()
    clock.move(seconds=TURN_SECONDS / 2 - 1)
    assert turn.keep()
    assert until() == first
    clock.move(seconds=1)
    assert turn.keep()
    assert until() == clock.now + timedelta(seconds=TURN_SECONDS)


# --- trouble over one message -----------------------------------------------------------------------------------------


async def test_message_the_system_fails_over_holds_up_its_case_and_no_other(gateway, push, clock) -> None:
    opening = await sent(gateway)
    steps = addressed(write("Withdrawal-error"), reference=opening.case_reference, sender="AT-BMI", recipient=AUTHORITY)
    second = await sent(gateway, steps)
    other = await sent(gateway)
    push.server.status = lambda _, name: 500 if opening.message_id in name else 204

    assert push.turn() == 1
    assert [name.rpartition("_")[2] for name, _ in push.server.taken] == [other.message_id]
    assert (standing(push.rt).code, standing(push.rt).waiting, standing(push.rt).refused) == ("edge-failed", 2, 0)
    assert push.turn() == 0  # its time has not come

    push.server.status = 204
    clock.move(seconds=30)
    assert push.turn() == 2
    assert [name.rpartition("_")[2] for name, _ in push.server.taken][1:] == [opening.message_id, second.message_id]
    assert standing(push.rt).code is None


async def test_system_that_fails_over_three_messages_in_a_row_is_left_alone_for_a_while(gateway, push) -> None:
    for _ in range(5):
        await sent(gateway)
    push.server.status = 500
    process = visit(push.rt)
    process.once()
    assert len(push.server.posts) == 3
    process.once()
    assert len(push.server.posts) == 3


async def test_refused_message_stays_with_its_code_and_is_journalled(gateway, push, clock) -> None:
    opening = await sent(gateway)
    await sent(gateway)
    push.server.status = lambda _, name: 422 if opening.message_id in name else 204
    assert push.turn() == 1
    clock.move(days=30)
    assert push.turn() == 0
    assert len(push.server.posts) == 2  # it was tried once
    found = standing(push.rt)
    assert (found.waiting, found.refused, found.code, found.next_at) == (1, 1, "edge-refused", None)
    (entry,) = journalled(gateway.rt.engine, "message.not_taken")
    assert (entry["message_id"], entry["actor"], entry["authority"]) == (opening.message_id, f"edge:{AUTHORITY}", AUTHORITY)
    assert entry["detail"]["code"] == "edge-refused"
    with reading(push.rt.engine) as tx:
        assert [row.message_id for row in inbox.waiting(tx, AUTHORITY)] == [opening.message_id]


async def test_refused_message_is_given_again_when_a_person_says_so(gateway, push) -> None:
    await sent(gateway)
    push.server.status = 410
    push.turn()
    with transaction(push.rt.engine) as tx:
        assert edge_troubles.forget_all(tx, AUTHORITY) == 1
    push.heal()
    assert push.turn() == 1
    assert standing(push.rt).waiting == 0


async def test_message_of_a_case_erased_meanwhile_does_not_hold_up_the_others(gateway, push) -> None:
    gone, kept = await sent(gateway), await sent(gateway)
    with reading(gateway.rt.engine) as tx:
        row = next(row for row in inbox.waiting(tx, AUTHORITY) if row.message_id == gone.message_id)
    still_there = [True]

    def keep() -> bool:  # asked between the look at the inbox and the giving
        if still_there and still_there.pop():
            erase_case(row.case_id, by="officer", why=next(iter(WHY)), rt=gateway.rt, although_open=True)
        return True

    assert edges.serve_edge(AUTHORITY, push.edge(), push.rt, keep) == 1
    assert [name.rpartition("_")[2] for name, _ in push.server.taken] == [kept.message_id]
    assert standing(push.rt).waiting == 0


# --- many authorities -------------------------------------------------------------------------------------------------


class Watched(PullEdge):
    """An edge that tells the loop of the test that it was asked, or fails as told."""

    def __init__(self, loop, *errors: BaseException) -> None:
        self.asked, self._loop, self._errors = asyncio.Event(), loop, list(errors)

    def collect(self):
        if self._errors:
            raise self._errors.pop()
        self._loop.call_soon_threadsafe(self.asked.set)
        return ()


async def test_authority_that_hangs_does_not_delay_another(gateway, push, monkeypatch) -> None:
    await sent(gateway)
    push.server.hangs.set()
    rt = with_edges(push.rt, {"BA-MS": "files"})
    other, find = Watched(asyncio.get_running_loop()), edges.edge_of
    monkeypatch.setattr("gateway.flow.edges.edge_of", lambda code, rt: other if code == "BA-MS" else find(code, rt))
    stop = asyncio.Event()
    task = asyncio.create_task(serve_edges(rt, stop))
    await asyncio.wait_for(asyncio.to_thread(push.server.seen.wait, 20), 25)  # it hangs now
    other.asked.clear()
    await asyncio.wait_for(other.asked.wait(), 20)
    assert push.received() == []
    stop.set()
    push.server.hangs.clear()
    await asyncio.wait_for(task, 20)
    assert len(push.received()) == 1


@pytest.mark.parametrize("error", [EdgeUnavailable("away"), ZeroDivisionError("a defect")], ids=["outside", "defect"])
async def test_failure_sets_the_authority_back_and_ends_nothing(gateway, monkeypatch, clock, error) -> None:
    rt = connected(gateway, "files").rt
    edge = Watched(asyncio.get_running_loop(), error)
    monkeypatch.setattr("gateway.flow.edges.edge_of", lambda *_: edge)
    process = visit(rt)
    process.once()
    assert standing(rt).code in {"edge-unavailable", "internal-error"}
    clock.move(seconds=2)
    process.once()
    await asyncio.wait_for(edge.asked.wait(), 20)
    assert standing(rt).code is None


async def test_authority_this_installation_is_not_set_up_for_is_left_and_shown(gateway) -> None:
    rt = connected(gateway, "push").rt
    process = visit(rt)
    assert process.wanted()
    process.once()
    assert not process.wanted()
    assert (standing(rt).code, standing(rt).next_at) == (SettingsInvalid.code, None)


async def test_partner_folder_that_connects_its_authority_otherwise_is_followed(gateway, push) -> None:
    await sent(gateway)
    directory = push.rt.directory
    by_push, by_page = directory.known, with_edges(push.rt, {AUTHORITY: "page"}).directory.known
    process = visit(push.rt)
    directory.known = by_page
    process.once()
    assert push.received() == []
    assert not process.wanted()  # its officers read on the pages
    directory.known = by_push
    assert process.wanted()
    process.once()
    assert len(push.received()) == 1
    directory.known = by_page
    assert process.wanted()  # to let go of what it holds
    process.once()
    visit(push.rt, "another").once()
    with reading(push.rt.engine) as tx:
        assert edge_turns.get(tx, AUTHORITY).held_by is None
