"""Every place where foreign bytes come in, as a function of bytes that only ever says yes or raises one of our errors.

The fuzzer (tests/fuzz/fuzz.py) and the mutation tests (tests/attacks/test_mutations.py) both run these. A defect shows as
any other exception. Where a signature or a seal guards the bytes the property is stronger: nothing but the genuine bytes
is accepted.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gateway.cli.mrz import as_dict
from gateway.errors import CertificateNotValid, GatewayError, NotText
from gateway.flow.ports import Runtime
from gateway.settings import Settings, data_folder
from gateway.stages import Received
from gateway.trust.authorities import obtain
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.key_documents import accept
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.states import State
from gateway.trust.seal import peek, seal, unseal
from gateway.trust.sealing_keys import SEALING_KEYS
from gateway.trust.sign import sign
from gateway.trust.timestamps import check
from gateway.trust.verify import verify, verify_by_steps
from gateway.wire.check import examine
from gateway.wire.documents import canonicalize, parse_json, parse_xml
from gateway.wire.examples import fresh_header
from gateway.wire.mrz import compare, read_mrz, write_mrz
from gateway.wire.reading import header_of, read
from gateway.wiring import build
from tests.throwaway_ca import root
from tests.zones import LONG, SPECIMENS

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
BROKEN = Path(__file__).resolve().parents[1] / "vectors" / "broken"
LONGEST = 2000  # characters of a refusal; the longest lists the codes that are allowed
APPLICATION = "ReadmissionApplication-own-national"


class LetThroughError(AssertionError):
    """Something was accepted that nobody signed or sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One way in: `corpus` is where a fuzzer begins, `enter` raises `GatewayError` or returns."""

    corpus: Sequence[bytes]
    enter: Callable[[bytes], object]

    def try_(self, body: bytes) -> bool:
        """Return whether `body` was accepted."""
        try:
            self.enter(body)
        except GatewayError as refusal:
            sentence = refusal.message
        else:
            return True
        assert len(sentence) < LONGEST, "a refusal repeats the document"
        return False


def _files(folder: Path, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob(pattern)) if path.stat().st_size < 50_000]


@cache
def _canonical() -> tuple[bytes, ...]:
    return tuple(_files(EXAMPLES, "*.xml"))


def _xml(body: bytes) -> None:
    parse_xml(canonicalize(parse_xml(body)))


def _json(body: bytes) -> None:
    parse_json(body)


def entrances(rt: Runtime) -> Mapping[str, Entrance]:
    """Return every way in of a gateway with development keys of all authorities."""
    found = {
        "xml": Entrance(corpus=[*_canonical(), *_files(BROKEN, "*.xml")], enter=_xml),
        "json": Entrance(corpus=_files(BROKEN, "*.json"), enter=_json),
        "envelope": _envelope(rt),
        "seal": _seal(rt),
        "sealing-key": _sealing_key(rt),
        "revocation-list": _revocation("x.crl"),
        "revocation-answer": _revocation("x.ocsp"),
        "timestamp": _timestamp(rt),
        "message": _message(rt),
        "mrz": _mrz(),
    }
    for partner in rt.partners.partners.values():
        for dialect in partner.dialects.values():
            found[f"dialect-{dialect.id.replace('/', '-')}"] = _dialect(rt, dialect.id, data_folder("partners"))
    return found


def runtime(keys: Path) -> Runtime:
    """Return a runtime on development keys, without a database to speak of."""
    return build(Settings(keys=keys, database="sqlite:///:memory:", broker="memory"), prepare_database=True)


def _envelope(rt: Runtime) -> Entrance:
    genuine = {sign(parse_xml(body), rt.ring.signing(_sender(body)), NOW).body for body in _canonical()}

    def enter(body: bytes) -> None:
        verdicts: list[GatewayError | None] = []
        for way in (verify, verify_by_steps):
            try:
                way(body, rt.trust, NOW)
                verdicts.append(None)
            except GatewayError as refusal:
                verdicts.append(refusal)
        if (verdicts[0] is None) != (verdicts[1] is None):
            raise LetThroughError("the short way and the steps disagree")
        if verdicts[0] is not None:
            raise verdicts[0]
        if body not in genuine:
            raise LetThroughError("an envelope that nobody signed is valid")

    return Entrance(corpus=sorted(genuine), enter=enter)


def _sender(body: bytes) -> str:
    return header_of(parse_xml(body))["Sender"]


def _seal(rt: Runtime) -> Entrance:
    genuine: set[bytes] = set()
    for body in _canonical()[:6]:
        header = header_of(parse_xml(body))
        signed = sign(parse_xml(body), rt.ring.signing(header["Sender"]), NOW)
        genuine.add(
            seal(
                signed,
                message_id=header["MessageId"],
                sender=header["Sender"],
                recipient=header["Recipient"],
                trust=rt.trust,
            ).body
        )

    def enter(body: bytes) -> None:
        peek(body)
        unseal(Received(body=body, received_at=NOW, transport="fuzz"), rt.ring, rt.trust)
        if body not in genuine:
            raise LetThroughError("a sealed message that nobody sealed was opened")

    return Entrance(corpus=sorted(genuine), enter=enter)


def _sealing_key(rt: Runtime) -> Entrance:
    def enter(body: bytes) -> None:
        accept(SEALING_KEYS, body, "BA-MS", rt.trust.verdict)

    return Entrance(corpus=_files(rt.settings.keys / "sealing", "BA-MS*.json"), enter=enter)


def _timestamp(rt: Runtime) -> Entrance:
    """A timestamp over bytes of ours: no other token than the one that the authority gave is good for them."""
    over = b"what was signed"
    given = obtain(over, [DevelopmentAuthority.load(rt.settings.keys, lambda: NOW)], rt.trust.timestamp_anchors, lambda: NOW)
    anchors = rt.trust.timestamp_anchors

    def enter(body: bytes) -> None:
        check(body, over, anchors)
        if body != given.token:
            raise LetThroughError("a timestamp that no authority gave is good")

    return Entrance(corpus=[given.token], enter=enter)


def _revocation(file: str) -> Entrance:
    """What an issuer says of a certificate: it may prove that it is good or revoked, or nothing; it never breaks anything."""
    issuer = root(NOW)
    leaf = issuer.issue()
    given = issuer.crl() if file.endswith(".crl") else issuer.answer(leaf.certificate, responder=issuer.make_responder())
    corpus = [given, issuer.crl(leaf.certificate) if file.endswith(".crl") else issuer.answer(leaf.certificate)]

    def enter(body: bytes) -> None:
        known = Evidence.of({file: body}).standing(leaf.certificate, issuer.certificate, NOW)
        if known.state is State.UNKNOWN:
            raise CertificateNotValid("nothing is proven")
        if known.state is State.GOOD and body not in corpus:
            raise LetThroughError("a certificate is good by what its issuer did not say")

    return Entrance(corpus=corpus, enter=enter)


def _message(rt: Runtime) -> Entrance:
    """A canonical message as XML or JSON: the verdict; and if it is good, the domain reads it and every dialect writes it."""

    def enter(body: bytes) -> None:
        verdict = examine(body, rt.schemas, authorities=rt.partners.authorities)
        if verdict.errors:
            raise verdict.errors[0]
        document = rt.schemas.from_json(parse_json(body)) if body.lstrip()[:1] in {b"{", b"["} else parse_xml(body)
        checked = rt.schemas.check(document)
        rt.schemas.from_json(rt.schemas.to_json(document))
        read(checked)
        for translator in rt.translators.values():
            try:
                translator.from_canonical(document)
            except GatewayError:
                continue  # this format cannot carry it; another may

    as_json = parse_xml((EXAMPLES / f"{APPLICATION}.xml").read_bytes())
    corpus = [*_canonical(), json.dumps(rt.schemas.to_json(as_json), ensure_ascii=False).encode()]
    return Entrance(corpus=corpus, enter=enter)


def _mrz() -> Entrance:
    """A machine-readable zone as somebody pasted it: its fields told, and held against an application."""
    application = parse_xml((EXAMPLES / f"{APPLICATION}.xml").read_bytes())

    def enter(body: bytes) -> None:
        try:
            zone = body.decode()
        except UnicodeDecodeError:
            raise NotText("the zone is no text") from None
        found = read_mrz(zone)
        json.dumps(as_dict(found, NOW.date()))
        compare(found, application, NOW.date())
        if found.fits and read_mrz(write_mrz(found.fields)).fields != found.fields:
            raise LetThroughError("a zone whose digits fit is read in two ways")

    return Entrance(corpus=[zone.encode() for zone in (*SPECIMENS.values(), LONG)], enter=enter)


def _dialect(rt: Runtime, name: str, partners: Path) -> Entrance:
    """A document in a partner's own format: into our words, checked, and out again."""
    partner, _, short = name.partition("/")
    folder = partners / partner / "dialects" / short / "examples"
    translator = rt.translators[name]

    def enter(body: bytes) -> None:
        found = translator.to_canonical(body, fill=fresh_header(NOW))
        assert found.document is not None
        read(rt.schemas.check(found.document))
        translator.from_canonical(found.document)

    return Entrance(corpus=_files(folder, f"*{rt.partners.dialect(name).form.suffix}"), enter=enter)
