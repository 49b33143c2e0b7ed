"""Case files for tests: one genuine file made once, and tools to forge what must be refused."""

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import Verdict, verify_case_file
from gateway.flow.draft import Sent
from gateway.partners.formats import JSON
from gateway.store import cases
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from gateway.trust.container_signature import sign_container, signed_file
from gateway.trust.keys import KeyRing, SigningKey
from gateway.wire.case_index import NAME
from gateway.wire.container import META, MIMETYPE, ContainerWriter, open_container
from gateway.wire.reading import without_header
from gateway.wire.schema import SchemaSet
from tests.conftest import MovableClock
from tests.forging import reply
from tests.gateways import EXAMPLES, make_gateway
from tests.steps import ASKED, ASKING, Thread, asked, ruled

AT = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
SPECIMEN = "SPECIMEN"  # stands in every name of the examples
SCHEMAS = SchemaSet.load(EXAMPLES.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A genuine case file of RS-MUP, and the keys of everybody."""

    path: Path
    keys: Path

    @property
    def files(self) -> dict[str, bytes]:
        """Return a copy of its files, in order."""
        return unpack(self.path)

    @property
    def index(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.files[NAME])
        return found

    def key(self, authority: str = ASKED) -> SigningKey:
        return KeyRing.load(self.keys).signing(authority)


def unpack(path: Path) -> dict[str, bytes]:
    with open_container(path) as container:
        return {name: b"".join(container.chunks(name)) for name in container.entries}


async def _exchanged(folder: Path, migrated: Path, keys: Path) -> Path:
    clock = MovableClock(AT)
    hub = MemoryHub(clock)
    sides = []
    for name, home in (("west", ("BA-MS", "AT-BMI")), ("east", ("PK-MOI", "RS-MUP"))):
        url = f"sqlite:///{shutil.copy(migrated, folder / f'{name}.sqlite3')}"
        sides.append(await make_gateway(url, keys, clock, home=home, hub=hub).open())
    thread = await asked(*ruled((sides[0], sides[1])), clock)
    clock.move(days=1)
    answer = answer_in_own_format(thread)
    assert isinstance(answer, Sent), answer
    await thread.exchange()
    clock.move(days=1)
    await thread.told("TransferNotification-alone", ASKING, Plan__At="2026-06-20T08:00:00.000000Z")
    out = folder / "case.asice"
    export_case(thread.case(thread.east).id or 0, out, thread.east.rt, actor="clerk", purpose="appeal")
    for side in sides:
        side.rt.engine.dispose()
    return out


def answer_in_own_format(thread: Thread) -> Any:
    """RS-MUP agrees, in the format of its own system."""
    agreed = without_header(reply(thread.document, thread.clock.now), ("MessageId", "Sequence", "Created", "InReplyTo"))
    body = thread.east.rt.translators["rs/mup-xml"].from_canonical(agreed).body
    return thread.east.hand_in(body, authority=ASKED, dialect="rs/mup-xml")


def make_sample(folder: Path, migrated: Path, keys: Path) -> Sample:
    """Return a case file of three messages with translations in both directions, receipts and deadlines."""
    return Sample(path=asyncio.run(_exchanged(folder, migrated, keys)), keys=keys)


def judge(path: Path, sample: Sample, at: datetime = LATER) -> Verdict:
    return verify_case_file(path, sample.keys / "anchors", at, SCHEMAS)


def media_type(name: str) -> str:
    kinds = {
        "xml": "application/xml",
        "json": JSON,
        "jsonl": "application/x-ndjson",
        "pdf": "application/pdf",
        "txt": "text/plain",
        "pem": "application/pem-certificate-chain",
    }
    return kinds.get(name.rpartition(".")[2], "application/octet-stream")


def pack(files: Mapping[str, bytes], path: Path, key: SigningKey | None = None, at: datetime = AT) -> Path:
    """Write a container of exactly these files, in this order; with `key` they are signed anew, as a liar would sign them."""
    plain = {name: body for name, body in files.items() if name != MIMETYPE and (key is None or not name.startswith(META))}
    out = BytesIO()
    writer = ContainerWriter(out)
    for name, body in plain.items():
        writer.add(name, [body])
    if key is not None:
        signed = [signed_file(name, media_type(name), sha256(body).digest()) for name, body in plain.items()]
        for name, body in sign_container(signed, key, at):
            writer.add(name, [body])
    writer.close()
    path.write_bytes(out.getvalue())
    return path


Change = Callable[[dict[str, bytes], dict[str, Any]], None]


def forged(sample: Sample, path: Path, change: Change, *, key: SigningKey | None = None) -> Path:
    """Write the sample with files and index changed, the index made to fit and the whole signed by its exporter again."""
    files, index = sample.files, sample.index
    change(files, index)
    kept = {line["name"]: line for line in index["files"]}
    index["files"] = [
        kept.get(name, {"name": name, "media_type": media_type(name), "what": ""}) | {"sha256": sha256(body).hexdigest()}
        for name, body in files.items()
        if name not in {MIMETYPE, NAME} and not name.startswith(META)
    ]
    for line in index["messages"]:
        for document in line["documents"]:
            if document["file"] in files:
                document["sha256"] = sha256(files[document["file"]]).hexdigest()
    body = json.dumps(index).encode()
    files.pop(NAME)
    return pack(files | {NAME: body}, path, key or sample.key())


def row_id(thread: Thread, authority: str) -> int:
    """Return the row of the case at one side."""
    side = thread.side(authority)
    with reading(side.rt.engine) as tx:
        (found,) = cases.by_reference(tx, thread.opening.case_reference, home=authority)
    assert found.id is not None
    return found.id
