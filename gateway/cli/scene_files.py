"""The attachments of the demonstration: made up, handed in before the message that names them, and left where they arrived."""

from collections.abc import Collection
from pathlib import Path

from gateway.flow.attachments import HandedIn, file_name, hand_in, read_attachment
from gateway.flow.ports import Runtime
from gateway.store import attachments
from gateway.store.database import reading
from gateway.wire.documents import parse_xml
from gateway.wire.manifest import digests
from gateway.wire.media import media_type_of
from gateway.wire.reading import header_of
from gateway.wire.specimen_files import specimen_files
from gateway.wiring import SCHEMA_VERSION


def hand_in_files(rt: Runtime, authority: str, dialect: str, body: bytes) -> list[HandedIn]:
    """Hand in the files that an example names, as the national system does before it hands in the message."""
    document = rt.translators[dialect].to_canonical(body).document
    actor = f"system@{authority}"
    return [
        hand_in(file, rt, authority=authority, actor=actor, media_type=media_type_of(file)) for file in specimen_files(document)
    ]


def hand_in_example_files(rt: Runtime, homes: Collection[str]) -> None:
    """Hand in the files of the canonical examples for their senders: who tries the API can hand these in as they are."""
    seen: set[tuple[str, str]] = set()
    for path in sorted((rt.settings.schemas / SCHEMA_VERSION / "examples").glob("*.xml")):
        document = parse_xml(path.read_bytes())
        sender = header_of(document).get("Sender", "")
        for named, file in zip(digests(document), specimen_files(document), strict=True):
            if sender in homes and (sender, named) not in seen:
                hand_in(file, rt, authority=sender, actor=f"system@{sender}", media_type=media_type_of(file))
                seen.add((sender, named))


def leave_files(rt: Runtime, authority: str, case_id: int, message_row: int, folder: Path) -> list[Path]:
    """Leave the attachments of a message that arrived, read as its recipient reads them; return where they lie."""
    with reading(rt.engine) as tx:
        rows = attachments.of_message(tx, message_row)
    left: list[Path] = []
    for row in rows:
        _, parts = read_attachment(
            case_id,
            row.sha256 or "",
            homes=frozenset({authority}),
            actor=f"system@{authority}",
            purpose="case-work",
            rt=rt,
        )
        folder.mkdir(exist_ok=True)
        left.append(folder / file_name(row))
        with left[-1].open("wb") as file:
            file.writelines(parts)
    return left
