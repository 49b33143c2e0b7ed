"""Writes a ReadmissionReply from the application it answers: what the printed reply form repeats is copied, not typed."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import date

from lxml import etree

from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.reading import text

_R = f"{{{NS}}}"
_COPIED_OF_PERSON = ("Name", "MaidenName", "Birth", "Nationality")  # the reply form names a person by no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the requested authority says of the transfer; each part may be open."""

    on: date | None = None
    at: str | None = None  # border crossing point
    means: str | None = None  # air | land | sea


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the requested authority decides."""

    agreed: bool
    on: date
    reasons: tuple[tuple[str, str], ...] = ()  # (code, text); at least one when refused
    remarks: str | None = None
    signatory: str = ""
    rank: str | None = None
    interview_proposed: bool | None = None
    transfer: Handover = Handover()


def write_reply(application: Tree, decision: Decision, *, national_reference: str | None = None) -> Tree:
    """Return the canonical reply without the header fields that the gateway fills when it is handed in."""
    root = etree.Element(_R + "ReadmissionReply", nsmap={None: NS})  # type: ignore[dict-item]  # lxml's stubs forget the default namespace
    root.set("schemaVersion", "1.0")
    header = etree.SubElement(root, _R + "Header")
    _add(header, "CaseReference", text(application, "Header/CaseReference"))
    _add(header, "Sender", text(application, "Header/Recipient"))
    _add(header, "Recipient", text(application, "Header/Sender"))
    _add(header, "NationalReference", national_reference)
    reference = etree.SubElement(root, _R + "Reference")
    _add(reference, "Number", text(application, "Header/NationalReference") or text(application, "Header/CaseReference"))
    _add(reference, "Date", text(application, "Request/Date"))
    for name in ("RequestedAuthority", "RequestingAuthority"):
        _copy(application, name, root)
    person = etree.SubElement(root, _R + "Person")
    unknown = application.find(f"{_R}Person/{_R}Name") is None
    if unknown:
        name_element = etree.SubElement(person, _R + "Name")
        _add(name_element, "AsShown", "unknown")
        _add(name_element, "Script", "Latn")
    _copy_all(application.find(_R + "Person"), person)
    for kind in ("Spouse", "Child"):
        for relative in application.iterfind(_R + kind):
            _copy_all(relative, etree.SubElement(root, _R + "FamilyMember"))
    _write_decision(root, decision)
    _write_transfer(root, decision.transfer)
    _add(root, "Remarks", decision.remarks)
    signatory = etree.SubElement(root, _R + "Signatory")
    _add(signatory, "Name", decision.signatory)
    _add(signatory, "Rank", decision.rank)
    return root


def _write_decision(root: Tree, decision: Decision) -> None:
    element = etree.SubElement(root, _R + "Decision")
    _add(element, "Outcome", "agreed" if decision.agreed else "refused")
    _add(element, "Date", decision.on.isoformat())
    for code, words in decision.reasons:
        reason = etree.SubElement(element, _R + "Reason")
        _add(reason, "Code", code)
        _add(reason, "Text", words or None)
    if decision.interview_proposed is not None:
        _add(element, "InterviewProposed", "true" if decision.interview_proposed else "false")


def _write_transfer(root: Tree, transfer: Handover) -> None:
    said = (
        ("Date", transfer.on.isoformat() if transfer.on else None),
        ("BorderPoint", transfer.at),
        ("Means", transfer.means),
    )
    if any(value for _, value in said):
        element = etree.SubElement(root, _R + "Transfer")
        for name, value in said:
            _add(element, name, value)


def _add(parent: Tree, name: str, value: str | None) -> None:
    if value:
        etree.SubElement(parent, _R + name).text = value


def _copy(source: Tree, name: str, target: Tree) -> None:
    found = source.find(_R + name)
    if found is not None:
        target.append(deepcopy(found))


def _copy_all(source: Tree, target: Tree) -> None:
    """Copy what the reply form repeats of a person, in the order of the schema."""
    for name in _COPIED_OF_PERSON:
        for found in source.iterfind(_R + name):
            target.append(deepcopy(found))
