"""`verify-case`: a genuine case file holds, and every forgery of it is refused under its own code, offline."""

import json
import re
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import KeyMissing, NotAFile, TrustInvalid
from gateway.flow.case_verdict import Verdict, verify_case_file
from gateway.store.chain import FIELDS, entry_hash
from gateway.trust.devca import make_development_keys
from gateway.trust.keys import KeyRing
from gateway.wire.case_index import JOURNAL, NAME, PROOFS
from gateway.wire.container import MAX_ENTRIES
from tests.packs import AT, LATER, SCHEMAS, SPECIMEN, Sample, forged, judge, pack, unpack

SIGNATURES = "META-INF/signatures001.xml"
MANIFEST = "META-INF/manifest.xml"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on any connection: a case file is checked where there is no network."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something reached for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


def refusals(found: Verdict) -> list[tuple[str, str | None]]:
    return [(item.item, item.code) for item in found.items if item.verdict == "refused"]


def refused(path: Path, sample: Sample) -> list[tuple[str, str | None]]:
    """Return what is refused of a case file; it must be something, and the whole with it."""
    found = judge(path, sample)
    assert found.verdict == "refused"
    assert found.code == refusals(found)[0][1]
    return refusals(found)


def named(sample: Sample, start: str) -> str:
    """Return the first file whose name begins so."""
    return next(name for name in sample.files if name.startswith(start))


# --- genuine ------------------------------------------------------------------------------------------------------------


def test_genuine_case_file_holds_in_every_item(sample: Sample) -> None:
    found = judge(sample.path, sample)
    assert (found.verdict, found.code) == ("valid", None)
    assert {item.item for item in found.items if item.verdict != "valid"} == {"journal proofs"}  # no root lies over it yet
    assert [item.item for item in found.items if item.item.startswith(("message", "receipt", "translation"))] == [
        "message 1",
        "receipt of message 1",
        "translation of message 1",
        "message 2",
        "receipt of message 2",
        "translation of message 2",
        "message 3",
        "receipt of message 3",
        "translation of message 3",
        "messages",
    ]


def test_verdict_says_who_signed_what_and_when_the_other_side_had_it(sample: Sample) -> None:
    says = {item.item: item.says for item in judge(sample.path, sample).items}
    assert says["message 1"].startswith(
        "The readmission application of AT-BMI to RS-MUP of 1 June 2026, 08:15:00 UTC is authentic: it was signed"
    )
    assert "Root CA" in says["message 1"]
    assert "AT-BMI signing" in says["message 1"]
    assert "proves nothing" in says["message 1"]  # a development certificate
    assert says["receipt of message 2"].startswith(
        "AT-BMI confirmed that it received exactly this readmission reply on 2 June 2026, 08:15:00 UTC, and took it"
    )
    assert "the instant that the signed receipt proves" in says["deadline transfer"]
    assert "the instant that the signed message names" in says["deadline transfer-notice"]


def test_verdict_names_no_person(sample: Sample) -> None:
    assert SPECIMEN.encode() in sample.files[named(sample, "messages/0001")]
    assert SPECIMEN not in json.dumps([item.says for item in judge(sample.path, sample).items])


def test_file_made_again_and_signed_again_is_as_good(sample: Sample, tmp_path: Path) -> None:
    assert judge(forged(sample, tmp_path / "again", lambda _files, _index: None), sample).verdict == "valid"


def test_long_after_the_certificates_ended_it_still_holds(sample: Sample) -> None:
    assert judge(sample.path, sample, LATER.replace(year=2056)).verdict == "valid"


def test_checking_loads_no_database_library() -> None:
    code = (
        "import sys, gateway.cli.casefile; "
        "sys.exit(any(name.partition('.')[0] in {'sqlalchemy', 'psycopg', 'sqlite3', 'aio_pika'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the container ------------------------------------------------------------------------------------------------------


def without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {each: body for each, body in files.items() if each != name}


def before_meta(files: dict[str, bytes], name: str, body: bytes) -> dict[str, bytes]:
    """Put a file where a signed one would stand."""
    meta = {each: files[each] for each in files if each.startswith("META-INF/")}
    return {each: files[each] for each in files if each not in meta} | {name: body} | meta


def swapped(files: dict[str, bytes], one: str, other: str) -> dict[str, bytes]:
    return files | {one: files[other], other: files[one]}


# X-Road's container verifier ships seven wrong packs (wrong digest, wrong reference, unsigned file, wrong message ...);
# these are made anew, together with what else can be done to a container.
PACKS: dict[str, tuple[str, Any]] = {
    "changed digest": ("container-changed", lambda f: f | {"summary.pdf": f["summary.pdf"] + b" "}),
    "changed message": (
        "container-changed",
        lambda f: {
            name: body.replace(b"AT-BMI", b"AT-BMX") if name.startswith("messages/0001") else body for name, body in f.items()
        },
    ),
    "other message in its place": (
        "container-changed",
        lambda f: swapped(f, *[name for name in f if name.startswith("messages/")][:2]),
    ),
    "unsigned file": ("container-unsigned", lambda f: before_meta(f, "messages/0009-in-Withdrawal.xml", b"<x/>")),
    "removed file": ("container-incomplete", lambda f: without(f, "README.txt")),
    "renamed file": (
        "container-unsigned",
        lambda f: {("LIESMICH.txt" if name == "README.txt" else name): body for name, body in f.items()},
    ),
    "other order": (
        "container-form",
        lambda f: {"mimetype": f["mimetype"], "summary.pdf": f["summary.pdf"], **f},
    ),
    "no signature": ("signature-missing", lambda f: without(f, SIGNATURES)),
    "no manifest": ("container-form", lambda f: without(f, MANIFEST)),
    "other manifest": ("container-form", lambda f: f | {MANIFEST: f[MANIFEST].replace(b"README.txt", b"LIESMICH.txt")}),
    "second signature file": ("container-form", lambda f: f | {"META-INF/signatures002.xml": f[SIGNATURES]}),
    "file beside the signature": ("container-form", lambda f: f | {"META-INF/notes.txt": b"trust me"}),
    "changed reference": (
        "signature-invalid",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b'URI="README.txt"', b'URI="README.tx_"')},
    ),
    "dropped reference": ("signature-profile", lambda f: f | {SIGNATURES: _without_first_reference(f[SIGNATURES])}),
    "reference with a transform": (
        "signature-profile",
        lambda f: (
            f | {SIGNATURES: f[SIGNATURES].replace(b'URI="README.txt">', b'URI="README.txt"><ds:Transforms></ds:Transforms>')}
        ),
    ),
    "reference to the network": (
        "signature-profile",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b'URI="README.txt"', b'URI="https://127.0.0.1/README.txt"')},
    ),
    "other digest method": (
        "signature-profile",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b"xmlenc#sha256", b"xmldsig-more#md5", 1)},
    ),
    "other signature method": (
        "signature-profile",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b"ecdsa-sha256", b"hmac-sha256")},
    ),
    "later signing time": (
        "signature-profile",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b"2026-06-03T", b"2026-06-04T")},
    ),
    "doctype": ("doctype-forbidden", lambda f: f | {SIGNATURES: b"<!DOCTYPE x [<!ENTITY a 'a'>]>" + f[SIGNATURES]}),
    "comment": (
        "markup-forbidden",
        lambda f: f | {SIGNATURES: f[SIGNATURES].replace(b"<ds:KeyInfo>", b"<!-- --><ds:KeyInfo>")},
    ),
    "two signatures": ("signature-profile", lambda f: f | {SIGNATURES: _twice(f[SIGNATURES])}),
    "empty signature file": ("empty-document", lambda f: f | {SIGNATURES: b""}),
    "signature that is no xml": ("malformed-xml", lambda f: f | {SIGNATURES: b"signed, believe me"}),
}


def _without_first_reference(body: bytes) -> bytes:
    start = body.index(b"<ds:Reference ")
    end = body.index(b"</ds:Reference>") + len(b"</ds:Reference>")
    return body[:start] + body[end:]


def _twice(body: bytes) -> bytes:
    start, end = body.index(b"<ds:Signature "), body.index(b"</asic:")
    return body[:end] + body[start:end] + body[end:]


@pytest.mark.parametrize(("code", "change"), PACKS.values(), ids=PACKS.keys())
def test_wrong_pack_is_refused_as_a_whole(sample: Sample, tmp_path: Path, code: str, change: Any) -> None:
    path = pack(change(sample.files), tmp_path / "wrong.asice")
    assert refused(path, sample) == [("container", code)]


@pytest.mark.parametrize("size", [0, 1, 21, 22, 5000])
def test_file_that_is_cut_off_is_refused(sample: Sample, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.asice"
    path.write_bytes(sample.path.read_bytes()[:size])
    assert refused(path, sample) == [("container", "container-form")]


def test_file_that_is_not_there_is_no_verdict(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(NotAFile):
        judge(tmp_path / "missing.asice", sample)


def test_signer_that_no_anchor_vouches_for_is_refused(sample: Sample, tmp_path: Path) -> None:
    make_development_keys(tmp_path / "foreign", ["RS-MUP"], AT)
    foreign = KeyRing.load(tmp_path / "foreign").signing("RS-MUP")
    path = forged(sample, tmp_path / "foreign.asice", lambda _files, _index: None, key=foreign)
    assert refused(path, sample) == [("container", "signer-not-trusted")]


def test_other_anchors_refuse_it(sample: Sample, tmp_path: Path) -> None:
    make_development_keys(tmp_path / "foreign", ["RS-MUP"], AT)
    found = verify_case_file(sample.path, tmp_path / "foreign" / "anchors", LATER, SCHEMAS)
    assert refusals(found) == [("container", "signer-not-trusted")]


def test_folder_without_anchors_gives_no_verdict(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        verify_case_file(sample.path, tmp_path, LATER, SCHEMAS)
    (tmp_path / "root.pem").write_text("no certificate")
    with pytest.raises(TrustInvalid):
        verify_case_file(sample.path, tmp_path, LATER, SCHEMAS)


def test_file_signed_in_the_future_is_refused(sample: Sample) -> None:
    found = judge(sample.path, sample, AT)
    assert refusals(found) == [("container", "signing-time-invalid")]


def test_other_authority_than_the_index_names_cannot_sign_it(sample: Sample, tmp_path: Path) -> None:
    path = forged(sample, tmp_path / "other.asice", lambda _files, _index: None, key=sample.key("PK-MOI"))
    assert refused(path, sample) == [("container", "signer-mismatch")]


def certificate_of_a_stranger(extension: int, name: str = "RS-MUP signing") -> bytes:
    """Return a certificate (DER) that anybody can make, with an extension of so many bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.999.7"), bytes(extension))
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(AT).not_valid_after(LATER).add_extension(padding, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def signed_with(sample: Sample, path: Path, certificate: bytes) -> Path:
    """Write the sample with another certificate in its signature, as anybody could."""
    files = sample.files
    pattern = rb"(<ds:X509Certificate>)[^<]+"
    files[SIGNATURES] = re.sub(pattern, lambda found: found[1] + b64encode(certificate), files[SIGNATURES], count=1)
    return pack(files, path)


@pytest.mark.parametrize("size", [10, 70_000])
def test_certificate_of_a_stranger_is_refused_whatever_its_size(sample: Sample, tmp_path: Path, size: int) -> None:
    path = signed_with(sample, tmp_path / "stranger.asice", certificate_of_a_stranger(size))
    assert refused(path, sample) == [("container", "signer-not-trusted")]


def test_nothing_beside_the_signature_is_read_before_it_holds(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can put in files that take long to read; only the signer of the whole can make them count."""

    def read(*_: object) -> None:
        raise AssertionError("a file of a container that nobody signed was read")

    monkeypatch.setattr("gateway.flow.case_certificates.from_json", read)
    monkeypatch.setattr("gateway.flow.case_certificates.chain_of", read)
    path = pack(before_meta(sample.files, f"{PROOFS}1.json", b"[" + b"{}," * 1000 + b"{}]"), tmp_path / "heavy.asice")
    assert refused(path, sample) == [("container", "container-unsigned")]


def test_more_chains_than_a_case_can_have_are_refused(sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.flow.case_certificates._MOST_CHAINS", 1)  # there are two: one of each side
    assert refusals(judge(sample.path, sample)) == [("container", "container-too-large")]


# --- what a dishonest exporter signs ------------------------------------------------------------------------------------

Index = dict[str, Any]
Files = dict[str, bytes]


def other_bytes(name_start: str, old: bytes, new: bytes) -> Any:
    def change(files: Files, _index: Index) -> None:
        name = next(each for each in files if each.startswith(name_start))
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return change


def set_line(place: int, **values: Any) -> Any:
    def change(_files: Files, index: Index) -> None:
        index["messages"][place] |= values

    return change


def set_deadline(limit: str, **values: Any) -> Any:
    def change(_files: Files, index: Index) -> None:
        next(line for line in index["deadlines"] if line["limit"] == limit).update(values)

    return change


def exchange_files(first: str, second: str) -> Any:
    def change(files: Files, _index: Index) -> None:
        one, two = (next(each for each in files if each.startswith(start)) for start in (first, second))
        files[one], files[two] = files[two], files[one]

    return change


def exchange_receipts(_files: Files, index: Index) -> None:
    one, two = index["messages"][0], index["messages"][2]
    one["receipt"], two["receipt"] = two["receipt"], one["receipt"]


def receipt_of_the_other_side(_files: Files, index: Index) -> None:
    index["messages"][0]["receipt"] = index["messages"][1]["receipt"]


def drop_message(files: Files, index: Index) -> None:
    """Take the reply out of the file, as if it had never been given."""
    gone = index["messages"].pop(1)
    for name in [gone["envelope"], gone["receipt"], *[document["file"] for document in gone["documents"]]]:
        del files[name]
    index["messages"][1]["number"] = 2


def drop_first(files: Files, index: Index) -> None:
    """Take the application out of the file."""
    gone = index["messages"].pop(0)
    for name in [gone["envelope"], gone["receipt"], *[document["file"] for document in gone["documents"]]]:
        del files[name]
    for number, line in enumerate(index["messages"], 1):
        line["number"] = number


def drop_receipt(files: Files, index: Index) -> None:
    del files[index["messages"][0]["receipt"]]
    index["messages"][0]["receipt"] = None


def message_twice(_files: Files, index: Index) -> None:
    index["messages"].append(index["messages"][0] | {"number": 4})


def move_deadline(files: Files, index: Index) -> None:
    """Let the time for the reply begin a day earlier, everywhere in the exporter's own words."""
    later, earlier = "2026-06-01T08:15:00+00:00", "2026-05-31T08:15:00+00:00"
    next(line for line in index["deadlines"] if line["limit"] == "reply")["started_at"] = earlier
    files["deadlines/reply.json"] = files["deadlines/reply.json"].replace(later.encode(), earlier.encode())


def drop_entry(files: Files, _index: Index) -> None:
    files[JOURNAL] = b"\n".join(files[JOURNAL].splitlines()[1:]) + b"\n"


def swap_entries(files: Files, _index: Index) -> None:
    first, second, *rest = files[JOURNAL].splitlines()
    files[JOURNAL] = b"\n".join([second, first, *rest]) + b"\n"


def other_entry(**values: Any) -> Any:
    """Change fields of the first journal entry, and make its hash again."""

    def change(files: Files, _index: Index) -> None:
        first, *rest = files[JOURNAL].splitlines()
        entry = json.loads(first) | values
        entry["hash"] = entry_hash(entry["id"], [entry[name] for name in FIELDS], entry["previous"])
        files[JOURNAL] = b"\n".join([json.dumps(entry).encode(), *rest]) + b"\n"

    return change


def other_report(**values: Any) -> Any:
    def change(files: Files, index: Index) -> None:
        name = next(each["file"] for each in index["messages"][0]["documents"] if each["kind"] == "report")
        files[name] = json.dumps(json.loads(files[name]) | values).encode()

    return change


def source_that_is_none(files: Files, _index: Index) -> None:
    whole = json.loads(files["deadlines/reply.json"])
    whole["answer"]["source"] = ["Art. 9"]
    files["deadlines/reply.json"] = json.dumps(whole).encode()


def foreign_certificate(files: Files, _index: Index) -> None:
    files["certificates/01-AT-BMI.pem"] = files["certificates/02-RS-MUP.pem"][:-30]


def unlisted(_files: Files, index: Index) -> None:
    index["case"]["judge"] = "impartial"


@pytest.mark.parametrize(
    ("item", "code", "change"),
    [
        ("message 1", "signature-invalid", other_bytes("messages/0001", b"accelerated", b"ordinary")),
        ("message 1", "message-mismatch", exchange_files("messages/0001", "messages/0003")),
        ("message 1", "message-mismatch", set_line(0, sha256="0" * 64)),
        ("message 2", "message-mismatch", set_line(1, type="ReadmissionApplication")),
        ("message 2", "message-mismatch", set_line(1, direction="in")),
        ("message 1", "message-mismatch", set_line(0, signed_at="2025-06-01T08:15:00+00:00")),
        ("message 2", "message-mismatch", set_line(1, sender="PK-MOI")),
        ("receipt of message 1", "receipt-mismatch", exchange_receipts),
        ("receipt of message 1", "receipt-mismatch", receipt_of_the_other_side),
        ("receipt of message 1", "receipt-mismatch", set_line(0, received_at="2026-05-30T08:15:00+00:00")),
        ("receipt of message 1", "receipt-mismatch", set_line(0, received_at=None)),
        ("receipt of message 1", "receipt-mismatch", set_line(0, outcome="refused", code="bad-value")),
        ("receipt of message 1", "signature-invalid", other_bytes("receipts/", b"accepted", b"refused")),
        ("receipt of message 1", "case-incomplete", drop_receipt),
        ("message 1", "case-incomplete", drop_first),
        ("messages", "case-incomplete", drop_first),
        ("messages", "case-index-invalid", message_twice),
        ("translation of message 1", "report-mismatch", exchange_files("documents/0001-report", "documents/0003-report")),
        ("translation of message 1", "report-mismatch", other_bytes("documents/0001-translated", b"<", b" <")),
        ("translation of message 2", "report-mismatch", other_bytes("documents/0002-original", b"<", b" <")),
        ("deadline reply", "deadline-mismatch", move_deadline),
        ("deadline reply", "case-index-invalid", set_deadline("reply", due_on="2026-06-30")),
        ("deadline reply", "case-index-invalid", set_deadline("reply", started_at="2026-05-31T08:15:00+00:00")),
        ("deadline transfer", "case-index-invalid", exchange_files("deadlines/transfer.json", "deadlines/reply.json")),
        ("journal", "journal-mismatch", other_bytes(JOURNAL, b"message.received", b"message.refused_")),
        ("journal", "journal-mismatch", drop_entry),
        ("journal", "journal-mismatch", other_entry(event=["message.sent"])),
        ("journal", "journal-mismatch", other_entry(id=True)),
        ("journal", "journal-mismatch", other_entry(at="yesterday")),
        ("journal", "journal-mismatch", other_entry(at="2026-13-41T25:61:61.000000+00:00")),
        ("journal", "journal-mismatch", other_entry(actor=None)),
        ("journal", "journal-mismatch", other_entry(previous=None)),
        ("translation of message 1", "report-mismatch", other_report(dropped="none")),
        ("translation of message 1", "report-mismatch", other_report(**{"from": ["canonical"]})),
        ("deadline reply", "case-index-invalid", source_that_is_none),
        ("journal", "journal-mismatch", swap_entries),
        ("certificates", "case-index-invalid", foreign_certificate),
    ],
)
def test_lie_of_the_exporter_is_found(sample: Sample, tmp_path: Path, item: str, code: str, change: Any) -> None:
    assert (item, code) in refused(forged(sample, tmp_path / "lie.asice", change), sample)


@pytest.mark.parametrize(
    "change",
    [
        unlisted,
        lambda _f, index: index.update(format="readmission-gateway case file 2"),
        lambda _f, index: index["messages"][0].pop("receipt"),
        lambda _f, index: index["messages"][0].update(number="1"),
        lambda _f, index: index["messages"][0].update(number=True),
        lambda _f, index: index["messages"][0].update(envelope="messages/0007-in-Withdrawal.xml"),
        lambda _f, index: index["deadlines"][0].update(known="yes"),
        lambda _f, index: index["deadlines"][0].update(started_at="2026-06-01T08:15:00"),
        lambda _f, index: index["deadlines"][0].update(started_at="yesterday"),
        lambda _f, index: index.update(messages={}),
        lambda _f, index: index["messages"][0].update(direction="sideways"),
        lambda _f, index: index["deadlines"][0].update(limit="[/bold]"),
        lambda files, _i: files.pop(JOURNAL),
    ],
)
def test_index_of_another_form_is_refused(sample: Sample, tmp_path: Path, change: Any) -> None:
    assert refused(forged(sample, tmp_path / "index.asice", change), sample) == [("container", "case-index-invalid")]


def test_case_file_without_an_index_is_refused(sample: Sample, tmp_path: Path) -> None:
    path = pack(without(sample.files, NAME), tmp_path / "none.asice", sample.key())
    assert refused(path, sample) == [("container", "case-index-invalid")]


def test_index_that_is_no_json_is_refused(sample: Sample, tmp_path: Path) -> None:
    path = pack(sample.files | {NAME: b'{"a": 1, "a": 2}'}, tmp_path / "none.asice", sample.key())
    assert refused(path, sample) == [("container", "malformed-json")]


def test_silent_gap_in_the_middle_is_found_by_the_journal_or_the_deadlines(sample: Sample, tmp_path: Path) -> None:
    found = judge(forged(sample, tmp_path / "gap.asice", drop_message), sample)
    lines = {item.item: item.verdict for item in found.items}
    assert lines["deadline transfer"] == "not-proven"  # it was started by the reply that is gone


def test_message_that_was_refused_is_told_without_its_bytes(sample: Sample, tmp_path: Path) -> None:
    def change(files: Files, index: Index) -> None:
        line = index["messages"][2]
        for name in [line["envelope"], line["receipt"], *[document["file"] for document in line["documents"]]]:
            del files[name]
        line.update(envelope=None, receipt=None, documents=[], outcome="refused", code="bad-value")

    found = judge(forged(sample, tmp_path / "refused.asice", change), sample)
    says = {item.item: (item.verdict, item.says) for item in found.items}
    assert found.verdict == "valid"
    assert says["message 3"] == (
        "not-proven",
        "The transfer notification of AT-BMI was refused (bad-value); its bytes were not kept.",
    )
    assert says["receipt of message 3"][0] == "not-proven"


# --- anything -----------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(min_value=0, max_value=1, exclude_max=True), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_refused(sample: Sample, tmp_path: Path, where: float, flip: int) -> None:
    data = bytearray(sample.path.read_bytes())
    data[int(where * len(data))] ^= flip
    path = tmp_path / "flipped.asice"
    path.write_bytes(data)
    assert refused(path, sample)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([NAME, JOURNAL, "deadlines/reply.json", SIGNATURES]), body=st.binary(max_size=200))
def test_any_bytes_in_any_file_give_a_verdict(sample: Sample, tmp_path: Path, name: str, body: bytes) -> None:
    files = sample.files | {name: body}
    path = pack(files, tmp_path / "any.asice", None if name == SIGNATURES else sample.key())
    assert judge(path, sample).verdict == "refused"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5), data=st.data()
)
def test_any_value_in_the_index_gives_a_verdict(sample: Sample, tmp_path: Path, value: Any, data: st.DataObject) -> None:
    def change(_files: Files, index: Index) -> None:
        holder: Any = index
        while True:
            key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))))
            if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
                holder[key] = value
                return
            holder = holder[key]

    try:
        path = forged(sample, tmp_path / "any.asice", change)
    except (TypeError, KeyError, IndexError, AttributeError):
        return  # the tool of the test cannot write what it was told to; nothing was judged
    assert judge(path, sample).verdict in {"valid", "refused"}


def test_folder_of_the_stranger_is_left_as_it_was(sample: Sample) -> None:
    before = sorted(path.name for path in sample.keys.rglob("*"))
    judge(sample.path, sample)
    assert sorted(path.name for path in sample.keys.rglob("*")) == before


def test_more_files_than_allowed_are_refused_before_any_is_read(sample: Sample, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.wire.container.MAX_ENTRIES", 5)
    assert MAX_ENTRIES > 5
    assert refused(sample.path, sample) == [("container", "container-too-large")]


def test_unpacked_and_packed_again_the_container_is_byte_for_byte_the_same(sample: Sample, tmp_path: Path) -> None:
    assert pack(unpack(sample.path), tmp_path / "same.asice").read_bytes() == sample.path.read_bytes()
