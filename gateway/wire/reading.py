"""From a checked document to the domain's words, and from the domain's words to documents the gateway itself writes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from lxml import etree

from gateway.domain.messages import (
    STEPS,
    Answered,
    Application,
    Ground,
    Header,
    Message,
    Outcome,
    Procedure,
    Receipt,
    ReceiptItem,
    Reply,
)
from gateway.errors import UnknownMessageType
from gateway.stages import Checked, Tree
from gateway.wire.documents import NS, parse_xml
from gateway.wire.steps import read_step

_R = f"{{{NS}}}"
_ANSWERED_ORDER = ("MessageId", "Sha256")
_HEADER_ORDER = ("MessageId", "CaseReference", "Sender", "Recipient", "Sequence", "Created", "NationalReference", "InReplyTo")


@lru_cache(maxsize=256)
def _path(path: str) -> str:
    return "/".join(_R + step for step in path.split("/"))


def text(document: Tree, path: str) -> str | None:
    """Return the text at `path` ("Header/Sender"), None where there is none."""
    found: str | None = document.findtext(_path(path))
    return found


def texts(document: Tree, path: str) -> tuple[str, ...]:
    """Return the texts of all elements at `path`, in document order."""
    return tuple(found.text or "" for found in document.iterfind(_path(path)))


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _needed(document: Tree, path: str) -> str:
    found: str | None = document.findtext(_path(path))
    assert found is not None, f"the schema lets {path} be absent"
    return found


def read_header(document: Tree) -> Header:
    """Return the header of a checked document."""
    found = header_of(document)
    sequence, answered = found.get("Sequence"), found.get("InReplyTo/MessageId")
    return Header(
        message_id=found["MessageId"],
        case_reference=found.get("CaseReference"),
        sender=found["Sender"],
        recipient=found["Recipient"],
        sequence=int(sequence) if sequence else None,
        created=_instant(found["Created"]),
        national_reference=found.get("NationalReference"),
        answers=Answered(message_id=answered, digest=found["InReplyTo/Sha256"]) if answered else None,
    )


def _values(group: Tree) -> dict[str, str]:
    """Return the fields of one group that hold a value, by name; read at one go, since each look-up costs a search."""
    return {child.tag[len(_R) :]: child.text or "" for child in group}


def _application(document: Tree) -> Application:
    request = _values(document.find(_R + "Request"))
    person = document.find(_R + "Person")
    return Application(
        header=read_header(document),
        agreement=request["Agreement"],
        ground=Ground(request["Ground"]),
        procedure=Procedure(request["Procedure"]),
        interview_requested=request["InterviewRequested"] in {"true", "1"},
        nationalities=texts(person, "Nationality"),
        former_nationalities=texts(person, "FormerNationality"),
        born=text(person, "Birth/Date"),
        children_born=tuple(text(child, "Birth/Date") for child in document.iterfind(_R + "Child")),
        evidence=texts(document, "Evidence/Code"),
        linked=texts(document, "LinkedCase"),
        apprehended_at=_instant(apprehended) if (apprehended := text(document, "Apprehension/At")) else None,
    )


def _notification(document: Tree) -> Application:
    return replace(_application(document), type="WrittenNotification")


def _transit(document: Tree) -> Application:
    person = document.find(_R + "Person")
    return Application(
        header=read_header(document),
        type="TransitApplication",
        agreement=_needed(document, "Request/Agreement"),
        ground=Ground.TRANSIT,
        procedure=Procedure.ORDINARY,
        interview_requested=False,
        nationalities=texts(person, "Nationality"),
        former_nationalities=texts(person, "FormerNationality"),
        born=text(person, "Birth/Date"),
        children_born=(),
        evidence=(),
        planned=_instant(_needed(document, "Transit/At")),
    )


def _reply(document: Tree) -> Reply:
    return Reply(
        header=read_header(document),
        outcome=Outcome(_needed(document, "Decision/Outcome")),
        reasons=texts(document, "Decision/Reason/Code"),
    )


def _receipt(document: Tree) -> Receipt:
    return Receipt(
        header=read_header(document),
        items=tuple(
            ReceiptItem(
                message_id=_needed(item, "MessageId"),
                digest=_needed(item, "Sha256"),
                received_at=_instant(_needed(item, "ReceivedAt")),
                accepted=_needed(item, "Outcome") == "accepted",
                code=text(item, "Code"),
                text=text(item, "Text"),
                missing=tuple(map(int, texts(item, "Missing"))),
            )
            for item in document.iterfind(_R + "Item")
        ),
    )


_READERS: Mapping[str, Callable[[Tree], Message]] = {
    "ReadmissionApplication": _application,
    "WrittenNotification": _notification,
    "TransitApplication": _transit,
    "ReadmissionReply": _reply,
    "Receipt": _receipt,
}


def read(checked: Checked) -> Message:
    """Return what the domain must know of a checked document."""
    if checked.type in STEPS:
        return read_step(checked.type, checked.document, read_header(checked.document))
    try:
        reader = _READERS[checked.type]
    except KeyError:
        raise UnknownMessageType(f"no reader for {checked.type}") from None
    return reader(checked.document)


def header_of(document: Tree) -> dict[str, str]:
    """Return the header fields that are there, by path below Header; the document may still be incomplete."""
    header = document.find(_R + "Header")
    if header is None:
        return {}
    found: dict[str, str] = {}
    for child in header:
        name = child.tag[len(_R) :]
        if len(child):
            found |= {f"{name}/{grandchild.tag[len(_R) :]}": grandchild.text or "" for grandchild in child}
        else:
            found[name] = child.text or ""
    return found


def complete_header(document: Tree, values: Mapping[str, str]) -> tuple[str, ...]:
    """Write header fields that are missing, in the order of the schema; return the paths that were filled.

    `values` maps a path below Header ("Sequence", "InReplyTo/Sha256") to its text. What stands there already stays.
    """
    header = document.find(_R + "Header")
    if header is None:
        header = etree.Element(_R + "Header")
        document.insert(0, header)
    wanted: dict[str, dict[str, str]] = {}
    for path, value in values.items():
        name, _, inner = path.partition("/")
        wanted.setdefault(name, {})[inner] = value
    done = set(_fill(header, wanted, _HEADER_ORDER))
    return tuple(f"Header/{path}" for path in values if path in done)


def _fill(parent: Tree, wanted: Mapping[str, Mapping[str, str]], order: Sequence[str]) -> Iterator[str]:
    """Write children that are missing where the schema wants them, in one pass; yield the paths that were filled.

    What the schema does not know stays behind, for the check to refuse.
    """
    present = {child.tag: child for child in parent}
    position = 0
    for name in order:
        child = present.get(_R + name)
        values = wanted.get(name, {})
        if child is None and values:
            child = etree.Element(_R + name)
            parent.insert(position, child)
            if "" in values:
                child.text = values[""]
                yield name
        if child is not None:
            position += 1
            if "" not in values and values:
                inner = {key: {"": text} for key, text in values.items()}
                yield from (f"{name}/{path}" for path in _fill(child, inner, _ANSWERED_ORDER))


def instant_text(at: datetime) -> str:
    """Return an instant as the schema writes it: UTC, microseconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_receipt(header: Header, items: Sequence[ReceiptItem], *, hosted_by: str | None = None) -> Tree:
    """Return the Receipt document for `items`."""
    root = etree.Element(_R + "Receipt", nsmap={None: NS})  # type: ignore[dict-item]  # lxml's stubs forget the default namespace
    root.set("schemaVersion", "1.0")
    head = etree.SubElement(root, _R + "Header")
    for name, value in (
        ("MessageId", header.message_id),
        ("Sender", header.sender),
        ("Recipient", header.recipient),
        ("Created", instant_text(header.created)),
    ):
        etree.SubElement(head, _R + name).text = value
    if hosted_by:
        etree.SubElement(root, _R + "HostedBy").text = hosted_by
    for item in items:
        line = etree.SubElement(root, _R + "Item")
        for name, value in (
            ("MessageId", item.message_id),
            ("Sha256", item.digest),
            ("ReceivedAt", instant_text(item.received_at)),
            ("Outcome", "waiting" if item.waits else "accepted" if item.accepted else "refused"),
            *(("Missing", str(number)) for number in item.missing),
            ("Code", item.code or ""),
            ("Text", (item.text or "")[:250]),
        ):
            if value:
                etree.SubElement(line, _R + name).text = value
    return root


def message_inside(envelope: bytes) -> Tree:
    """Return the message inside a signed envelope of our own store: it was verified, or signed by us, when it was kept."""
    return parse_xml(envelope)[0]


def without_header(document: Tree, names: Sequence[str]) -> Tree:
    """Take header fields out that the gateway fills when a document is handed in; returns the same document."""
    header = document.find(_R + "Header")
    if header is not None:
        for child in list(header):
            if child.tag[len(_R) :] in names:
                header.remove(child)
    return document
