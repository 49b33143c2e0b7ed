"""Who plays, and with which application: found among the examples that come with partners and schemas."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError, NotFound
from gateway.flow.clockwork import check_binds
from gateway.flow.ports import Runtime
from gateway.stages import Tree
from gateway.wire.check import canonical_document
from gateway.wire.documents import NS, read_file
from gateway.wire.reading import complete_header, header_of, text, without_header

GATEWAY_FILLS = ("MessageId", "CaseReference", "Sequence", "Created", "InReplyTo")
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

    `counterpart` is the authority on our side; not given: a home authority if one fits, else any. Raises `UnknownPartner`,
    `NotFound` where no treaty binds the partner to anybody whose example there is.
    """
    codes = {authority.code for authority in rt.partners.partner(partner).authorities}
    wanted = (counterpart,) if counterpart else (*rt.settings.home, *sorted(rt.partners.authorities))
    others = [code for code in dict.fromkeys(wanted) if code not in codes]
    found = list(_applications(rt))
    for ours in others:
        for name, document in found:
            header = header_of(document)
            if header.get("Sender") == ours and header.get("Recipient") in codes and _binds(document, rt):
                theirs = header["Recipient"]
                return Cast(
                    ours=ours, theirs=theirs, application=without_header(deepcopy(document), GATEWAY_FILLS), example=name
                )
    for ours in others:
        for theirs in sorted(codes):
            for name, document in found:
                changed = _addressed(document, ours, theirs, rt)
                if changed is not None:
                    return Cast(ours=ours, theirs=theirs, application=changed, example=name)
    raise NotFound(f"no example of an application fits {partner}: no treaty binds it to {counterpart or 'any other partner'}")


def _applications(rt: Runtime) -> Iterator[tuple[str, Tree]]:
    """Yield canonical applications, the plainest first: of nationals, without relatives."""
    paths = [
        path
        for place in (rt.settings.schemas / EXAMPLES, *_canonical_examples(rt))
        for path in sorted(place.glob("*.xml"))
        if "national" in path.name or "name" in path.name or "accelerated" in path.name
    ]
    for path in sorted(paths, key=lambda path: ("own-national" not in path.name, "accelerated" in path.name)):
        try:
            document = canonical_document(read_file(path), rt.schemas)
        except GatewayError:
            continue  # `gateway partner check` says what is wrong with an example
        if str(document.tag) == f"{{{NS}}}ReadmissionApplication":
            yield path.stem, document


def _canonical_examples(rt: Runtime) -> list[Path]:
    dialects = rt.partners.dialects.values()
    return [folder for dialect in dialects if (folder := dialect.folder / "examples" / "canonical").is_dir()]


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
