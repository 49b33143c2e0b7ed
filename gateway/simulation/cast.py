"""Who plays, and with which application: found among the examples that come with partners and schemas."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError, NotFound, Refused
from gateway.flow.clockwork import check_binds
from gateway.flow.ports import Runtime
from gateway.partners.dialects import Dialect
from gateway.stages import Tree
from gateway.wire.check import canonical_document
from gateway.wire.documents import NS, read_file
from gateway.wire.reading import complete_header, header_of, text, without_header

GATEWAY_FILLS = ("MessageId", "CaseReference", "Sequence", "Created", "InReplyTo")
_INVENTED = {  # what the gateway would fill; only to see whether the rest can be carried
    "MessageId": "01900000-0000-7000-8000-000000000000",
    "CaseReference": "AAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Sequence": "1",
    "Created": "2026-01-01T00:00:00Z",
}
_PLAIN = ("national", "name", "accelerated")  # in the name of a file
EXAMPLES = Path("readmission") / "1.0" / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One application from our side to an authority of the partner, without what a gateway fills."""

    ours: str
    theirs: str
    application: Tree
    example: str  # where it was found


def find_cast(rt: Runtime, partner: str, counterpart: str | None = None) -> Cast:
    """Return who plays: with an example that is addressed to the partner, or one that a treaty lets be addressed to it.

    It is one that the partner's own format can carry. `counterpart` is the authority on our side; not given: a home authority
    if one fits, else any. Raises `UnknownPartner`, `NotFound` where no treaty binds the partner to anybody whose example there
    is, and what translating the first of them raises where the format can carry none.
    """
    why: Refused | None = None
    for cast in _casts(rt, partner, counterpart):
        application = deepcopy(cast.application)
        complete_header(application, _INVENTED)
        try:
            rt.translator(cast.theirs).from_canonical(application)
        except Refused as error:
            why = why or error
        else:
            return cast
    if why is not None:
        raise why
    raise NotFound(f"no example of an application fits {partner}: no treaty binds it to {counterpart or 'any other partner'}")


def _casts(rt: Runtime, partner: str, counterpart: str | None) -> Iterator[Cast]:
    """Yield who could play, the best first."""
    codes = {authority.code for authority in rt.partners.partner(partner).authorities}
    wanted = (counterpart,) if counterpart else (*rt.settings.home, *sorted(rt.partners.authorities))
    others = [code for code in dict.fromkeys(wanted) if code not in codes]
    plain = list(_applications(_plain(rt), rt))
    for ours in others:
        for name, document in plain:
            header = header_of(document)
            if header.get("Sender") == ours and header.get("Recipient") in codes and _binds(document, rt):
                application = without_header(deepcopy(document), GATEWAY_FILLS)
                yield Cast(ours=ours, theirs=header["Recipient"], application=application, example=name)
    yield from _addressed_anew(plain, others, codes, rt)
    own = [path for code in sorted(codes) for path in _examples(rt.partners.dialect(rt.partners.authority(code).dialect))]
    yield from _addressed_anew(
        list(_applications(own, rt)), others, codes, rt
    )  # a narrow format may carry no example but its own


def _addressed_anew(found: list[tuple[str, Tree]], others: list[str], codes: set[str], rt: Runtime) -> Iterator[Cast]:
    for ours in others:
        for theirs in sorted(codes):
            for name, document in found:
                changed = _addressed(document, ours, theirs, rt)
                if changed is not None:
                    yield Cast(ours=ours, theirs=theirs, application=changed, example=name)


def _plain(rt: Runtime) -> list[Path]:
    """Return the plainest examples first: of nationals, without relatives."""
    places = [sorted((rt.settings.schemas / EXAMPLES).glob("*.xml")), *map(_examples, rt.partners.dialects.values())]
    paths = [path for place in places for path in place if any(word in path.name for word in _PLAIN)]
    return sorted(paths, key=lambda path: ("own-national" not in path.name, "accelerated" in path.name))


def _examples(dialect: Dialect) -> list[Path]:
    return sorted((dialect.folder / "examples" / "canonical").glob("*.xml"))


def _applications(paths: Iterable[Path], rt: Runtime) -> Iterator[tuple[str, Tree]]:
    """Yield the canonical applications among these files."""
    for path in paths:
        try:
            document = canonical_document(read_file(path), rt.schemas)
        except GatewayError:
            continue  # `gateway partner check` says what is wrong with an example
        if str(document.tag) == f"{{{NS}}}ReadmissionApplication":
            yield path.stem, document


def _binds(document: Tree, rt: Runtime) -> bool:
    header = header_of(document)
    agreement = text(document, "Request/Agreement") or ""
    try:
        check_binds(agreement, requesting=header.get("Sender", ""), requested=header.get("Recipient", ""), rt=rt)
    except GatewayError:
        return False
    return True


def _addressed(document: Tree, ours: str, theirs: str, rt: Runtime) -> Tree | None:
    """Return the application between these two under a treaty that binds them, None if there is none."""
    for treaty in rt.treaties.values():
        if treaty.agreement is None and rt.treaty(treaty.id, ours, theirs).binds(ours[:2], theirs[:2]):
            changed = without_header(deepcopy(document), (*GATEWAY_FILLS, "Sender", "Recipient"))
            complete_header(changed, {"Sender": ours, "Recipient": theirs})
            changed.find(f"{{{NS}}}Request/{{{NS}}}Agreement").text = treaty.id
            return changed
    return None
