"""What others vouch for in a case file: timestamps, signed roots over the journal, and what issuers say about revocation."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain import proofs
from gateway.errors import TimestampUnavailable
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import verify_case_file
from gateway.flow.evidence import gather
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.wire.case_index import PROOFS
from tests.packs import LATER, SCHEMAS, Sample, forged, pack, row_id, unpack
from tests.steps import ASKING, Thread
from tests.timestamping import Faulty

pytestmark = pytest.mark.anyio

SIGNATURES = "META-INF/signatures001.xml"


@pytest.fixture
async def stamped(case: Thread, keys: Path, clock, tmp_path: Path) -> Sample:
    """A case file of AT-BMI whose journal lies under a timestamped root, and that is timestamped itself."""
    await case.answered()
    rt = replace(case.west.rt, authorities=(DevelopmentAuthority.load(keys, clock),))
    clock.move(minutes=2)
    gather(rt)
    clock.move(minutes=2)
    out = tmp_path / "stamped.asice"
    export_case(row_id(case, ASKING), out, rt, actor="officer.one", purpose=None)
    return Sample(path=out, keys=keys)


def judge(path: Path, sample: Sample):
    return verify_case_file(path, sample.keys / "anchors", LATER, SCHEMAS, timestamp_anchors=sample.keys / "timestamp-anchors")


def verdicts(found) -> dict[str, tuple[str, str | None]]:
    return {item.item: (item.verdict, item.code) for item in found.items}


async def test_container_and_journal_are_vouched_for_by_a_timestamp_authority(stamped: Sample) -> None:
    found = judge(stamped.path, stamped)
    says = {item.item: item.says for item in found.items}
    assert found.verdict == "valid"
    assert says["container"].endswith("A timestamp authority vouches that it was there on 1 June 2026, 08:19:00 UTC.")
    assert verdicts(found)["journal proofs"] == ("valid", None)
    assert "were there on 1 June 2026, 08:17:00 UTC at the latest" in says["journal proofs"]


async def test_every_entry_comes_with_its_proof(stamped: Sample) -> None:
    files = unpack(stamped.path)
    entries = [json.loads(line) for line in files["journal/entries.jsonl"].splitlines()]
    found = {name: proofs.from_json(body) for name, body in files.items() if name.startswith(PROOFS)}
    assert set(found) == {f"{PROOFS}{entry['id']}.json" for entry in entries}
    assert {proof.hash for proof in found.values()} == {entry["hash"] for entry in entries}


async def test_entries_without_a_root_yet_are_not_proven(sample: Sample) -> None:
    assert verdicts(judge(sample.path, sample))["journal proofs"] == ("not-proven", None)


async def test_stranger_who_trusts_no_timestamp_authority_is_told_so(stamped: Sample, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    found = verify_case_file(stamped.path, stamped.keys / "anchors", LATER, SCHEMAS, timestamp_anchors=tmp_path / "none")
    assert found.verdict == "valid"
    assert verdicts(found)["journal proofs"] == ("not-proven", None)
    assert "vouches" not in found.items[0].says


async def test_timestamp_of_another_signature_is_refused(stamped: Sample, tmp_path: Path) -> None:
    files = unpack(stamped.path)
    again = unpack(pack(files, tmp_path / "again", stamped.key(ASKING)))[SIGNATURES]
    start, end = (files[SIGNATURES].index(tag) for tag in (b"<xades:UnsignedProperties>", b"</xades:QualifyingProperties>"))
    place = again.index(b"</xades:QualifyingProperties>")
    moved = again[:place] + files[SIGNATURES][start:end] + again[place:]
    path = pack(files | {SIGNATURES: moved}, tmp_path / "moved")
    assert verdicts(judge(path, stamped)) == {"container": ("refused", "timestamp-mismatch")}


@pytest.mark.parametrize(
    ("token", "code"), [(b"AAAA", "timestamp-malformed"), (b"=", "signature-profile"), (b"AAA=AA", "signature-profile")]
)
async def test_token_that_is_none_is_refused(stamped: Sample, tmp_path: Path, token: bytes, code: str) -> None:
    files = unpack(stamped.path)
    body = files[SIGNATURES]
    tag = b"<xades:EncapsulatedTimeStamp>"
    start, end = body.index(tag) + len(tag), body.index(b"</xades:EncapsulatedTimeStamp>")
    path = pack(files | {SIGNATURES: body[:start] + token + body[end:]}, tmp_path / "token")
    assert verdicts(judge(path, stamped)) == {"container": ("refused", code)}


async def test_proof_of_another_entry_is_refused(stamped: Sample, tmp_path: Path) -> None:
    def change(files, _index) -> None:
        first, second = sorted(name for name in files if name.startswith(PROOFS))[:2]
        files[first], files[second] = files[second], files[first]

    path = forged(stamped, tmp_path / "swapped", change, key=stamped.key(ASKING))
    assert verdicts(judge(path, stamped))["journal proofs"] == ("refused", "journal-mismatch")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"path": [', b'"path": ["' + b"0" * 64 + b'", ', "root-invalid"),
        (b'"v": 1', b'"v": 2', "root-invalid"),
        (b'"signature": "', b'"signature": "AA', "timestamp-mismatch"),
    ],
)
async def test_changed_proof_is_refused(stamped: Sample, tmp_path: Path, old: bytes, new: bytes, code: str) -> None:
    def change(files, _index) -> None:
        name = next(each for each in files if each.startswith(PROOFS))
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    path = forged(stamped, tmp_path / "changed", change, key=stamped.key(ASKING))
    found = verdicts(judge(path, stamped))["journal proofs"]
    assert found[0] == "refused"
    assert found[1] == code


async def test_nothing_is_written_when_the_timestamp_authority_does_not_answer(case: Thread, keys, clock, tmp_path) -> None:
    down = Faulty(behind=DevelopmentAuthority.load(keys, clock), down=True)
    rt = replace(case.west.rt, authorities=(down,))
    with pytest.raises(TimestampUnavailable):
        export_case(row_id(case, ASKING), tmp_path / "x.asice", rt, actor="officer.one", purpose=None)
    assert not (tmp_path / "x.asice").exists()


# --- proofs that hold more, or less, than they say ----------------------------------------------------------------------


def in_the_first_proof(change):
    def changed(files, _index) -> None:
        name = next(each for each in files if each.startswith(PROOFS))
        whole = json.loads(files[name])
        change(whole)
        files[name] = json.dumps(whole).encode()

    return changed


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole["roots"][0].update(note="unsigned"),
        lambda whole: whole["timestamp"].update(note="unsigned"),
        lambda whole: whole.update(timestamp=["token"]),
        lambda whole: whole.update(path=whole["path"] + ["0" * 64]),
        lambda whole: whole.update(roots=[1] * 5_000),
    ],
)
async def test_proof_of_another_form_is_refused(stamped: Sample, tmp_path: Path, change) -> None:
    path = forged(stamped, tmp_path / "proof.asice", in_the_first_proof(change), key=stamped.key(ASKING))
    assert verdicts(judge(path, stamped))["journal proofs"] == ("refused", "root-invalid")


async def test_second_proof_of_an_entry_does_not_hide_behind_a_zero(stamped: Sample, tmp_path: Path) -> None:
    def hide(files, _index) -> None:
        name = next(each for each in files if each.startswith(PROOFS))
        files[name.replace(PROOFS, f"{PROOFS}0")] = b"{}"

    path = forged(stamped, tmp_path / "zero.asice", hide, key=stamped.key(ASKING))
    assert verdicts(judge(path, stamped))["attachments"] == ("refused", "attachment-unsigned")
