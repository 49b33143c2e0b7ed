"""The attachments a message names: read in order, within limits, each once."""

from datetime import UTC, datetime

import pytest

from gateway.errors import AttachmentMismatch, TooLarge
from gateway.stages import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS_BYTES
from gateway.wire.documents import parse_xml
from gateway.wire.manifest import digests, manifest
from gateway.wire.media import media_type_of
from gateway.wire.specimen_files import specimen_files
from tests.files import JPEG, PDF, File, file, naming
from tests.forging import find
from tests.gateways import EXAMPLES, example

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)


def test_message_without_attachments_names_none() -> None:
    assert manifest(naming(NOW)) == ()
    assert digests(naming(NOW)) == []


def test_entries_are_read_in_order() -> None:
    first, second = file(PDF, 100), file(JPEG, 200)
    found = manifest(naming(NOW, first, second))
    assert [(one.number, one.kind, one.media_type, one.size, one.sha256) for one in found] == [
        (1, "document-scan", PDF, 100, first.sha256),
        (2, "photograph", JPEG, 200, second.sha256),
    ]
    assert [one.path for one in found] == ["Attachment[1]", "Attachment[2]"]
    assert digests(naming(NOW, first, second)) == [first.sha256, second.sha256]


def test_file_named_twice_is_refused() -> None:
    with pytest.raises(AttachmentMismatch, match="twice"):
        manifest(naming(NOW, file(size=100), file(size=100)))


def test_attachments_may_be_100_mib_together_but_not_one_byte_more() -> None:
    files = [File(media_type=PDF, body=bytes([number])) for number in range(5)]
    document = naming(NOW, *files, Size=str(MAX_ATTACHMENT_BYTES))
    entries = document.findall("{*}Attachment")
    find(entries[4], "Size").text = "1"
    with pytest.raises(TooLarge):
        manifest(document)
    document.remove(entries[4])
    assert sum(one.size for one in manifest(document)) == MAX_ATTACHMENTS_BYTES


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.xml")))
def test_files_of_every_example_can_be_made(name: str) -> None:
    document = parse_xml(example(name))
    named, files = manifest(document), list(specimen_files(document))
    made = [File(media_type=media_type_of(body), body=body) for body in files]
    assert [(one.media_type, one.size, one.sha256) for one in named] == [
        (one.media_type, len(one.body), one.sha256) for one in made
    ]


def test_what_is_no_document_names_nothing() -> None:
    assert digests(None) == []
