"""An address as one text. Only what reads back the same is written; a text in another form is refused.

A free text that nobody can take apart is no matter for these: map it to `Street` by a plain row, and name the other
fields under `cannot_carry`.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from gateway.errors import BadValue
from gateway.wire.converters.converter import GroupConverter, Member, Values

_Read: TypeAlias = Callable[[str], Values]
_Write: TypeAlias = Callable[[Values], str]
_FIELDS = ("Street", "PostCode", "Town", "Region", "State")
_MEMBERS = tuple(Member(path=name) for name in _FIELDS)


def _checked(
    name: str,
    form: str,
    example: tuple[Values, str],
    read_text: _Read,
    write_text: _Write,
    without: frozenset[str] = frozenset(),
) -> GroupConverter:
    """Return the converter of a form; `without` names the fields that it has no place for."""

    def read(values: Values) -> Values:
        return read_text(values[0].strip(" \t"))  # a line end may be the mark between two fields

    def write(values: Values) -> tuple[Values, frozenset[str]]:
        given = dict(zip(_FIELDS, (value and value.strip() for value in values), strict=True))
        lost = frozenset(field for field in without if given[field])
        clean = [None if field in lost else value for field, value in given.items()]
        text = write_text(clean)
        try:
            back = list(read_text(text))
        except BadValue:
            back = []
        if back != clean:
            raise BadValue(f"is an address that cannot be written exactly as {form}")
        return (text,), lost

    return GroupConverter(
        name=name,
        form=form,
        here=("the address",),
        canonical=_MEMBERS,
        example=(tuple(example[0]), (example[1],)),
        read=read,
        write=write,
        may_lose=without,
    )


def _positions(name: str, mark: str) -> GroupConverter:
    """Return the form in which all five fields have their place, empty where nothing is known."""
    form = mark.join(("street", "post code", "town", "region", "state"))

    def read(text: str) -> Values:
        parts = [part.strip() or None for part in text.split(mark)]
        if len(parts) != len(_FIELDS):
            raise BadValue(f"is not an address written as {form}")
        return parts

    def write(values: Values) -> str:
        return mark.join(value or "" for value in values)

    example = ("Uzorna 1", "71000", "Sarajevo", None, "BA")
    return _checked(name, form, (example, write(example)), read, write)


def _rows(name: str, mark: str, *, state: bool) -> GroupConverter:
    """Return the form street, post code and town, and maybe state; a post code is a first word with a figure in it."""
    form = f"street{mark}post code and town{f'{mark}state' if state else ''}".replace("\n", " / ")
    sizes = (2, 3) if state else (2,)

    def read(text: str) -> Values:
        parts = [part.strip() for part in text.split(mark.strip(" "))]
        if len(parts) not in sizes or not all(parts):
            raise BadValue(f"is not an address written as {form}")
        first, _, rest = parts[1].partition(" ")
        code, town = (first, rest) if rest and any(letter.isdigit() for letter in first) else (None, parts[1])
        return [parts[0], code, town, None, parts[2] if len(parts) == max(sizes) and state else None]

    def write(values: Values) -> str:
        street, code, town, _, country = values
        return mark.join(_given(street, " ".join(_given(code, town)), country))

    example = ("Uzorna 1", "71000", "Sarajevo", None, "BA" if state else None)
    without = frozenset({"Region"} if state else {"Region", "State"})
    return _checked(name, form, (example, write(example)), read, write, without)


def _given(*values: str | None) -> Sequence[str]:
    return [value for value in values if value]


ADDRESSES = (
    _positions("address-semicolons", ";"),
    _positions("address-bars", "|"),
    _positions("address-five-lines", "\n"),
    _rows("address-street-town", ", ", state=False),
    _rows("address-street-town-state", ", ", state=True),
    _rows("address-lines", "\n", state=True),
)
