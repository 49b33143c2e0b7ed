"""`vocabulary.toml`: how a partner calls what the canonical messages name, and how it writes values.

A vocabulary is a short file that a person fills in; mapping, schema and code lists are drafted from it. Keys that lead to a
member are written `Group/Member` with the names of the canonical XSD, as `gateway partner words` prints them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from gateway.errors import MappingInvalid
from gateway.partners.fields import Table
from gateway.wire.converters import GROUP_CONVERTERS, GroupConverter
from gateway.wire.drafting.canonical import Canonical, Group, Member, Value
from gateway.wire.drafting.naming import STYLES, kebab

FILE = "vocabulary.toml"
FORMATS = ("xml", "json", "csv", "xlsx", "lines")
TABLES = ("csv", "xlsx", "lines")
LAYOUTS = ("nested", "flat")
KINDS = ("date", "instant", "country", "boolean", "integer", "amount", "case-reference", "language")
_KEYS = {
    "about", "format", "version", "namespace", "style", "layout", "type_word", "type_style", "attributes", "content",
    "valid_from", "reviewed", "reviewed_by", "converters", "words", "types", "codes", "also_read", "fixed", "cannot_carry",
    "table", "times", "widths",
}  # fmt: skip
_NO_NAME = "of the canonical messages; see gateway partner words"
_XML_ONLY, _TAGGED_ONLY = {"namespace", "attributes", "content"}, {"type_word", "type_style"}
_TABLE_ONLY = {"table", "times", "widths"}
_TABLE_KEYS = {"repeats", "record", "separator", "delimiter", "encoding", "sheet", "header", "formula_guard"}
REPEATS = ("numbered", "records", "groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A table of texts: by canonical name, and by `Group/Member` where one text is not enough."""

    by_name: Mapping[str, str]
    at: Mapping[str, str]

    def of(self, group: str, name: str) -> str | None:
        """Return the text for the member `name` of `group`, or None."""
        return self.at.get(f"{group}/{name}") or self.by_name.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableWords:
    """How a table is laid out: what the drafter decides on, and what goes into `[table]` as it stands."""

    repeats: str  # one of REPEATS: columns with numbers; rows of their own for what repeats, or for every group of a message
    record: str  # words for the column that tells the kind of row; "" for numbered
    separator: str  # between the codes of a list in one cell; "" for numbered columns
    further: Mapping[str, str | bool]  # delimiter, encoding, sheet, header, formula_guard
    times: Mapping[str, int]  # Group/Member -> how many columns, or the canonical limit
    widths: Mapping[str, int]  # lines: by Group/Member, or by type in kebab letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One vocabulary file, checked against the canonical names."""

    place: str  # "me/dialects/mup-xml/vocabulary.toml", for errors
    about: str  # what stands at the head of the drafted mapping
    format: str
    version: str
    namespace: str  # XML only
    style: str
    layout: str
    type_word: str  # the words for the member that tells the type; "" for XML, where the root element does
    type_style: str
    attributes: frozenset[str]  # canonical names written as attributes
    content: frozenset[str]  # canonical names that may be the text of an element beside its attributes
    valid_from: date
    reviewed: date
    reviewed_by: str
    converters: Words  # by kind of value or by its type in kebab letters, and by Group/Member
    words: Words
    types: Mapping[str, str]  # message type -> words
    codes: Mapping[str, Mapping[str, str]]
    also_read: Mapping[str, Mapping[str, str]]
    fixed: Mapping[str, str]  # Group/Member -> the value it always has
    cannot_carry: Mapping[str, str]  # Group/Member -> why
    table: TableWords | None  # tables only

    def name(self, words: str) -> str:
        """Return the name that `words` make in this format."""
        return STYLES[self.style](words)

    def type_name(self, kind: str) -> str:
        """Return the root element of a message type, or the value that tells it."""
        return STYLES[self.type_style if self.type_word else self.style](self.types[kind])

    def group_converter(self, group: str, member: Member) -> GroupConverter | None:
        """Return the converter that writes a whole group as one text, or None; raises `MappingInvalid` for another one."""
        rule = self.converters.at.get(f"{group}/{member.name}") or self.converters.by_name.get(kebab(member.group or ""))
        if member.group is None or rule is None:
            return None
        found = GROUP_CONVERTERS.get(rule)
        if found is None or len(found.here) != 1:
            raise self.bad(f"converters.{kebab(member.group)}", f"is {rule!r}, which writes no group as one text")
        return found

    def carries(self, group: str, member: str) -> bool:
        """Tell whether the format has a place for a member."""
        return f"{group}/{member}" not in self.cannot_carry

    def bad(self, key: str, why: str) -> MappingInvalid:
        """Return the error for a key; the caller raises it."""
        return MappingInvalid(f"{self.place}: key {key!r} {why}")


def read_vocabulary(folder: Path, partner: str, canonical: Canonical) -> Vocabulary:
    """Read the vocabulary of a dialect folder and check every name in it.

    Raises `MappingInvalid` naming file and key: a key that is no canonical name, a word that is missing, a code list that
    leaves a canonical code out.
    """
    place = f"{partner}/dialects/{folder.name}/{FILE}"
    table = Table.read(folder / FILE, place, MappingInvalid)
    table.only(_KEYS)
    vocabulary = _from_table(table, place)
    _check_types(vocabulary, canonical)
    _check_paths(vocabulary, canonical)
    _check_words(vocabulary, canonical)
    _check_codes(vocabulary, canonical)
    return vocabulary


def _from_table(table: Table, place: str) -> Vocabulary:
    kind = _one_of(table, "format", FORMATS, None)
    for key in (_XML_ONLY if kind != "xml" else _TAGGED_ONLY) | (set() if kind in TABLES else _TABLE_ONLY):
        if key in table.values:
            raise table.refuse(key, f"has no meaning for the format {kind!r}")
    layout = _one_of(table, "layout", LAYOUTS, "nested")
    if kind != "json" and layout == "flat":
        raise table.refuse("layout", f"is 'flat', which is for JSON, not for the format {kind!r}")
    return Vocabulary(
        place=place,
        about=table.text("about"),
        format=kind,
        version=table.text("version"),
        namespace=table.text("namespace") if kind == "xml" else "",
        style=_one_of(table, "style", tuple(STYLES), None),
        layout=layout,
        type_word="" if kind == "xml" else table.text("type_word"),
        type_style=_one_of(table, "type_style", tuple(STYLES), "upper-snake"),
        attributes=frozenset(table.texts("attributes") if "attributes" in table.values else ()),
        content=frozenset(table.texts("content") if "content" in table.values else ()),
        valid_from=_date(table, "valid_from"),
        reviewed=_date(table, "reviewed"),
        reviewed_by=table.text("reviewed_by"),
        converters=_words(table, "converters"),
        words=_words(table, "words"),
        types=MappingProxyType(table.mapping("types")),
        codes=_lists(table, "codes"),
        also_read=_lists(table, "also_read"),
        fixed=MappingProxyType(table.mapping("fixed")),
        cannot_carry=MappingProxyType(table.mapping("cannot_carry")),
        table=_table_words(table, kind) if kind in TABLES else None,
    )


def _table_words(whole: Table, kind: str) -> TableWords:
    table = whole.table("table")
    table.only(_TABLE_KEYS)
    repeats = _one_of(table, "repeats", REPEATS, "groups" if kind == "lines" else "numbered")
    if (repeats == "numbered") != ("record" not in table.values):
        raise table.refuse("record", "goes with kinds of rows: words for the column that tells which one a row is")
    known = {"repeats", "record", "separator"}
    return TableWords(
        repeats=repeats,
        record=table.text("record") if "record" in table.values else "",
        separator=str(table.values.get("separator", "")),
        further=MappingProxyType({key: value for key, value in table.values.items() if key not in known}),
        times=_numbers(whole, "times"),
        widths=_numbers(whole, "widths"),
    )


def _numbers(whole: Table, key: str) -> Mapping[str, int]:
    table = whole.table(key)
    for name, value in table.values.items():
        if type(value) is not int or value < 1:
            raise table.refuse(name, "is not a number of at least 1")
    return MappingProxyType(dict(table.values))


def _one_of(table: Table, key: str, allowed: tuple[str, ...], default: str | None) -> str:
    value = table.text(key, default)
    if value not in allowed:
        raise table.refuse(key, f"is {value!r}, not one of {', '.join(allowed)}")
    return value


def _date(table: Table, key: str) -> date:
    value = table.values.get(key)
    if type(value) is not date:
        raise table.refuse(key, "is missing" if value is None else "is not a date (YYYY-MM-DD, without quotation marks)")
    return value


def _words(table: Table, key: str) -> Words:
    inner = table.table(key)
    return Words(
        by_name=MappingProxyType({name: inner.text(name) for name in inner.values if name != "at"}),
        at=MappingProxyType(inner.mapping("at")),
    )


def _lists(table: Table, key: str) -> Mapping[str, Mapping[str, str]]:
    inner = table.table(key)
    return MappingProxyType({name: MappingProxyType(inner.mapping(name)) for name in inner.values})


def carried(vocabulary: Vocabulary, canonical: Canonical) -> Iterator[tuple[Group, Member]]:
    """Yield every member that the messages of the vocabulary lead to and that it carries by a word of its own."""
    seen: set[str] = set()

    def walk(group: Group) -> Iterator[tuple[Group, Member]]:
        if group.name in seen:
            return
        seen.add(group.name)
        for member in group.members:
            path = f"{group.name}/{member.name}"
            if path in vocabulary.cannot_carry or path in vocabulary.fixed:
                continue
            yield group, member
            if member.group is not None and vocabulary.group_converter(group.name, member) is None:
                yield from walk(canonical.groups[member.group])

    for kind in vocabulary.types:
        yield from walk(canonical.messages[kind])


def _check_types(vocabulary: Vocabulary, canonical: Canonical) -> None:
    if not vocabulary.types:
        raise vocabulary.bad("types", "names no message type")
    taken: dict[str, str] = {}
    for kind in vocabulary.types:
        if kind not in canonical.messages:
            raise vocabulary.bad(f"types.{kind}", "is no canonical message type")
        name = vocabulary.type_name(kind)
        if name in taken:
            raise vocabulary.bad(f"types.{kind}", f"gives {name!r}, as types.{taken[name]} does")
        taken[name] = kind


def _check_paths(vocabulary: Vocabulary, canonical: Canonical) -> None:
    """Refuse a key `Group/Member` that leads nowhere."""
    tables: dict[str, Iterable[str]] = {
        "words.at": vocabulary.words.at,
        "converters.at": vocabulary.converters.at,
        "fixed": vocabulary.fixed,
        "times": vocabulary.table.times if vocabulary.table else {},
        "widths": [key for key in vocabulary.table.widths if "/" in key] if vocabulary.table else (),
        "cannot_carry": vocabulary.cannot_carry,
    }
    for table, paths in tables.items():
        for path in paths:
            group, _, name = path.partition("/")
            found = canonical.of(group)
            if found is None or found.member(name) is None:
                raise vocabulary.bad(f"{table}.{path}", f"is no Group/Member {_NO_NAME}")
            member = found.member(name)
            if table == "fixed" and (member is None or member.value is None or member.many):
                raise vocabulary.bad(f"{table}.{path}", "is not a field with one value")
    for path in set(vocabulary.fixed) & set(vocabulary.cannot_carry):
        raise vocabulary.bad(f"fixed.{path}", "stands in cannot_carry as well")


def _check_words(vocabulary: Vocabulary, canonical: Canonical) -> None:
    """Refuse a word for a name that is none, and a name without a word."""
    groups = [*canonical.messages.values(), *canonical.groups.values()]
    names = {member.name for group in groups for member in group.members}
    for table, known in (
        ("words", vocabulary.words.by_name),
        ("attributes", vocabulary.attributes),
        ("content", vocabulary.content),
    ):
        for name in known:
            if name not in names:
                raise vocabulary.bad(f"{table}.{name}", f"is no name {_NO_NAME}")
    missing = {
        member.name: f"{group.name}/{member.name}"
        for group, member in carried(vocabulary, canonical)
        if vocabulary.words.of(group.name, member.name) is None
    }
    if missing:
        raise vocabulary.bad("words", f"has no word for {', '.join(missing.values())}")


def _check_codes(vocabulary: Vocabulary, canonical: Canonical) -> None:
    """Refuse a list that no field can use, and a converter for what is no kind of value."""
    groups = (*canonical.messages.values(), *canonical.groups.values())
    by_list = {kebab(member.value.name): member.value for group in groups for member in group.members if member.value}
    named = {*vocabulary.converters.by_name.values(), *vocabulary.converters.at.values()}
    for name in vocabulary.codes:
        if name in by_list:
            _check_list(vocabulary, name, by_list[name])
        elif f"codes:{name}" not in named:
            raise vocabulary.bad(f"codes.{name}", "is no code list of the canonical messages, and no converter names it")
    for name in vocabulary.also_read:
        if name not in vocabulary.codes:
            raise vocabulary.bad(f"also_read.{name}", "belongs to no list under codes")
    for key in vocabulary.converters.by_name:
        if key not in KINDS and key not in by_list and key not in map(kebab, canonical.groups):
            raise vocabulary.bad(f"converters.{key}", f"is neither a kind of value ({', '.join(KINDS)}) nor a type")


def _check_list(vocabulary: Vocabulary, name: str, value: Value) -> None:
    """Refuse a canonical code without a code here, and a code that is not canonical, and one here for two."""
    codes = vocabulary.codes[name]
    known = ("true", "false") if value.base == "boolean" else value.codes
    if missing := [code for code in known if code not in codes]:
        raise vocabulary.bad(f"codes.{name}", f"has no code for {', '.join(missing)}")
    if known and (further := [code for code in codes if code not in known]):
        raise vocabulary.bad(f"codes.{name}", f"names {', '.join(further)}, which the canonical messages do not know")
    here = list(codes.values())
    if twice := sorted({code for code in here if here.count(code) > 1}):
        raise vocabulary.bad(f"codes.{name}", f"writes {', '.join(twice)} for two canonical codes")
