"""How home authorities are connected: one contract for every edge, then the drop folder from end to end."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.files import FilesEdge, write_whole
from gateway.edge.port import Collected, Item
from gateway.edge.pull import PullEdge
from gateway.edge_settings import EdgeSettings
from gateway.errors import KeyMissing, MessageIdReused, Misconfigured, SettingsInvalid, Unavailable
from gateway.flow.draft import Held, Sent
from gateway.flow.edges import edge_of, serve_edge, serve_edges
from gateway.flow.holding import resume
from gateway.flow.statements import make_statement, release_statement
from gateway.partners.folder import EDGES
from gateway.settings import data_folder
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.store import cases, edge_troubles, inbox, journal
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from tests.authority_systems import connected as authority_connected
from tests.files import file, naming
from tests.gateways import AUTHORITIES, GOOD_ANSWERS, example, exchange, files_of, make_gateway

EXAMPLES = data_folder("partners") / "ba" / "dialects" / "ms-xml" / "examples"
ITEM = Item(
    sender="BA-MS",
    message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01",
    type="ReadmissionReply",
    media_type="application/xml",
    body=b"<a>\xc4\x87</a>",
)
OUTCOMES = ("sent", "held", "refused")


# --- every edge -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["pull", "files"])
def edge(request, tmp_path):
    return PullEdge() if request.param == "pull" else FilesEdge(tmp_path / "drop")


def test_edge_says_whether_the_authority_has_the_message_now(edge) -> None:
    assert edge.hand_over(ITEM) is isinstance(edge, FilesEdge)


def test_handing_over_the_same_message_twice_is_harmless(edge) -> None:
    assert edge.hand_over(ITEM) == edge.hand_over(ITEM)


def test_edge_where_nothing_was_handed_in_collects_nothing(edge) -> None:
    assert list(edge.collect()) == []


def test_message_that_was_handed_over_is_not_collected_as_one_handed_in(edge) -> None:
    edge.hand_over(ITEM)
    assert list(edge.collect()) == []


# --- the drop folder --------------------------------------------------------------------------------------------------


@pytest.fixture
def drop(tmp_path) -> Path:
    return tmp_path / "drop"


@pytest.fixture
def files(drop) -> FilesEdge:
    return FilesEdge(drop)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_drop_folder_is_made_with_all_its_places(files, drop) -> None:
    assert names(drop) == ["held", "incoming", "outgoing", "refused", "sent"]
    FilesEdge(drop)


@pytest.mark.parametrize(("media_type", "suffix"), [("application/xml", ".xml"), ("application/json", ".json")])
def test_message_lies_in_the_folder_under_its_type_and_id(files, drop, media_type, suffix) -> None:
    item = Item(sender=ITEM.sender, message_id=ITEM.message_id, type=ITEM.type, media_type=media_type, body=ITEM.body)
    files.hand_over(item)
    files.hand_over(item)
    assert names(drop / "incoming") == [f"ReadmissionReply-{ITEM.message_id}{suffix}"]
    assert (drop / "incoming" / f"ReadmissionReply-{ITEM.message_id}{suffix}").read_bytes() == ITEM.body


def test_file_is_renamed_into_its_place_only_when_all_of_it_is_written(tmp_path, monkeypatch) -> None:
    seen: list[tuple[str, bytes, bool]] = []
    replace = Path.replace

    def look(self: Path, target: Path) -> Path:
        seen.append((self.name, self.read_bytes(), target.exists()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", look)
    write_whole(tmp_path / "message.xml", [b"all ", b"of it"])
    assert seen == [(".message.xml.part", b"all of it", False)]
    assert (tmp_path / "message.xml").read_bytes() == b"all of it"


def test_write_that_breaks_off_leaves_no_file_in_its_place(files, drop, monkeypatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable):
        files.hand_over(ITEM)
    assert [name for name in names(drop / "incoming") if not name.startswith(".")] == []


def test_file_that_is_still_being_written_is_left_alone(files, drop) -> None:
    (drop / "outgoing" / ".application.xml.part").write_bytes(b"<half")
    (drop / "outgoing" / "folder").mkdir()
    assert files.collect() == []


def test_documents_are_collected_oldest_first(files, drop) -> None:
    for age, name in ((3, "b.xml"), (1, "a.xml"), (2, "c.xml")):
        path = drop / "outgoing" / name
        path.write_bytes(name.encode())
        os.utime(path, ns=(0, 10**18 - age * 10**9))
    assert [(found.name, found.body) for found in files.collect()] == [
        ("b.xml", b"b.xml"),
        ("c.xml", b"c.xml"),
        ("a.xml", b"a.xml"),
    ]


def test_document_is_offered_again_until_it_is_answered(files, drop) -> None:
    (drop / "outgoing" / "a.xml").write_bytes(b"<a/>")
    assert files.collect() == files.collect() != []


def test_oversized_document_is_read_no_further_than_needed_to_refuse_it(files, drop) -> None:
    (drop / "outgoing" / "large.xml").write_bytes(b" " * (MAX_MESSAGE_BYTES + 1000))
    (found,) = files.collect()
    assert len(found.body) == MAX_MESSAGE_BYTES + 1


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_answered_document_lies_with_its_answer_in_the_folder_of_its_outcome(files, drop, outcome) -> None:
    (drop / "outgoing" / "a.xml").write_bytes(b"<a/>")
    (found,) = files.collect()
    files.answer(found, {"outcome": outcome, "advice": "čekati"})
    assert files.collect() == []
    assert names(drop / outcome) == ["a.xml", "a.xml.answer.json"]
    assert (drop / outcome / "a.xml").read_bytes() == b"<a/>"
    assert json.loads((drop / outcome / "a.xml.answer.json").read_text("utf-8")) == {"outcome": outcome, "advice": "čekati"}


def test_folder_that_is_gone_is_unavailable(files, drop) -> None:
    shutil.rmtree(drop)
    collected = Collected(name="a.xml", body=b"<a/>")
    for act in (lambda: files.hand_over(ITEM), files.collect, lambda: files.answer(collected, {"outcome": "sent"})):
        with pytest.raises(Unavailable):
            act()


# --- whose files are taken, and when ----------------------------------------------------------------------------------


def out(drop, name, body=b"<a/>") -> Path:
    path = drop / "outgoing" / name
    path.write_bytes(body)
    return path


def test_names_under_which_sftp_clients_write_are_left_alone(files, drop) -> None:
    for name in (
        ".a.xml",
        "~a.xml",
        "a.xml~",
        "a.xml.filepart",
        "a.xml.part",
        "a.xml.PARTIAL",
        "a.xml.tmp",
        "a.xml.temp",
        "a.swp",
    ):
        out(drop, name)
    assert files.collect() == []
    (drop / "outgoing" / "a.xml.filepart").rename(drop / "outgoing" / "a.xml")
    assert [found.name for found in files.collect()] == ["a.xml"]


def test_file_that_grew_between_two_looks_is_left_until_it_rests(drop) -> None:
    now = [100.0]
    files = FilesEdge(drop, quiet_seconds=2, clock=lambda: now[0])
    path = out(drop, "a.xml", b"<a>")
    assert files.collect() == []
    now[0] += 1.9
    path.write_bytes(b"<a></a>")
    assert files.collect() == []
    now[0] += 1.9
    assert files.collect() == []
    now[0] += 0.1
    assert [found.body for found in files.collect()] == [b"<a></a>"]


def test_file_replaced_by_another_of_the_same_size_begins_anew(drop) -> None:
    now = [100.0]
    files = FilesEdge(drop, quiet_seconds=2, clock=lambda: now[0])
    out(drop, "a.xml", b"<a/>")
    assert files.collect() == []
    now[0] += 2
    out(drop, "b.xml", b"<b/>").replace(drop / "outgoing" / "a.xml")
    assert files.collect() == []


def test_link_or_device_is_not_opened_and_answered_with_its_code(files, drop, tmp_path) -> None:
    (tmp_path / "shadow").write_bytes(b"not ours to give")
    (drop / "outgoing" / "link.xml").symlink_to(tmp_path / "shadow")
    os.mkfifo(drop / "outgoing" / "pipe.xml")
    found = {one.name: one for one in files.collect()}
    assert {name: (one.body, one.refusal.code) for name, one in found.items()} == {
        "link.xml": (b"", "not-a-file"),
        "pipe.xml": (b"", "not-a-file"),
    }
    for one in found.values():
        files.answer(one, {"outcome": "refused", "code": "not-a-file"})
    assert names(drop / "outgoing") == []
    assert (tmp_path / "shadow").read_bytes() == b"not ours to give"


def test_file_that_may_not_be_read_is_answered_with_its_code(files, drop, monkeypatch) -> None:
    out(drop, "a.xml")

    def refused(*_args: object) -> int:
        raise PermissionError(13, "not ours")

    with monkeypatch.context() as patched:
        patched.setattr("gateway.edge.outgoing.os.open", refused)
        (found,) = files.collect()
    assert found.refusal is not None
    assert found.refusal.code == "not-a-file"


def test_file_that_its_owner_keeps_there_is_answered_once(files, drop, monkeypatch) -> None:
    kept = out(drop, "a.xml")
    (found,) = files.collect()
    replace = Path.replace

    def refused(self: Path, target: Path) -> Path:
        if self == kept:
            raise PermissionError(1, "a folder with the sticky bit")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refused)
        files.answer(found, {"outcome": "sent"})
        assert files.collect() == []
    assert names(drop / "sent") == ["a.xml.answer.json"]
    kept.write_bytes(b"<another/>")
    assert [one.body for one in files.collect()] == [b"<another/>"]


@pytest.mark.parametrize("name", [b"\xff\xfe.xml", "захтев.xml".encode(), b"a b;$(c).xml", b"-rf", b"n" * 255], ids=repr)
def test_name_of_any_bytes_is_taken_and_answered(files, drop, name) -> None:
    (drop / "outgoing" / os.fsdecode(name)).write_bytes(b"<a/>")
    (found,) = files.collect()
    files.answer(found, {"outcome": "sent"})
    assert files.collect() == []
    assert len(names(drop / "sent")) == 2


def test_answered_documents_of_one_name_all_stay(files, drop) -> None:
    for number in range(3):
        out(drop, "a.xml", b"<a>%d</a>" % number)
        (found,) = files.collect()
        files.answer(found, {"outcome": "sent", "number": number})
    assert [(drop / "sent" / name).read_bytes() for name in ("a.xml", "a-2.xml", "a-3.xml")] == [
        b"<a>0</a>",
        b"<a>1</a>",
        b"<a>2</a>",
    ]
    assert [answer_of(drop / "sent", name)["number"] for name in ("a.xml", "a-2.xml", "a-3.xml")] == [0, 1, 2]


def test_file_that_was_replaced_while_it_was_worked_on_is_taken_at_the_next_look(files, drop) -> None:
    out(drop, "export.xml", b"<first/>")
    (first,) = files.collect()
    out(drop, "export.xml", b"<second/>")  # the system writes under one name and was faster
    files.answer(first, {"outcome": "sent"})
    (second,) = files.collect()
    assert (first.body, second.body) == (b"<first/>", b"<second/>")
    files.answer(second, {"outcome": "sent"})
    assert files.collect() == []


def test_message_never_overwrites_a_file_with_other_content(files, drop) -> None:
    place = drop / "incoming" / f"ReadmissionReply-{ITEM.message_id}.xml"
    place.write_bytes(b"of another sender, with the same id")
    for _ in range(2):
        files.hand_over(ITEM)
    assert place.read_bytes() == b"of another sender, with the same id"
    assert place.with_name(f"ReadmissionReply-{ITEM.message_id}-2.xml").read_bytes() == ITEM.body
    assert len(names(drop / "incoming")) == 2


def test_link_laid_where_the_gateway_writes_is_not_followed(files, drop, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    place = drop / "incoming" / f"ReadmissionReply-{ITEM.message_id}.xml"
    for name in (place.name, f".{place.name}.part"):
        (drop / "incoming" / name).symlink_to(outside)
    files.hand_over(ITEM)
    assert outside.read_bytes() == b"untouched"
    assert place.is_symlink()
    assert place.with_name(f"ReadmissionReply-{ITEM.message_id}-2.xml").read_bytes() == ITEM.body


def test_link_in_place_of_a_folder_is_not_followed(files, drop, tmp_path) -> None:
    (tmp_path / "outside").mkdir()
    for name in ("incoming", "outgoing", "sent"):
        (drop / name).rmdir()
        (drop / name).symlink_to(tmp_path / "outside")
    acts = (
        lambda: files.hand_over(ITEM),
        files.collect,
        lambda: files.answer(Collected(name="a.xml", body=b""), {"outcome": "sent"}),
        files.examine,
    )
    for act in acts:
        with pytest.raises(Unavailable):
            act()
    assert names(tmp_path / "outside") == []


def test_examination_leaves_no_trace(files, drop) -> None:
    assert files.examine()
    assert [path for path in drop.rglob("*") if path.is_file()] == []


def test_outgoing_folder_that_is_gone_is_not_taken_for_an_empty_one(files, drop) -> None:
    (drop / "outgoing").rmdir()
    with pytest.raises(Unavailable):
        files.collect()
    with pytest.raises(Unavailable):
        files.collect_files()


@given(
    name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1), body=st.binary(max_size=50)
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_taken_and_answered_or_left_alone(files, drop, name, body) -> None:
    if name in {".", ".."} or len(name.encode()) > 255:
        return
    path = out(drop, name, body)
    found = files.collect()
    for one in found:
        assert one.body == body
        files.answer(one, {"outcome": "refused"})
    assert path.exists() == (not found)
    path.unlink(missing_ok=True)


# --- from end to end --------------------------------------------------------------------------------------------------


def partners_with(folder: Path, edge: str) -> Path:
    """Return a copy of the partner folder in which BA-MS is connected by `edge`."""
    copy = Path(shutil.copytree(data_folder("partners"), folder / "partners"))
    file = copy / "ba" / "partner.toml"
    file.write_text(file.read_text("utf-8").replace('edge = "pull"', f'edge = "{edge}"'), "utf-8")
    return copy


@pytest.fixture
async def connected(sqlite_url, keys, clock, tmp_path):
    """One gateway that is home to all; BA-MS is connected by a drop folder."""
    gateway = await make_gateway(
        sqlite_url,
        keys,
        clock,
        home=AUTHORITIES,
        hub=MemoryHub(clock),
        partners=partners_with(tmp_path, "files"),
        drop_folder=tmp_path / "drop",
        edges={"BA-MS": EdgeSettings(quiet_seconds=0)},
    ).open()
    yield gateway
    gateway.rt.engine.dispose()


@pytest.fixture
def ministry(tmp_path) -> Path:
    return tmp_path / "drop" / "BA-MS"


def with_files(gateway, ministry: Path, name: str, body: bytes) -> int:
    """Put a document of BA-MS into its drop folder, and the files it names before it; return how many there are."""
    made = files_of(body, gateway.rt, "ba/ms-xml")
    place = ministry / "outgoing" / "attachments"
    place.mkdir(exist_ok=True)
    for number, one in enumerate(made):
        (place / f"{number}.bin").write_bytes(one)
    (ministry / "outgoing" / name).write_bytes(body)
    return len(made) + 1


def left_to_the_gateway(name: str) -> bytes:
    """Return an example of BA-MS without the message id, case reference, sequence and time that the gateway fills in."""
    body = (EXAMPLES / name).read_text("utf-8")
    return re.sub(r"<(BrojPoruke|BrojPredmeta|RedniBroj|VrijemeIzrade)>[^<]*</\1>", "", body, count=4).encode()


def handed_in_now(name: str) -> bytes:
    """Return a canonical example without its instant, which the gateway fills in."""
    return re.sub(rb"<Created>[^<]*</Created>", b"", example(name))


def serve(gateway) -> int:
    return serve_edge("BA-MS", edge_of("BA-MS", gateway.rt), gateway.rt)


def answer_of(folder: Path, name: str) -> dict:
    return json.loads((folder / f"{name}.answer.json").read_text("utf-8"))


pytest_anyio = pytest.mark.anyio


@pytest_anyio
async def test_document_in_the_drop_folder_is_handed_in_and_answered(connected, ministry) -> None:
    edge_of("BA-MS", connected.rt)
    count = with_files(connected, ministry, "zahtjev.xml", left_to_the_gateway("own-national.xml"))

    assert serve(connected) == count

    answer = answer_of(ministry / "held", "zahtjev.xml")
    assert answer["reason"] == "statement-missing"
    with reading(connected.rt.engine) as tx:
        (case,) = cases.by_reference(tx, answer["case"])
        (entry,) = journal.of_case(tx, case.id)
    assert (entry.event, entry.actor) == ("message.held", "edge:BA-MS")


@pytest_anyio
async def test_refused_document_lies_with_its_code_and_place(connected, ministry) -> None:
    edge_of("BA-MS", connected.rt)
    (ministry / "outgoing" / "large.xml").write_bytes(b"<a>" + b" " * MAX_MESSAGE_BYTES)
    (ministry / "outgoing" / "broken.xml").write_bytes(b"<ZahtjevZaPrihvat>")

    assert serve(connected) == 2

    assert answer_of(ministry / "refused", "large.xml")["code"] == "too-large"
    broken = answer_of(ministry / "refused", "broken.xml")
    assert (broken["code"], broken["line"]) == ("malformed-xml", 1)


@pytest_anyio
async def test_message_for_the_authority_appears_in_its_folder_and_is_acknowledged(connected, ministry) -> None:
    body = handed_in_now("ReadmissionApplication-own-national")
    body = body.replace(b"<Sender>BA-MS", b"<Sender>PK-MOI").replace(b"<Recipient>PK-MOI", b"<Recipient>BA-MS")
    held = connected.hand_in(body, authority="PK-MOI")
    assert isinstance(held, Held), held
    sent = connected.release(held.case_id)
    assert isinstance(sent, Sent), sent
    await exchange(connected)

    assert serve(connected) == 1
    assert serve(connected) == 0

    assert len(list((ministry / "incoming" / "attachments").iterdir())) == 2
    (file,) = (name for name in names(ministry / "incoming") if name != "attachments")
    assert file == f"ReadmissionApplication-{sent.message_id}.xml"
    assert b"<ZahtjevZaPrihvat" in (ministry / "incoming" / file).read_bytes()
    with reading(connected.rt.engine) as tx:
        assert inbox.waiting(tx, "BA-MS") == []


@pytest_anyio
@pytest.mark.parametrize("name", ["own-national.xml", "third-country-entry.xml"], ids=["held", "sent"])
async def test_document_whose_answer_was_interrupted_is_not_handed_in_twice(connected, ministry, name) -> None:
    edge = edge_of("BA-MS", connected.rt)
    body = left_to_the_gateway(name)
    with_files(connected, ministry, name, body)
    serve(connected)
    (folder,) = [place for place in OUTCOMES if (ministry / place / name).is_file()]
    first = answer_of(ministry / folder, name)
    (ministry / "outgoing" / name).write_bytes(body)  # as if the process had ended before the file was moved

    serve_edge("BA-MS", edge, connected.rt)

    assert folder != "refused", first
    assert answer_of(ministry / folder, name) == first
    with reading(connected.rt.engine) as tx:
        assert len(cases.all_of(tx, ["BA-MS"])) == 1


@pytest_anyio
async def test_refused_document_may_be_handed_in_again(connected, ministry) -> None:
    edge_of("BA-MS", connected.rt)
    for _ in range(2):
        (ministry / "outgoing" / "broken.xml").write_bytes(b"<ZahtjevZaPrihvat>")
        assert serve(connected) == 1
    assert answer_of(ministry / "refused", "broken.xml")["code"] == "malformed-xml"


@pytest_anyio
@pytest.mark.parametrize(
    "error", [KeyMissing("no signing key"), Unavailable("the database does not answer")], ids=["key", "outside"]
)
async def test_document_that_could_not_be_worked_on_by_our_fault_stays_where_it_is(
    connected, ministry, monkeypatch, error
) -> None:
    edge_of("BA-MS", connected.rt)
    (ministry / "outgoing" / "zahtjev.xml").write_bytes(left_to_the_gateway("own-national.xml"))
    with monkeypatch.context() as patched:
        patched.setattr("gateway.flow.several.submit", lambda *_: [error])
        with pytest.raises(type(error)):
            serve(connected)
    assert names(ministry / "outgoing") == ["zahtjev.xml"]
    assert serve(connected) == 1


@pytest_anyio
async def test_message_id_held_in_two_cases_leaves_once(connected) -> None:
    body = re.sub(rb"<CaseReference>[^<]*</CaseReference>", b"", handed_in_now("ReadmissionApplication-own-national"))
    first, second = (connected.hand_in(body, authority="BA-MS") for _ in range(2))
    assert isinstance(first, Held)
    assert isinstance(second, Held)
    assert isinstance(connected.release(first.case_id), Sent)

    make_statement(second.case_id, GOOD_ANSWERS, actor="officer.one", rt=connected.rt)
    release_statement(second.case_id, actor="officer.two", rt=connected.rt)
    with pytest.raises(MessageIdReused):
        resume(second.case_id, "officer.two", connected.rt)


class TroubledEdge(PullEdge):
    """An edge that fails when it is asked, as often as errors were given; then it says so."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self._loop = asyncio.get_running_loop()
        self.well = asyncio.Event()

    def collect(self):
        if self._errors:
            raise self._errors.pop()
        self._loop.call_soon_threadsafe(self.well.set)
        return ()


@pytest_anyio
async def test_folder_out_of_reach_is_tried_again_in_the_next_round(connected, monkeypatch) -> None:
    edge, stop = TroubledEdge(Unavailable("the drop folder cannot be read")), asyncio.Event()
    monkeypatch.setattr("gateway.flow.edges.edge_of", lambda *_: edge)
    task = asyncio.create_task(serve_edges(connected.rt, stop))
    await asyncio.wait_for(edge.well.wait(), 20)
    stop.set()
    await asyncio.wait_for(task, 20)


@pytest_anyio
async def test_authority_without_its_key_is_left_alone_and_the_process_goes_on(connected, monkeypatch) -> None:
    edge = TroubledEdge(KeyMissing("no signing key"))
    monkeypatch.setattr("gateway.flow.edges.edge_of", lambda *_: edge)
    stop = asyncio.Event()
    task = asyncio.create_task(serve_edges(connected.rt, stop))
    code = ""
    async with asyncio.timeout(20):
        while code != KeyMissing.code:
            await asyncio.sleep(0.01)
            with reading(connected.rt.engine) as tx:
                (standing,) = edge_troubles.standings(tx, ["BA-MS"])
            code = standing.code
    assert not task.done()
    stop.set()
    await asyncio.wait_for(task, 20)
    assert not edge.well.is_set()  # it was asked once, and left alone from then on


@pytest_anyio
async def test_drop_folder_that_is_not_set_is_told_by_name_of_the_setting(sqlite_url, keys, clock, tmp_path) -> None:
    partners = partners_with(tmp_path, "files")
    gateway = make_gateway(sqlite_url, keys, clock, home=("BA-MS",), hub=MemoryHub(clock), partners=partners)
    with pytest.raises(SettingsInvalid, match="drop_folder"):
        edge_of("BA-MS", gateway.rt)
    gateway.rt.engine.dispose()


@pytest_anyio
async def test_edge_that_this_version_does_not_know_stops_that_authority(gateway) -> None:
    with pytest.raises(Misconfigured, match="fax"):
        edge_of("RS-MUP", authority_connected(gateway, "fax").rt)


@pytest_anyio
async def test_every_edge_that_a_partner_file_may_name_is_known_and_names_the_setting_it_lacks(gateway) -> None:
    lacking = {"push": "secret_file", "queue": "url_file", "files": "drop_folder"}
    for kind in EDGES:
        rt = authority_connected(gateway, kind).rt
        if kind not in lacking:
            assert edge_of("RS-MUP", rt).examine()
            continue
        with pytest.raises(SettingsInvalid, match=lacking[kind]):
            edge_of("RS-MUP", rt)


@pytest_anyio
async def test_authority_that_fetches_by_call_is_left_to_its_calls(gateway) -> None:
    assert isinstance(edge_of("BA-MS", gateway.rt), PullEdge)
    assert serve_edge("BA-MS", edge_of("BA-MS", gateway.rt), gateway.rt) == 0


# --- attachments ------------------------------------------------------------------------------------------------------


def test_edge_where_no_attachment_was_handed_in_collects_none(edge) -> None:
    assert list(edge.collect_files()) == []


def test_edge_takes_an_attachment_ahead_of_its_message(edge) -> None:
    edge.hand_over_file("photograph-0123.jpg", iter([b"first", b"second"]))
    assert list(edge.collect_files()) == []
    assert list(edge.collect()) == []


def test_attachment_lies_whole_beside_the_messages(files, drop) -> None:
    for _ in range(2):
        files.hand_over_file("photograph-0123.jpg", iter([b"first", b"second"]))
    assert names(drop / "incoming" / "attachments") == ["photograph-0123.jpg"]
    assert (drop / "incoming" / "attachments" / "photograph-0123.jpg").read_bytes() == b"firstsecond"


def test_attachments_are_collected_apart_from_documents(files, drop) -> None:
    place = drop / "outgoing" / "attachments"
    place.mkdir()
    (place / "scan.pdf").write_bytes(b"s" * 100_000)
    (place / ".photograph.jpg").write_bytes(b"half")
    (collected,) = files.collect_files()
    assert collected.name == "scan.pdf"
    pieces = list(collected.parts)
    assert (len(pieces), b"".join(pieces)) == (2, b"s" * 100_000)
    assert files.collect() == []
    files.answer_file(collected, {"outcome": "sent", "sha256": "0"})
    assert names(place) == [".photograph.jpg"]
    assert names(drop / "sent" / "attachments") == ["scan.pdf", "scan.pdf.answer.json"]


def test_attachment_that_cannot_be_read_is_tried_again(files, drop) -> None:
    place = drop / "outgoing" / "attachments"
    place.mkdir()
    (place / "scan.pdf").write_bytes(b"s")
    (collected,) = files.collect_files()
    (place / "scan.pdf").unlink()
    with pytest.raises(Unavailable):
        list(collected.parts)


@pytest_anyio
async def test_attachments_travel_from_drop_folder_to_drop_folder(gateway, tmp_path) -> None:
    asking, asked = FilesEdge(tmp_path / "AT-BMI"), FilesEdge(tmp_path / "RS-MUP")
    scan, program = file(size=2_000_000), b"MZ program"
    out = tmp_path / "AT-BMI" / "outgoing"
    (out / "attachments").mkdir()
    (out / "attachments" / "scan.pdf").write_bytes(scan.body)
    (out / "attachments" / "scan.exe").write_bytes(program)
    document = naming(gateway.rt.clock(), scan)
    (out / "application.json").write_bytes(gateway.rt.translators["at/bmi-json"].from_canonical(document).body)
    assert serve_edge("AT-BMI", asking, gateway.rt) == 3
    assert names(tmp_path / "AT-BMI" / "sent") == ["application.json", "application.json.answer.json", "attachments"]
    refused = json.loads((tmp_path / "AT-BMI" / "refused" / "attachments" / "scan.exe.answer.json").read_bytes())
    assert refused["code"] == "attachment-type"
    await exchange(gateway)
    assert serve_edge("RS-MUP", asked, gateway.rt) == 1
    (given,) = (tmp_path / "RS-MUP" / "incoming" / "attachments").iterdir()
    assert given.name == f"document-scan-{scan.sha256[:16]}.pdf"
    assert given.read_bytes() == scan.body
