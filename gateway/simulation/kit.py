"""The conformance kit: everything the engineers of a partner need, in one archive that is the same bytes each time.

Nothing of a running installation is in it: no key, no message, no address. The samples are signed by specimen keys, which
follow from names; of those the kit holds the certificates.
"""

import json
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.domain.moves import EVENT_OF, NEXT
from gateway.errors import GatewayError, PartnerInvalid
from gateway.flow.ports import Runtime
from gateway.partners.versions import version_of
from gateway.simulation.attacks import CLASSES
from gateway.simulation.cast import Cast, find_cast
from gateway.simulation.forgeries import Forge, forged_from
from gateway.simulation.kit_words import readme
from gateway.trust.specimen_keys import SpecimenSigners
from gateway.wire.documents import read_file
from gateway.wire.examples import example_files
from gateway.wire.reading import complete_header

SIGNED_AT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)  # after the time at which the examples say they were made
STRANGER = "XX-OTHER"
LARGEST_SAMPLE = 100_000  # bytes; larger ones only show that a limit holds
_PRIVATE = b"PRIVATE KEY-----"  # as PEM begins and ends one, of whichever kind
_STAMP = (1980, 1, 1, 0, 0, 0)
_SPECIMEN_HEADER = {
    "Header/MessageId": "019ad0c4-0000-7000-8000-000000000001",
    "Header/CaseReference": "AAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Header/Sequence": "1",
    "Header/Created": "2026-12-01T07:55:00Z",  # another instant than that of signing: the samples change that one
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What was packed."""

    partner: str
    counterpart: str
    files: Mapping[str, bytes]

    def packed(self) -> bytes:
        """Return the archive: files in alphabetical order, without times, uncompressed (no library decides the bytes)."""
        out = BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(self.files):
                entry = zipfile.ZipInfo(f"{self.partner}-kit/{name}", _STAMP)
                entry.create_system, entry.external_attr = 3, 0o644 << 16
                archive.writestr(entry, self.files[name])
        return out.getvalue()


def make_kit(rt: Runtime, partner: str, *, counterpart: str | None, documents: Mapping[str, bytes]) -> Kit:
    """Return the kit for a partner; `documents` are further files by name (errors, OpenAPI, AsyncAPI).

    Raises `UnknownPartner`, and `NotFound` where no treaty binds the partner to anybody.
    """
    cast = find_cast(rt, partner, counterpart)
    folders = sorted({partner, rt.partners.authority(cast.ours).partner})
    files: dict[str, bytes] = dict(documents)
    files |= dict(_tree(rt.settings.schemas / "readmission" / "1.0", "schemas/readmission/1.0"))
    for code in folders:
        files |= dict(_tree(rt.settings.partners / code, f"partners/{code}"))
    files |= dict(_treaties(rt, folders)) | dict(_calendars(rt, folders))
    files |= dict(_expected(rt, partner))
    files |= {"moves.json": _json(_moves()), "clocks.json": _json(_clocks(rt, partner))}
    files |= dict(_attacks(cast))
    files["gateway.toml"] = _settings(cast)
    files["script.toml"] = _script(cast)
    files["README.md"] = readme(partner, cast, _first_example(rt, partner)).encode()
    files["kit.json"] = _json(
        {
            "partner": partner,
            "folder": version_of(rt.directory.known.versions[partner]),
            "played": cast.theirs,
            "counterpart": cast.ours,
            "schemas": "readmission/1.0",
            "gateway": __version__,
            "files": {name: sha256(body).hexdigest() for name, body in sorted(files.items())},
        }
    )
    return Kit(partner=partner, counterpart=cast.ours, files=files)


def _tree(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__")) for part in inside.parts):
            body = path.read_bytes()
            if _PRIVATE in body:
                raise PartnerInvalid(f"{inside.as_posix()} holds a private key: it does not belong into a partner folder")
            yield f"{name}/{inside.as_posix()}", body


def _treaties(rt: Runtime, folders: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the rule files that bind one of these states, and the agreements that such a protocol lies over."""
    states = {rt.partners.partner(code).state for code in folders}
    wanted = {treaty.id for treaty in rt.treaties.values() if any(states & party.states for party in treaty.parties)}
    wanted |= {treaty.agreement for treaty in rt.treaties.values() if treaty.id in wanted and treaty.agreement}
    for name, body in _tree(rt.settings.partners / "treaties", "partners/treaties"):
        if name.endswith(".toml") and tomllib.loads(body.decode()).get("id") in wanted:
            yield name, body


def _calendars(rt: Runtime, folders: list[str]) -> Iterator[tuple[str, bytes]]:
    wanted = {rt.partners.partner(code).calendar for code in folders}
    wanted |= {authority.calendar for code in folders for authority in rt.partners.partner(code).authorities}
    for name, body in _tree(rt.settings.partners / "calendars", "partners/calendars"):
        if Path(name).stem in wanted:
            yield name, body


def _expected(rt: Runtime, partner: str) -> Iterator[tuple[str, bytes]]:
    """Yield, for each example of the partner's dialects, the canonical form and both mapping reports; and every digest."""
    digests: dict[str, Any] = {}
    for dialect in rt.partners.partner(partner).dialects.values():
        translator = rt.translators[dialect.id]
        for path in example_files(dialect):
            name = f"{dialect.id.partition('/')[2]}/{path.name}"
            body = read_file(path)
            try:
                inward = translator.to_canonical(body, fill=_SPECIMEN_HEADER)
                outward = translator.from_canonical(inward.document)
            except GatewayError:
                continue  # `gateway partner check` says what is wrong with it; an expectation it gives none
            yield f"expected/{name}.canonical.xml", inward.body
            yield f"expected/{name}.to-canonical.json", inward.report.as_json()
            yield f"expected/{name}.from-canonical.json", outward.report.as_json()
            digests[name] = {
                "type": inward.type,
                "sha256": sha256(body).hexdigest(),
                "canonical_sha256": sha256(inward.body).hexdigest(),
                "written_back_sha256": sha256(outward.body).hexdigest(),
            }
    yield "expected/digests.json", _json(digests)


def _first_example(rt: Runtime, partner: str) -> tuple[str, str]:
    """Return the path in the kit and the dialect of an example to begin with."""
    for dialect in rt.partners.partner(partner).dialects.values():
        for path in sorted(example_files(dialect), key=lambda path: "own-national" not in path.name):
            return f"partners/{partner}/dialects/{dialect.id.partition('/')[2]}/examples/{path.name}", dialect.id
    return "schemas/readmission/1.0/examples/ReadmissionApplication-own-national.xml", "canonical"


def _moves() -> list[dict[str, str]]:
    """Return who may send what, while a case stands how, and what it becomes."""
    named: dict[str, list[str]] = {}
    for (kind, outcome), event in EVENT_OF.items():
        named.setdefault(str(event), []).append(f"{kind}: {outcome}" if outcome else kind)
    rows = [
        {
            "message": " or ".join(named.get(str(event), [str(event)])),
            "while": str(before),
            "side": str(side),
            "becomes": str(after),
        }
        for (before, event, side), after in NEXT.items()
    ]
    return sorted(rows, key=lambda row: tuple(row.values()))  # the table is made from sets


def _clocks(rt: Runtime, partner: str) -> list[dict[str, Any]]:
    """Return the limits of every treaty that binds the partner's state, with article and how sure they are."""
    state = rt.partners.partner(partner).state
    return [
        {
            "treaty": treaty.id,
            "limit": row.id,
            "who": str(row.who),
            "from": row.start,
            "direction": str(row.direction),
            "amount": row.amount,
            "unit": str(row.unit),
            "procedures": sorted(row.procedures),
            "on_lapse": str(row.on_lapse),
            "source": row.source,
            "confidence": str(row.confidence),
        }
        for treaty in rt.treaties.values()
        if any(state in party.states for party in treaty.parties)
        for row in treaty.limits
    ]


def _attacks(cast: Cast) -> Iterator[tuple[str, bytes]]:
    """Yield one forged envelope of each class, what it must be refused with, and the genuine one they were made from."""
    document = cast.application
    complete_header(document, {name.partition("/")[2]: value for name, value in _SPECIMEN_HEADER.items()})
    signers = SpecimenSigners.make((cast.ours,))
    yield "keys/anchors/specimen.pem", signers.root_pem()
    yield f"keys/pinned/{cast.ours}.pem", signers.certificate_pem(cast.ours)
    forge = Forge.specimen(document, SIGNED_AT, sender=cast.ours, other=STRANGER)
    yield "attacks/genuine.xml", forge.genuine
    expected: dict[str, Any] = {"genuine.xml": {"verdict": "valid"}}
    done: set[int] = set()
    for each in forged_from(forge):
        if each.row in done or len(each.body) > LARGEST_SAMPLE:
            continue
        done.add(each.row)
        name = f"{each.row:02}-{each.name}.xml"
        yield f"attacks/{name}", each.body
        expected[name] = {"verdict": "refused", "code": each.code, "class": each.row, "what": CLASSES[each.row]}
    yield "attacks/expected.json", _json(expected)


def _settings(cast: Cast) -> bytes:
    return (
        "# For the commands of the README; run them in this folder.\n"
        f'home = ["{cast.theirs}"]\n'
        'partners = "partners"\nschemas = "schemas"\nkeys = "keys"\ndatabase = "sqlite:///kit.sqlite3"\n'
        'calendar_changes = "calendar-changes.toml"\n'
    ).encode()


def _script(cast: Cast) -> bytes:
    return (
        "# A script to begin with: gateway simulate CODE --script script.toml\n"
        f'counterpart = "{cast.ours}"\nmost_seconds = 300\n\n'
        '[[play]]\nbehaviour = "accept"\ntimes = 2\n\n[[play]]\nbehaviour = "silent"\n\n[[play]]\nattack = "all"\n'
    ).encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode() + b"\n"
