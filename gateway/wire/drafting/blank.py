"""An empty vocabulary: every canonical name and code list that a partner's words are asked for."""

from collections.abc import Iterator
from typing import Any

from gateway.wire.drafting.canonical import Canonical, Value
from gateway.wire.drafting.naming import kebab, plain
from gateway.wire.drafting.rows import comment, heading

_HEAD = """\
# A vocabulary: how a partner calls what the canonical messages name. Fill in the texts: words in lower case, separated by
# blanks; 'style' makes names of them. Then: gateway partner draft FOLDER. Keys are described in partners/README.md.
about = ""                 # one sentence about the format
format = "xml"             # xml | json | csv | xlsx | lines
version = "1"
namespace = "urn:"         # xml only
style = "pascal"           # pascal | camel | snake | kebab | upper-snake | as-is
# layout = "nested"        # nested | flat (json)
# type_word = ""           # all but xml: the member that tells the message type
# attributes = ["Kind"]    # xml: names written as attributes
valid_from = 2026-01-01    # since when the partner writes these codes
reviewed = 2026-01-01
reviewed_by = ""

[converters]
# date = "date-dmy"        # by kind of value or by type; "codes:NAME" for a list under codes, "copy" for as it is
"""


def values_of(canonical: Canonical) -> dict[str, Value]:
    """Return every type of value, by name, in the order in which messages use them."""
    found: dict[str, Value] = {}
    for group in (*canonical.messages.values(), *canonical.groups.values()):
        for member in group.members:
            if member.value is not None:
                found.setdefault(member.value.name, member.value)
    return found


def names_of(canonical: Canonical) -> dict[str, tuple[str, ...]]:
    """Return every member's name with the groups and messages that have it, in the order of the schema."""
    found: dict[str, list[str]] = {}
    for group in (*canonical.messages.values(), *canonical.groups.values()):
        for member in group.members:
            found.setdefault(member.name, []).append(group.name)
    return {name: tuple(groups) for name, groups in found.items()}


def blank_text(canonical: Canonical) -> str:
    """Return an empty vocabulary as TOML text; each name stands once, under the first group that has it."""
    lines = [_HEAD, "[words]", *_words(canonical), "", "# Where one word is not enough, by Group/Member.", "[words.at]"]
    lines += ['# "Document/Number" = ""', "", "# Message types; a type that is left out is not carried.", "[types]"]
    for about, kinds in canonical.sections:
        lines += [heading(about)]
        for kind in kinds:
            lines += [*comment(canonical.messages[kind].meaning), f'{kind} = ""']
    for value in values_of(canonical).values():
        if value.codes or value.base == "boolean":
            lines += ["", f"[codes.{kebab(value.name)}]  # {_used(canonical, value.name)}"]
            lines += [f'{_key(code)} = ""' for code in value.codes or ("true", "false")]
    lines += ["", "# Group/Member = why the format has no place for it", "[cannot_carry]"]
    lines += ["", "# Group/Member = the value that it always has", "[fixed]"]
    return "\n".join(lines) + "\n"


def _key(code: str) -> str:
    return code if code.replace("-", "").isalnum() else f'"{code}"'


def _words(canonical: Canonical) -> Iterator[str]:
    groups = names_of(canonical)
    done: set[str] = set()
    for group in (*canonical.messages.values(), *canonical.groups.values()):
        new = [member for member in group.members if member.name not in done]
        if not new:
            continue
        yield heading(plain(group.name))
        yield from comment(group.meaning)
        for member in new:
            done.add(member.name)
            others = [name for name in groups[member.name] if name != group.name]
            also = f"; also in {', '.join(others[:4])}{' ...' if len(others) > 4 else ''}" if others else ""  # noqa: PLR2004 - what fits
            kind = f"a {plain(member.value.name)}" if member.value is not None else "a group"
            yield f'{member.name} = ""  # {plain(member.name)}: {kind}{", several" if member.many else ""}{also}'


def _used(canonical: Canonical, value: str) -> str:
    """Say which members hold a type."""
    found = [
        f"{group.name}/{member.name}"
        for group in (*canonical.messages.values(), *canonical.groups.values())
        for member in group.members
        if member.value is not None and member.value.name == value
    ]
    return ", ".join(found[:3]) + (" ..." if len(found) > 3 else "")  # noqa: PLR2004 - what fits a line


def blank_json(canonical: Canonical) -> dict[str, Any]:
    """Return the same for machines: `{"words": {name: [groups]}, "types": {...}, "codes": {list: [codes]}}`."""
    return {
        "words": {name: list(groups) for name, groups in names_of(canonical).items()},
        "types": {kind: group.meaning for kind, group in canonical.messages.items()},
        "codes": {
            kebab(value.name): list(value.codes or ("true", "false"))
            for value in values_of(canonical).values()
            if value.codes or value.base == "boolean"
        },
    }
