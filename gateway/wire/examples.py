"""Run a dialect's example documents both ways, as `gateway partner check` and the conformance tests do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway.domain.identity import new_case_reference, new_message_id
from gateway.errors import Refused, SchemaViolation
from gateway.partners import Dialect
from gateway.wire.documents import read_file
from gateway.wire.fields import flat
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translation, Translator

__all__ = ["check_examples", "example_files", "flat", "fresh_header", "there_and_back"]


def fresh_header(now: datetime) -> dict[str, str]:
    """Return values for what the gateway fills in when a home authority leaves it out, by canonical path.

    They are new each time: a message id that can be foreseen could be taken by somebody else.
    """
    return {
        "Header/MessageId": new_message_id(now),
        "Header/CaseReference": new_case_reference(),
        "Header/Sequence": "1",
        "Header/Created": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
    }


def example_files(dialect: Dialect) -> list[Path]:
    """Return the example documents of a dialect, by name."""
    folder = dialect.folder / "examples"
    return sorted(path for path in folder.iterdir() if path.suffix == dialect.form.suffix) if folder.is_dir() else []


def there_and_back(translator: Translator, schemas: SchemaSet, body: bytes, now: datetime) -> Translation:
    """Translate a dialect document to canonical, check it, back into the dialect, and to canonical again.

    Returns the first translation. Raises `SchemaViolation` at the first field that did not come back the same.
    """
    first = translator.to_canonical(body, fill=fresh_header(now))
    assert first.document is not None
    schemas.check(first.document)
    back = translator.from_canonical(first.document)
    again = translator.to_canonical(back.body)
    assert again.document is not None
    declared = {field.path for field in back.report.dropped}
    before = [field for field in flat(first.document) if field[0] not in declared]
    after = list(flat(again.document))
    for one, other in zip(before, after, strict=False):
        if one != other:
            raise SchemaViolation("this field does not come back the same from the format", path=one[0])
    if len(before) != len(after):
        raise SchemaViolation("a field is lost or gained on the way there and back")
    return first


@dataclass(slots=True, kw_only=True)
class ExampleRun:
    """What came of running a dialect's examples both ways."""

    count: int = 0  # files
    problems: list[str] = field(default_factory=list)  # a sentence for each that does not pass
    types: set[str] = field(default_factory=set)  # message types of those that do


def check_examples(dialect: Dialect, translator: Translator, schemas: SchemaSet, now: datetime) -> ExampleRun:
    """Run every example of a dialect both ways."""
    run = ExampleRun()
    for path in example_files(dialect):
        run.count += 1
        try:
            for body in translator.split(read_file(path)):
                run.types.add(there_and_back(translator, schemas, body, now).type)
        except Refused as error:
            place = f" at {error.path}" if error.path else ""
            run.problems.append(f"{dialect.id}/examples/{path.name}: {error.code}{place}: {error.message}")
    return run
