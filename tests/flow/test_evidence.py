"""Evidence of time: roots over the journal, timestamps over the roots, and what stops when no timestamp can be had."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from gateway.edge.files import FilesEdge
from gateway.errors import EvidenceStopped, SchemaViolation, TimestampUnavailable, Unavailable
from gateway.flow import evidence, loops
from gateway.flow.draft import Held, Sent
from gateway.flow.edges import serve_edge
from gateway.flow.evidence import gather, refusal, seal_journal, standing, verify_roots
from gateway.flow.holding import resume
from gateway.flow.statements import make_statement, release_statement
from gateway.flow.watch import watch_once
from gateway.store import accounts, journal, roots
from gateway.store.database import reading, transaction
from gateway.store.journal import Entry
from gateway.store.root_tables import roots as root_table
from gateway.transport.memory import MemoryHub
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.proven import check_entry
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.wire.documents import parse_xml
from gateway.wiring.pages import web_runtime
from tests.forging import journalled, row_of
from tests.gateways import AUTHORITIES, GOOD_ANSWERS, Gateway, example, exchange, make_gateway
from tests.statements import before_each_statement
from tests.timestamping import Faulty

pytestmark = pytest.mark.anyio

ACCELERATED = "ReadmissionApplication-third-country-entry"  # AT-BMI to RS-MUP: leaves at once
HELD = "ReadmissionApplication-own-national"  # BA-MS to PK-MOI: held until two officers acted


@dataclass(frozen=True)
class Watched:
    """A gateway whose settings name a timestamp authority, and that authority."""

    side: Gateway
    authority: Faulty

    @property
    def rt(self):
        return self.side.rt

    def write(self, count: int = 1) -> None:
        with transaction(self.rt.engine) as tx:
            journal.append(tx, [Entry(at=self.rt.clock(), event="gateway.tried", actor="gateway")] * count)

    def stamps(self) -> list[tuple[int, bool]]:
        """Return the number of each root, and whether it has a timestamp of its own."""
        with reading(self.rt.engine) as tx:
            return [(each.root.number, token is not None) for each, token in roots.all_roots(tx)]

    def spans(self) -> list[tuple[int, int]]:
        with reading(self.rt.engine) as tx:
            return [(each.root.first, each.root.last) for each, _ in roots.all_roots(tx)]


def watched(side: Gateway, **changes) -> Watched:
    settings = replace(side.rt.settings, timestamp_authorities=("development",), **changes)
    authority = Faulty(behind=DevelopmentAuthority.load(settings.keys, side.rt.clock))
    return Watched(side=replace(side, rt=replace(side.rt, settings=settings, authorities=(authority,))), authority=authority)


@pytest.fixture
def west(gateway) -> Watched:
    return watched(gateway)


def stop(west: Watched, clock) -> None:
    """No timestamp can be had for five hours."""
    west.authority.down = True
    west.write()
    clock.move(hours=5)
    assert refusal(west.rt) is not None


# --- roots and their timestamps


async def test_round_makes_a_root_over_all_that_is_new_with_a_timestamp(west, clock) -> None:
    west.write(5)
    gather(west.rt)
    assert (west.spans(), west.stamps()) == ([(1, 5)], [(1, True)])
    with reading(west.rt.engine) as tx:
        assert verify_roots(tx, west.rt.trust) == (1, [])
        found = check_entry(roots.proof_of_entry(tx, 3), west.rt.trust)
    assert (found.signer, found.stamped_at) == (west.rt.settings.home[0], clock.now)


async def test_nothing_new_makes_no_root(west, clock) -> None:
    gather(west.rt)
    assert west.spans() == []
    west.write()
    gather(west.rt)
    clock.move(hours=1)
    gather(west.rt)
    assert west.spans() == [(1, 1)]
    assert len(west.authority.asked) == 1


async def test_root_is_made_once_an_interval(west, clock) -> None:
    west.write()
    assert seal_journal(west.rt) == 1
    west.write()
    clock.move(seconds=59)
    assert seal_journal(west.rt) == 0
    clock.move(seconds=1)
    assert seal_journal(west.rt) == 1
    assert west.spans() == [(1, 1), (2, 2)]


async def test_clock_that_was_set_back_does_not_hold_roots_up(west, clock) -> None:
    west.write()
    seal_journal(west.rt)
    west.write()
    clock.move(hours=-2)
    assert seal_journal(west.rt) == 1


async def test_long_journal_is_taken_in_several_roots_at_once(west, monkeypatch) -> None:
    monkeypatch.setattr(evidence, "MOST_ENTRIES", 4)
    west.write(9)
    assert seal_journal(west.rt) == 3
    assert west.spans() == [(1, 4), (5, 8), (9, 9)]
    gather(west.rt)
    assert west.stamps() == [(1, False), (2, False), (3, True)]


async def test_one_timestamp_proves_all_roots_of_an_outage(west, clock) -> None:
    west.authority.down = True
    for _ in range(3):
        west.write(2)
        with pytest.raises(TimestampUnavailable):
            gather(west.rt)
        clock.move(minutes=2)
    west.authority.down = False
    gather(west.rt)
    assert west.stamps() == [(1, False), (2, False), (3, True)]
    with reading(west.rt.engine) as tx:
        for entry in range(1, 7):
            assert check_entry(roots.proof_of_entry(tx, entry), west.rt.trust).stamped_at == clock.now
        assert verify_roots(tx, west.rt.trust) == (3, [])


async def test_gateway_without_authorities_makes_roots_without_timestamps(west) -> None:
    rt = replace(west.rt, authorities=())
    west.write()
    gather(rt)
    assert west.stamps() == [(1, False)]


async def test_gateway_that_is_home_to_nobody_signs_no_root(west) -> None:
    west.write()
    assert seal_journal(replace(west.rt, settings=replace(west.rt.settings, home=()))) == 0


def test_two_watches_at_once_make_one_root_with_one_timestamp(database_url, keys, clock) -> None:
    sides = [watched(make_gateway(database_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock))) for _ in range(2)]
    barrier = threading.Barrier(2, timeout=30)

    def work(side: Watched) -> None:
        for _ in range(5):
            barrier.wait()
            gather(side.rt)
            barrier.wait()
            if side is sides[0]:
                clock.move(minutes=2)
                side.write(3)

    sides[0].write(3)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, sides, timeout=60))
    assert sides[0].spans() == [(first, first + 2) for first in range(1, 14, 3)]
    with reading(sides[0].rt.engine) as tx:
        assert verify_roots(tx, sides[0].rt.trust) == (5, [])
    assert sides[0].stamps()[-1] == (5, True)
    for side in sides:
        side.rt.engine.dispose()


async def test_root_whose_signature_was_made_up_is_found(west, clock) -> None:
    west.write()
    gather(west.rt)
    with transaction(west.rt.engine) as tx:
        tx.exec_driver_sql("DROP TRIGGER journal_roots_no_update")
        tx.execute(update(root_table).values(signature=bytes(64)))
    with reading(west.rt.engine) as tx:
        count, findings = verify_roots(tx, west.rt.trust)
    assert count == 1
    told = [each.what.split(":")[1].split(",")[0].strip() for each in findings]
    assert told == ["timestamp-mismatch", "signature-invalid"]  # the timestamp is over the signature too


# --- what stops, and what goes on


async def test_new_messages_are_taken_until_the_time_is_over(west, clock) -> None:
    west.authority.down = True
    west.write()
    clock.move(hours=4, seconds=-1)
    assert isinstance(west.side.hand_in(example(ACCELERATED), authority="AT-BMI"), Sent)


async def test_new_message_is_refused_once_the_time_is_over(west, clock) -> None:
    west.authority.down = True
    west.write()
    clock.move(hours=4)
    result = west.side.hand_in(example(ACCELERATED), authority="AT-BMI")
    assert isinstance(result, EvidenceStopped)
    assert isinstance(result, Unavailable)
    assert "4 hours" in result.message


async def test_gateway_takes_messages_again_by_itself_once_a_timestamp_is_had(west, clock) -> None:
    """Down for five hours, refused; up; the next round; accepted. Nobody does anything."""
    stop(west, clock)
    with pytest.raises(TimestampUnavailable):
        gather(west.rt)
    assert isinstance(west.side.hand_in(example(ACCELERATED), authority="AT-BMI"), EvidenceStopped)
    west.authority.down = False
    gather(west.rt)
    assert isinstance(west.side.hand_in(example(ACCELERATED), authority="AT-BMI"), Sent)


async def test_other_process_of_the_gateway_sees_at_once_that_it_goes_again(west, clock) -> None:
    stop(west, clock)
    other = replace(west.side, rt=replace(west.rt))  # the process of the pages: it asks no authority
    assert refusal(other.rt) is not None
    west.authority.down = False
    gather(west.rt)
    assert isinstance(other.hand_in(example(ACCELERATED), authority="AT-BMI"), Sent)


async def test_setting_says_for_how_many_hours(gateway, clock) -> None:
    west = watched(gateway, evidence_hours=1)
    west.write()
    clock.move(hours=1)
    assert refusal(west.rt) is not None


async def test_nothing_stops_where_the_settings_name_no_authority(gateway, clock) -> None:
    with transaction(gateway.rt.engine) as tx:
        journal.append(tx, [Entry(at=clock.now, event="gateway.tried", actor="gateway")])
    clock.move(days=3)
    assert standing(gateway.rt) is None
    assert isinstance(gateway.hand_in(example(ACCELERATED), authority="AT-BMI"), Sent)


async def test_nothing_stops_while_nothing_happens(west, clock) -> None:
    west.write()
    gather(west.rt)
    west.authority.down = True
    clock.move(days=3)
    assert isinstance(west.side.hand_in(example(ACCELERATED), authority="AT-BMI"), Sent)


async def test_refused_message_leaves_nothing_behind(west, clock) -> None:
    """It was not looked at; a file that is tried every second must not fill the journal."""
    stop(west, clock)
    before = len(journalled(west.rt.engine))
    west.side.hand_in(example(ACCELERATED), authority="AT-BMI")
    assert len(journalled(west.rt.engine)) == before


async def test_message_that_was_sent_before_gets_its_answer_while_new_ones_are_refused(west, clock) -> None:
    body = example(ACCELERATED)
    sent = west.side.hand_in(body, authority="AT-BMI")
    stop(west, clock)
    assert west.side.hand_in(body, authority="AT-BMI") == sent


async def test_faulty_message_is_told_its_fault_while_new_ones_are_refused(west, clock) -> None:
    stop(west, clock)
    wrong = example(ACCELERATED).replace(b"<Sex>", b"<Six>").replace(b"</Sex>", b"</Six>")
    assert isinstance(west.side.hand_in(wrong, authority="AT-BMI"), SchemaViolation)


async def test_what_lies_in_the_outbox_is_delivered_meanwhile(west, clock) -> None:
    west.side.hand_in(example(ACCELERATED), authority="AT-BMI")
    stop(west, clock)
    assert await west.side.deliver() == 1


async def test_what_comes_in_is_taken_with_a_signed_receipt_meanwhile(two_gateways, clock) -> None:
    sender, receiver = two_gateways
    east = watched(receiver)
    stop(east, clock)
    sent = sender.hand_in(example(ACCELERATED), authority="AT-BMI")
    assert isinstance(sent, Sent)
    await exchange(sender, east.side)
    assert [entry["message_id"] for entry in journalled(east.rt.engine, "message.received")] == [sent.message_id]
    assert row_of(sender, "out", "AT-BMI", sent.message_id).outcome == "received"


async def test_deadlines_are_told_meanwhile(case, clock) -> None:
    west = watched(case.west)
    west.authority.down = True
    clock.move(days=40)
    assert refusal(west.rt) is not None
    assert watch_once(west.rt) > 0


async def test_held_message_stays_held_until_it_goes_again(west, clock) -> None:
    held = west.side.hand_in(example(HELD), authority="BA-MS")
    assert isinstance(held, Held)
    stop(west, clock)
    make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    release_statement(held.case_id, actor="officer.two", rt=west.rt)
    with pytest.raises(EvidenceStopped):
        resume(held.case_id, "officer.two", west.rt)
    west.authority.down = False
    gather(west.rt)
    assert isinstance(resume(held.case_id, "officer.two", west.rt), Sent)


async def test_file_stays_in_its_place_until_it_goes_again(west, clock, tmp_path) -> None:
    edge = FilesEdge(tmp_path / "drop")
    body = example(ACCELERATED)
    dialect = west.rt.partners.authority("AT-BMI").dialect
    file = tmp_path / "drop" / "outgoing" / "a.json"
    file.write_bytes(west.rt.translators[dialect].from_canonical(parse_xml(body)).body)
    stop(west, clock)
    with pytest.raises(EvidenceStopped):
        serve_edge("AT-BMI", edge, west.rt)
    assert file.exists()
    west.authority.down = False
    gather(west.rt)
    assert serve_edge("AT-BMI", edge, west.rt) == 1
    assert [path.name for path in (tmp_path / "drop" / "sent").iterdir()]


async def test_batches_in_quick_succession_share_one_look_at_the_database(west, clock) -> None:
    west.write()
    looks = []

    def note(statement, _values) -> None:
        looks.extend([1] if "journal_stamps" in statement else [])

    with before_each_statement(west.rt.engine, note):
        for seconds in (0, 5, 4):
            clock.move(seconds=seconds)
            assert refusal(west.rt) is None
        assert len(looks) == 1
        clock.move(seconds=1)
        assert refusal(west.rt) is None
        assert len(looks) == 2


# --- over HTTP


@pytest.fixture
def client(west) -> TestClient:
    app = create_app(web_runtime(west.rt), routers=ROUTERS)
    app.state.gateway = west.rt
    return TestClient(app, base_url="https://gateway.test", raise_server_exceptions=False)


def hand_in(client: TestClient, west: Watched, clock):
    with transaction(west.rt.engine) as tx:
        key = accounts.add_api_key(
            tx, authority="AT-BMI", scopes=["submit"], at=clock.now, ends_at=clock.now + timedelta(hours=1)
        )
    headers = {"authorization": f"Bearer {key}", "content-type": "application/xml", "idempotency-key": "once"}
    return client.post("/api/v1/messages?dialect=canonical", content=example(ACCELERATED), headers=headers)


async def test_system_is_told_to_come_back_later(west, client, clock) -> None:
    stop(west, clock)
    answer = hand_in(client, west, clock)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "evidence-clock-stopped"
    west.authority.down = False
    gather(west.rt)
    assert hand_in(client, west, clock).status_code == 201  # with the same Idempotency-Key


async def test_gateway_stays_ready_but_says_that_it_is_degraded(west, client, clock) -> None:
    assert client.get("/readyz").json() == {"state": "ok"}
    stop(west, clock)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"state": "degraded"})


@pytest.mark.parametrize("page", ["/sign-in", "/no-such-page"])
async def test_every_page_says_that_nothing_new_is_sent(west, client, clock, page) -> None:
    assert "timestamp" not in client.get(page).text
    stop(west, clock)
    assert "New messages cannot be sent." in client.get(page).text
    west.authority.down = False
    gather(west.rt)
    assert "timestamp" not in client.get(page).text


async def test_page_warns_from_half_of_the_time_on(west, client, clock) -> None:
    west.authority.down = True
    west.write()
    clock.move(hours=2, seconds=-1)
    assert "timestamp" not in client.get("/sign-in").text
    clock.move(seconds=1)
    assert "New messages can be sent until 1 Jun 2026, 12:15 UTC." in client.get("/sign-in").text


# --- the loop


async def test_watch_makes_roots_by_itself(west) -> None:
    side = replace(west.side, rt=replace(west.rt, settings=replace(west.rt.settings, root_seconds=1)))
    west.write()
    ended = asyncio.Event()
    task = asyncio.create_task(loops.run(["watch"], side.rt, ended))
    async with asyncio.timeout(20):
        while west.stamps() != [(1, True)]:  # noqa: ASYNC110 - nobody could tell: the loop knows nothing of this test
            await asyncio.sleep(0.01)
    ended.set()
    await asyncio.wait_for(task, 20)


async def looked(rt, monkeypatch, *, rounds: int, between=lambda: None) -> list:
    """Run the loop for some rounds without waiting between them; return its log."""
    done, ended = [], asyncio.Event()

    async def pause(_stop, _seconds) -> None:
        done.append(1)
        between()
        if len(done) == rounds:
            ended.set()

    monkeypatch.setattr(loops, "_pause", pause)
    with capture_logs() as lines:
        await asyncio.wait_for(loops.evidence(rt, ended), 20)
    return lines


async def test_loop_goes_on_when_no_timestamp_can_be_had(west, monkeypatch) -> None:
    west.authority.down = True
    west.write()
    lines = await looked(west.rt, monkeypatch, rounds=3)
    assert [line["code"] for line in lines if line["event"] == "evidence.waiting"] == ["timestamp-unavailable"] * 3
    assert [line["authority"] for line in lines if line["event"] == "timestamp.failed"] == ["faulty"] * 3


async def test_loop_goes_on_when_this_installation_is_at_fault(west, monkeypatch) -> None:
    west.write()
    rt = replace(west.rt, settings=replace(west.rt.settings, home=("XX-NONE",)))
    lines = await looked(rt, monkeypatch, rounds=2)
    assert [line["code"] for line in lines if line["event"] == "evidence.failed"] == ["key-missing"] * 2


async def test_nothing_is_signed_after_the_clock_jumped(west, clock, monkeypatch) -> None:
    def jump() -> None:
        if not west.spans() or len(west.spans()) == 1:
            clock.move(days=40)
            west.write()

    west.write()
    await looked(west.rt, monkeypatch, rounds=3, between=jump)
    assert west.spans() == [(1, 1)]


def test_folder_of_keys_holds_what_the_documents_say(keys: Path) -> None:
    assert (keys / "ca" / "timestamps.pem").stat().st_mode & 0o077 == 0
    assert (keys / "timestamp-anchors" / "development-root.pem").is_file()
