"""A name in fields of its parts, and the canonical name: as shown, its script, its parts.

What the document shows is taken to be the parts in the order of the fields. A document with another order is written only
where the mapping file declares the loss of `AsShown`; one with other parts is refused. A single part is a single name.
"""

from collections.abc import Sequence

from gateway.errors import BadValue
from gateway.wire.converters.converter import GroupConverter, Member, Values
from gateway.wire.names.scripts import script_of

_WHOLE = (Member(path="AsShown"), Member(path="Script"), Member(path="Part", inner=("Kind", "Value")))


def _fields(parts: Sequence[Sequence[str]], kinds: Sequence[str]) -> dict[str, str]:
    """Return what stands in each field; a single name stands in the last one."""
    found: dict[str, str] = {}
    for kind, value in parts:
        place = kinds[-1] if kind == "single" and len(parts) == 1 else kind
        if place not in kinds:
            raise BadValue("is a name with parts for which the format has no field")
        found[place] = f"{found[place]} {value}" if place in found else value
    return found


def _given_up(values: Values, back: Values) -> frozenset[str]:
    """Return the members that did not come back. Raises `BadValue` where the fields would say something else."""
    (shown, script, parts), (shown_back, script_back, parts_back) = values, back
    if script != script_back:
        raise BadValue("is a name whose script cannot be told from its letters")
    if {kind for kind, _ in parts} != {kind for kind, _ in parts_back}:
        raise BadValue("is a name of one part, and the format would say that it is a single name")
    if sorted(shown.split()) != sorted(shown_back.split()):
        raise BadValue("is a name that shows other words than its parts have; this form cannot carry both")
    lost = {"AsShown"} if shown != shown_back else set()
    return frozenset(lost | ({"Part"} if [list(part) for part in parts] != parts_back else set()))


def _in_fields(kinds: Sequence[str], example: Sequence[str]) -> GroupConverter:
    """Return the converter of a name whose parts stand in fields of their own, in this order."""

    def read(values: Values) -> Values:
        parts = [[kind, " ".join(value.split())] for kind, value in zip(kinds, values, strict=True) if value and value.strip()]
        shown = " ".join(value for _, value in parts)
        script = script_of(shown)
        if script is None:
            raise BadValue("is a name in no script, or in letters of several")
        return shown, script, [["single", shown]] if len(parts) == 1 else parts

    def write(values: Values) -> tuple[Values, frozenset[str]]:
        shown, script, parts = values
        if not parts:
            raise BadValue("is a name of which only the whole is known, and the format asks for its parts")
        here = tuple(_fields(parts, kinds).get(kind) for kind in kinds)
        return here, _given_up((" ".join((shown or "").split()), (script or "").strip(), parts), read(here))

    shown = " ".join(example)
    return GroupConverter(
        name=f"name-fields-{'-'.join(kinds)}",
        form=f"fields for {', '.join(kinds)}",
        here=tuple(kinds),
        canonical=_WHOLE,
        example=((shown, "Latn", [list(pair) for pair in zip(kinds, example, strict=True)]), tuple(example)),
        read=read,
        write=write,
        may_lose=frozenset({"AsShown", "Part"}),
    )


NAME_FIELDS = (
    _in_fields(("given", "family"), ("ANA", "SPECIMEN")),
    _in_fields(("family", "given"), ("SPECIMEN", "ANA")),
    _in_fields(("given", "father", "family"), ("ANA", "PETAR", "SPECIMEN")),
    _in_fields(("given", "patronymic", "family"), ("ANA", "PETROVNA", "SPECIMEN")),
    _in_fields(("family", "given", "patronymic"), ("SPECIMEN", "ANA", "PETROVNA")),
    _in_fields(("family", "given", "father"), ("SPECIMEN", "ANA", "PETAR")),
)
