"""The parser makes no network call and opens no file, whatever a document asks for.

Two witnesses: the operating system (inotify on a bait file, a listening socket as bait server) sees what libxml2 would
do behind Python's back; Python's audit hooks see what xmlschema and the rest would do.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import Refused
from gateway.settings import data_folder
from gateway.wire.check import examine
from gateway.wire.documents import NS, parse_xml
from gateway.wire.schema import SchemaSet

FOLDER = data_folder("schemas") / "readmission" / "1.0"
GOOD = (FOLDER / "examples" / "ReadmissionApplication-own-national.xml").read_text(encoding="utf-8")
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

IN_OPEN, IN_ACCESS, IN_NONBLOCK = 0x20, 0x1, 0o4000


@dataclass(frozen=True)
class Bait:
    """A file and a server that nobody has a reason to touch."""

    file: Path
    server: socket.socket
    watch: int  # inotify

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.getsockname()[1]}/bait"

    def opened(self) -> int:
        """Return how often the file was opened or read since the last call."""
        try:
            events = os.read(self.watch, 65536)
        except BlockingIOError:
            return 0
        count = 0
        while events:
            length = struct.unpack_from("iIII", events)[3]
            events, count = events[16 + length :], count + 1
        return count

    def called(self) -> bool:
        """Tell whether anybody connected since the last call."""
        try:
            connection, _ = self.server.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    if sys.platform != "linux":
        pytest.skip("inotify is Linux only")
    file = tmp_path / "bait"
    file.write_text("<!ELEMENT x ANY>")
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(IN_NONBLOCK)
    assert watch >= 0
    assert libc.inotify_add_watch(watch, os.fsencode(file), IN_OPEN | IN_ACCESS) >= 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Bait(file, server, watch)
    os.close(watch)


def hostile(bait_file: str, url: str) -> dict[str, bytes]:
    """Return documents that ask for the bait, each in its own way."""
    found: dict[str, bytes] = {}
    for name, target in {"file": f"file://{bait_file}", "path": bait_file, "http": url}.items():
        doctypes = {
            "external DTD": f'<!DOCTYPE ReadmissionApplication SYSTEM "{target}">',
            "public DTD": f'<!DOCTYPE ReadmissionApplication PUBLIC "-//X//Y" "{target}">',
            "entity": f'<!DOCTYPE ReadmissionApplication [<!ENTITY x SYSTEM "{target}">]>',
            "parameter entity": f'<!DOCTYPE ReadmissionApplication [<!ENTITY % x SYSTEM "{target}"> %x;]>',
        }
        for kind, doctype in doctypes.items():
            used = GOOD.replace("Sarajevo", "&x;", 1) if kind == "entity" else GOOD
            found[f"{kind}, {name}"] = used.replace("?>\n", f"?>\n{doctype}\n", 1).encode()
        include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{target}" parse="text"/>'
        found[f"XInclude, {name}"] = GOOD.replace("Sarajevo", include, 1).encode()
        for attribute in (f'xsi:schemaLocation="{NS} {target}"', f'xsi:noNamespaceSchemaLocation="{target}"'):
            found[f"{attribute.partition('=')[0]}, {name}"] = GOOD.replace(
                " schemaVersion", f" {XSI} {attribute} schemaVersion"
            ).encode()
        sheet = f'<?xml-stylesheet type="text/xsl" href="{target}"?>'
        found[f"style sheet, {name}"] = GOOD.replace("?>\n", f"?>\n{sheet}\n", 1).encode()
        found[f"xml:base, {name}"] = GOOD.replace(" schemaVersion", f' xml:base="{target}" schemaVersion').encode()
        found[f"namespace, {name}"] = GOOD.replace(NS, target).encode()
        found[f"model, {name}"] = GOOD.replace("?>\n", f'?>\n<?xml-model href="{target}"?>\n', 1).encode()
    return found


def test_no_hostile_document_makes_the_gateway_open_a_file_or_a_connection(bait: Bait) -> None:
    schemas = SchemaSet.load(FOLDER)
    assert bait.opened() == 0
    for name, body in hostile(str(bait.file), bait.url).items():
        verdict = examine(body, schemas)
        assert verdict.verdict == "refused", name
        assert bait.opened() == 0, name
        assert not bait.called(), name


def test_a_parser_that_is_not_hardened_would_be_caught(bait: Bait) -> None:
    body = hostile(str(bait.file), bait.url)["external DTD, file"]
    careless = etree.XMLParser(load_dtd=True, no_network=False, resolve_entities=True)
    with pytest.raises(etree.XMLSyntaxError):  # the bait is no DTD for this message; it was opened all the same
        etree.fromstring(body.replace(b"Sarajevo", b"&x;"), careless)
    assert bait.opened() > 0


def test_a_caller_of_the_bait_server_would_be_caught(bait: Bait) -> None:
    socket.create_connection(bait.server.getsockname()).close()
    assert bait.called()


AUDITED = """
import sys
from pathlib import Path
from gateway.wire.check import examine
from gateway.wire.documents import parse_json, parse_xml
from gateway.wire.schema import SchemaSet

folder, good, *hostile = map(Path, sys.argv[1:])
schemas = SchemaSet.load(folder)
document = parse_xml(good.read_bytes())
schemas.from_json(schemas.to_json(document))            # loads the slow checker and its own schema files
document.remove(document[0])
assert schemas.problems(document)
bodies = [path.read_bytes() for path in hostile]
seen = []
watched = ("open", "os.", "socket.", "urllib.", "subprocess.", "ctypes.", "import", "http.", "ftplib.")
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event.startswith(watched) else None)
for body in bodies:
    examine(body, schemas)
found = list(seen)
open(good).close()
assert len(seen) > len(found), "the hook does not see an open file"
print([event for event in found if event[0] != "import"] or "nothing")
"""


def test_python_sees_no_open_file_and_no_connection_either(tmp_path: Path) -> None:
    files = []
    documents = hostile("/etc/hostname", "http://127.0.0.1:9/bait")
    documents["explained"] = GOOD.replace("<Sex>male<", "<Sex>M<").encode()
    documents["accepted"] = GOOD.encode()
    for number, body in enumerate(documents.values()):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_bytes(body)
    example = FOLDER / "examples" / "ReadmissionApplication-own-national.xml"
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, FOLDER, example, *files], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "nothing"


def test_an_entity_is_never_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SPECIMEN")
    body = GOOD.replace("Sarajevo", "&x;", 1).encode()
    with pytest.raises(Refused) as caught:
        parse_xml(body)
    assert caught.value.code == "malformed-xml"
    declared = body.replace(b"?>\n", f'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "{tmp_path}/secret">]>\n'.encode(), 1)
    with pytest.raises(Refused) as caught:
        parse_xml(declared)
    assert caught.value.code == "doctype-forbidden"
