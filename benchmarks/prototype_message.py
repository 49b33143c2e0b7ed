"""The message that is carried: the published example of an application (5 to 6 KB), under ever new ids."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "readmission" / "1.0"
EXAMPLE = SCHEMAS / "examples" / "ReadmissionApplication-own-national.xml"
NAMESPACE = "urn:readmission-gateway:readmission:1.0"
ID_BEGINS, ID_ENDS = b"<MessageId>", b"</MessageId>"


@dataclass(frozen=True, slots=True)
class Template:
    """A message cut at its id, so that a new one costs no parsing."""

    before: bytes
    after: bytes

    def fresh(self) -> bytes:
        """Return the message under a new id."""
        return self.before + str(uuid4()).encode() + self.after


def template() -> Template:
    body = EXAMPLE.read_bytes()
    return Template(body[: body.index(ID_BEGINS) + len(ID_BEGINS)], body[body.index(ID_ENDS) :])
