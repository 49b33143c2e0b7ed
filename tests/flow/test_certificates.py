"""Messages wait while nobody knows whether a certificate was revoked; the watch fetches, and says each thing once."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs

from gateway.domain.identity import new_message_id
from gateway.errors import DatabaseUnavailable, NotFound, TrustInvalid
from gateway.flow import graces, inbound
from gateway.flow.certificates import look_after_certificates
from gateway.flow.graces import end_grace, give_grace
from gateway.flow.inbound import heal
from gateway.transport.memory import MemoryHub
from gateway.transport.port import Parcel
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.folder import write_file
from gateway.trust.keys import KeyRing
from gateway.trust.revocation import local
from gateway.wire.reading import complete_header, header_of, instant_text
from tests.flow.test_loops import queued, running, until
from tests.forging import NOTHING, TO_ORIGIN, application, count, journalled, outcomes, row_of, sealed, take
from tests.gateways import make_gateway
from tests.issuer_server import issuer_server
from tests.steps import addressed, write
from tests.throwaway_ca import DAY, lay, offers, root

pytestmark = pytest.mark.anyio

ACCEPTED = ("accepted", None)
UNKNOWN = ("postponed", "revocation-unknown")
HOUR = timedelta(hours=1)


@pytest.fixture
def server():
    with issuer_server() as running_:
        yield running_


@pytest.fixture
def ca(clock):
    return root(clock.now)


@pytest.fixture
def own_keys(keys, ca, server, clock, tmp_path):
    """Keys of which AT-BMI's come from an issuer that offers a list; the others' cannot be revoked."""
    folder = tmp_path / "keys"
    shutil.copytree(keys, folder)
    leaf = ca.issue("AT-BMI signing", begins=-40 * DAY, more=offers(crl=[server.url("/list")]))
    for gone in (
        "pinned/AT-BMI.pem",
        "sealing/AT-BMI.json",
        "private/AT-BMI.sealing.json",
        "second/AT-BMI.json",
        "private/AT-BMI.second.json",
    ):
        (folder / gone).unlink()
    key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_file(folder / "private" / "AT-BMI.signing.pem", key + leaf.certificate.public_bytes(Encoding.PEM), private=True)
    lay(folder, [ca])
    make_development_keys(folder, ["AT-BMI"], clock.now)
    return folder, leaf


@pytest.fixture
async def sides(own_keys, keys, migrated_sqlite, tmp_path, clock):
    """Two gateways: the west sends for AT-BMI and BA-MS, the east receives for PK-MOI and RS-MUP."""
    hub = MemoryHub(clock)
    made = []
    for name, home in (("west", ("BA-MS", "AT-BMI")), ("east", ("PK-MOI", "RS-MUP"))):
        url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / f'{name}.sqlite3')}"
        side = await make_gateway(url, keys, clock, home=home, hub=hub).open()
        folder = own_keys[0]
        settings = replace(side.rt.settings, keys=folder, revocation_private_addresses=True, watch_seconds=1)
        rt = replace(side.rt, settings=settings, ring=KeyRing.load(folder), trust=TrustStore.load(folder))
        made.append(replace(side, rt=rt))
    yield tuple(made)
    for side in made:
        side.rt.engine.dispose()


def lay_list(side, data):
    """Write a list into the key folder, or take it away, as another process would."""
    file = side.rt.settings.keys / "revocation" / "by-hand.crl"
    if data is None:
        file.unlink()
    else:
        write_file(file, data)
    side.rt.trust.refresh()


def from_both(west, clock):
    """Return one message of AT-BMI and one of BA-MS, sealed."""
    return (
        sealed(west.rt, application(clock.now), clock.now),
        sealed(west.rt, application(clock.now, TO_ORIGIN), clock.now),
    )


# --- only that partner's messages wait --------------------------------------------------------------------------------


async def test_a_batch_is_taken_but_for_the_messages_that_cannot_be_judged(sides, clock, ca):
    west, east = sides
    doubtful, good = from_both(west, clock)
    assert outcomes(take(east.rt, doubtful, good, doubtful)) == [UNKNOWN, ACCEPTED, UNKNOWN]
    assert count(east.rt.engine, "messages") == {"messages": 2}  # the good one and its receipt
    assert journalled(east.rt.engine, "message.refused") == []
    lay_list(east, ca.crl())
    assert outcomes(take(east.rt, doubtful)) == [ACCEPTED]


async def test_nothing_is_kept_of_a_message_that_cannot_be_judged(sides, clock):
    west, east = sides
    assert outcomes(take(east.rt, from_both(west, clock)[0])) == [UNKNOWN]
    assert count(east.rt.engine) == NOTHING
    assert journalled(east.rt.engine) == []


async def test_a_message_of_a_revoked_certificate_is_refused_at_once(sides, own_keys, clock, ca):
    west, east = sides
    doubtful, good = from_both(west, clock)
    lay_list(east, ca.crl(own_keys[1].certificate))
    assert outcomes(take(east.rt, doubtful, good)) == [("refused", "certificate-revoked"), ACCEPTED]
    (entry,) = journalled(east.rt.engine, "message.refused")
    assert entry["detail"]["code"] == "certificate-revoked"


async def test_a_certificate_that_a_person_took_back_is_refused(sides, own_keys, clock, ca):
    west, east = sides
    lay_list(east, ca.crl())
    local.revoke(east.rt.settings.keys, own_keys[1].fingerprint, clock.now, "key lost", "B. Officer")
    east.rt.trust.refresh()
    assert outcomes(take(east.rt, from_both(west, clock)[0])) == [("refused", "certificate-revoked")]


async def test_the_loop_postpones_what_cannot_be_judged_and_takes_it_once_it_can_be(sides, clock, ca):
    west, east = sides
    doubtful, good = from_both(west, clock)
    await east.rt.transport.send([_parcel(doubtful), _parcel(good)])
    async with running(east.rt, names=["consume"]):
        await until(lambda: [item.attempts for item in queued(east, "RS-MUP")] == [1])
        await until(lambda: queued(east, "PK-MOI") == [])
        assert row_of(east, "in", "BA-MS", good.message_id).outcome == "accepted"
        first, second = east.rt.settings.retry_seconds[:2]
        clock.move(seconds=first)
        await until(lambda: [item.attempts for item in queued(east, "RS-MUP")] == [2])
        lay_list(east, ca.crl())
        clock.move(seconds=second)
        await until(lambda: queued(east, "RS-MUP") == [])
    assert row_of(east, "in", "AT-BMI", doubtful.message_id).outcome == "accepted"


def _parcel(sealed_):
    return Parcel(message_id=sealed_.message_id, sender=sealed_.sender, recipient=sealed_.recipient, body=sealed_.body)


async def test_it_is_never_parked_however_often_it_was_tried(sides, clock):
    west, east = sides
    await east.rt.transport.send([_parcel(from_both(west, clock)[0])])
    async with running(east.rt, names=["consume"]):
        for attempts in range(1, 8):
            await until(lambda wanted=attempts: [item.attempts for item in queued(east, "RS-MUP")] == [wanted])
            clock.move(seconds=east.rt.settings.retry_seconds[1])
        assert [(state.name, state.parked) for state in await east.rt.transport.states()] == [("PK-MOI", 0), ("RS-MUP", 0)]


async def test_an_early_message_whose_turn_has_come_goes_on_waiting_alone(sides, clock, ca, monkeypatch):
    """The oldest that waits cannot be judged; with batches of one it would stand before all others."""
    west, east = sides
    rt = replace(east.rt, settings=replace(east.rt.settings, batch=1))
    lay_list(east, ca.crl())
    openers, followers = [], []
    for name, sender, recipient in ((None, "AT-BMI", "RS-MUP"), (TO_ORIGIN, "BA-MS", "PK-MOI")):
        document = application(clock.now, name) if name else application(clock.now)
        question = addressed(
            write("InformationRequest-by-requesting"),
            reference=header_of(document)["CaseReference"],
            sender=sender,
            recipient=recipient,
        )
        fields = {"MessageId": new_message_id(clock.now), "Created": instant_text(clock.now), "Sequence": "2"}
        complete_header(question, fields)
        openers.append(sealed(west.rt, document, clock.now))
        followers.append(sealed(west.rt, question, clock.now))
    assert {outcome for outcome, _ in outcomes(take(rt, *followers))} == {"waiting"}
    monkeypatch.setattr(inbound, "heal", lambda _: 0)
    assert outcomes(take(rt, *openers)) == [ACCEPTED, ACCEPTED]
    lay_list(east, None)
    assert heal(rt) == 1
    assert row_of(east, "in", "BA-MS", followers[1].message_id).outcome == "accepted"
    assert count(rt.engine, "early") == {"early": 1}
    lay_list(east, ca.crl())
    assert heal(rt) == 1
    assert count(rt.engine, "early") == {"early": 0}


def another_watch(side):
    """Return a second process on the same database and key folder."""
    return replace(side.rt, trust=TrustStore.load(side.rt.settings.keys))


# --- the watch fetches, and tells once --------------------------------------------------------------------------------


def told(side, event):
    return [(row["authority"], row["detail"]) for row in journalled(side.rt.engine, event)]


async def test_the_watch_fetches_what_is_offered_and_then_messages_flow(sides, server, clock, ca):
    west, east = sides
    server.serve = {"/list": ca.crl()}
    async with running(east.rt, names=["watch"]):
        await until((east.rt.settings.keys / "revocation" / "attempts.json").exists)
    east.rt.trust.refresh()
    assert outcomes(take(east.rt, from_both(west, clock)[0])) == [ACCEPTED]
    assert server.asked == ["/list"]
    assert journalled(east.rt.engine, "revocation.changed") == []  # good from the beginning: nothing to say


async def test_with_revocation_off_nothing_is_fetched(sides, server, clock, ca):
    _, east = sides
    rt = replace(east.rt, settings=replace(east.rt.settings, revocation="off"))
    look_after_certificates(rt)
    assert server.asked == []


async def test_a_key_folder_that_cannot_be_written_stops_nothing_but_the_fetching(sides, own_keys, server, clock, ca):
    _, east = sides
    server.serve = {"/list": ca.crl()}
    folder = east.rt.settings.keys / "revocation"
    folder.rmdir()
    folder.write_bytes(b"a file where a folder should be")
    clock.now = own_keys[1].certificate.not_valid_after_utc - 5 * DAY
    with capture_logs() as logs:
        look_after_certificates(east.rt)
    assert {"event": "revocation.not_kept", "code": "trust-invalid"}.items() <= logs[0].items()
    assert told(east, "certificate.expiring")


async def test_each_change_of_a_standing_is_told_once_by_two_watches(sides, own_keys, server, clock, ca):
    _, east = sides
    two = another_watch(east)
    for _ in range(2):
        look_after_certificates(east.rt)
        look_after_certificates(two)
    assert [detail["state"] for _, detail in told(east, "revocation.changed")] == ["unreachable"]
    server.serve = {"/list": ca.crl()}
    clock.move(hours=1)
    for rt in (east.rt, two, east.rt):
        look_after_certificates(rt)
    server.serve = {"/list": ca.crl(own_keys[1].certificate, this=2 * HOUR, until=3 * DAY)}
    clock.move(hours=13)
    for rt in (east.rt, two, east.rt):
        look_after_certificates(rt)
    found = told(east, "revocation.changed")
    assert [(authority, detail["state"]) for authority, detail in found] == [
        ("AT-BMI", "unreachable"),
        ("AT-BMI", "good"),
        ("AT-BMI", "revoked"),
    ]
    assert found[0][1]["fingerprint"] == own_keys[1].fingerprint[:16]


async def test_each_warning_before_an_end_is_told_once_by_two_watches(sides, own_keys, clock):
    _, east = sides
    two = another_watch(east)
    end = own_keys[1].certificate.not_valid_after_utc
    for days in (61, 60, 59, 30, 14, 7, 1, -1, -2):
        clock.now = end - days * DAY
        for rt in (east.rt, two):
            look_after_certificates(rt)
    mine = own_keys[1].fingerprint[:16]
    found = [(authority, detail) for authority, detail in told(east, "certificate.expiring") if detail["fingerprint"] == mine]
    assert [detail["warning"] for _, detail in found] == [60, 30, 14, 7, 1]
    assert {authority for authority, _ in found} == {"AT-BMI"}
    assert [detail["days"] for _, detail in told(east, "certificate.ended") if detail["fingerprint"] == mine] == [-1]


async def test_after_a_downtime_only_the_nearest_warning_is_told(sides, own_keys, clock):
    _, east = sides
    clock.now = own_keys[1].certificate.not_valid_after_utc - 5 * DAY
    look_after_certificates(east.rt)
    mine = own_keys[1].fingerprint[:16]
    found = [detail for _, detail in told(east, "certificate.expiring") if detail["fingerprint"] == mine]
    assert [(detail["warning"], detail["days"], detail["kind"]) for detail in found] == [(7, 5, "signing")]


async def test_a_change_of_pins_is_told_once_and_what_cannot_be_used_is_alarmed(sides, ca, clock):
    _, east = sides
    two = another_watch(east)
    folder = east.rt.settings.keys

    def look():
        for rt in (east.rt, two):
            look_after_certificates(rt)

    look()
    assert told(east, "trust.changed") == []
    before = len(east.rt.trust.loaded().pinned)
    lay(folder, [ca], ME_MUP=ca.issue("ME-MUP signing"))
    look()
    assert [detail["pinned"] for _, detail in told(east, "trust.changed")] == [before + 1]
    (folder / "pinned" / "XK-MPB.pem").write_bytes(b"no certificate")
    with capture_logs() as logs:
        look()
    assert [detail["code"] for _, detail in told(east, "trust.not_read")] == ["trust-invalid"]
    assert [log["log_level"] for log in logs if log["event"] == "trust.not_read"] == ["error"]
    (folder / "pinned" / "XK-MPB.pem").unlink()
    look()
    assert len(told(east, "trust.read_again")) == 1
    assert len(told(east, "trust.changed")) == 1


# --- decisions of persons ---------------------------------------------------------------------------------------------


async def test_a_grace_lets_messages_flow_and_stands_in_the_journal_with_its_person(sides, clock):
    west, east = sides
    doubtful, _ = from_both(west, clock)
    give_grace(east.rt, "AT-BMI", until=clock.now + DAY, by="A. Officer", why="the issuer announced an outage")
    east.rt.trust.refresh()
    assert outcomes(take(east.rt, doubtful)) == [ACCEPTED]
    (entry,) = journalled(east.rt.engine, "certificate.grace_given")
    assert (entry["actor"], entry["authority"]) == ("A. Officer", "AT-BMI")
    assert entry["detail"]["why"] == "the issuer announced an outage"
    end_grace(east.rt, "AT-BMI", by="A. Officer", why="the list is back")
    east.rt.trust.refresh()
    assert outcomes(take(east.rt, sealed(west.rt, application(clock.now), clock.now))) == [UNKNOWN]
    assert len(journalled(east.rt.engine, "certificate.grace_ended")) == 1


async def test_a_grace_that_cannot_be_is_neither_given_nor_journalled(sides, clock):
    _, east = sides
    with pytest.raises(TrustInvalid):
        give_grace(east.rt, "AT-BMI", until=clock.now + 31 * DAY, by="A. Officer", why="an outage")
    with pytest.raises(NotFound):
        end_grace(east.rt, "AT-BMI", by="A. Officer", why="over")
    assert journalled(east.rt.engine) == []


async def test_a_grace_that_could_not_be_journalled_is_not_in_force(sides, clock, monkeypatch):
    west, east = sides

    def away(*_):
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(graces.journal, "append", away)
    with pytest.raises(DatabaseUnavailable):
        give_grace(east.rt, "AT-BMI", until=clock.now + DAY, by="A. Officer", why="an outage")
    monkeypatch.undo()
    east.rt.trust.refresh()
    assert outcomes(take(east.rt, from_both(west, clock)[0])) == [UNKNOWN]
