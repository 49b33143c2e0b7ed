"""Compile mapping.toml against both schemas into plans: one per message type, for both directions.

Five verbs: copy (the default), codes, fixed, convert, repeat. One row serves both directions. Every field of both
schemas must be mapped or be named in `cannot_carry`; a hole, a path that does not exist, a field mapped twice or a
repeated field written to a single one stops the start with `MappingInvalid`, naming file, row and path.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import MappingInvalid
from gateway.partners import Dialect
from gateway.wire.codes import code_reader, code_writer
from gateway.wire.converters import CONVERTERS, GROUP_CONVERTERS, GroupConverter, Member, Read, Write, converter_named
from gateway.wire.plans import GIVEN_BY_GATEWAY, Group, Leaf, Place, Plan, Repeat, Scope, Side, absolute
from gateway.wire.report import Action, Field
from gateway.wire.shapes import Shape, steps

_ROW_KEYS = {"here", "canonical", "codes", "convert", "fixed", "repeat"}
SIDES: tuple[Side, Side] = ("here", "canonical")
_VERBS = ("codes", "convert", "fixed", "repeat")
_FIRST = "[1]"


@dataclass(slots=True)
class _Compiler:
    """Binds the rows of one dialect for one message type."""

    dialect: Dialect
    type: str
    lost: list[dict[str, str]]
    top: Mapping[Side, str]  # what absolute paths begin with
    fields: list[Field] = field(default_factory=list)
    may_lose: set[str] = field(
        default_factory=set
    )  # canonical paths that a group converter carries in most messages, not in all
    mapped: dict[Side, set[str]] = field(default_factory=lambda: {"here": set(), "canonical": set()})
    given_up: dict[Side, set[str]] = field(default_factory=lambda: {"here": set(), "canonical": set()})

    def bad(self, place: str, why: str) -> MappingInvalid:
        return MappingInvalid(f"{self.dialect.place}: {place}: {why}")

    def scope(self, rows: str, here: Shape, canonical: Shape, paths: tuple[str, str], above: tuple[str, ...] = ()) -> Scope:
        """Bind the row set `rows` to the shapes of both sides; `above` are the row sets that lead here."""
        if rows in above:
            raise self.bad(f"rows.{rows}", "repeats itself")
        table = self.dialect.mapping["rows"].get(rows)
        if not isinstance(table, list) or not table:
            raise self.bad(f"rows.{rows}", "is not a list of rows")
        scope = Scope(here=here, canonical=canonical, here_path=paths[0], canonical_path=paths[1])
        for number, row in enumerate(table, 1):
            self.row(scope, row, f"rows.{rows}[{number}]", (*above, rows))
        self.lose(scope, "here")
        self.lose(scope, "canonical")
        return scope

    def row(self, scope: Scope, row: Any, place: str, above: tuple[str, ...]) -> None:
        """Bind one row."""
        if isinstance(row, dict) and row.get("convert") in GROUP_CONVERTERS:
            self.group(scope, row, place, GROUP_CONVERTERS[row["convert"]])
            return
        verb, sides = self.verb(row, place)
        row = self.first_of(scope, row, place)
        shapes = {side: self.find(scope, side, row[side], place, many=verb == "repeat") for side in sides}
        slot, scope.size = scope.size, scope.size + 1
        if verb == "repeat":
            here, canonical = shapes["here"], shapes["canonical"]
            if canonical.many and not here.many:
                hint = f"give its fields rows of their own with {_FIRST} behind it, and a message with more is refused"
                raise self.bad(place, f"{row['canonical']} may come several times, {row['here']} only once: {hint}")
            paths = f"{scope.here_path}/{row['here']}", f"{scope.canonical_path}/{row['canonical']}"
            inner = self.scope(row["repeat"], here, canonical, paths, above)
            scope.repeats.append(Repeat(slot=slot, here=row["here"], canonical=row["canonical"], scope=inner))
            if inner.groups or inner.grouped:
                scope.grouped.append(scope.repeats[-1])
            return
        for side, shape in shapes.items():
            if not shape.leaf:
                raise self.bad(place, f"{row[side]} is a group of fields, not a field")
        read, write = self.functions(verb, row, place)
        self.leaf(scope, slot, row.get("here"), row.get("canonical"), (read, write), row.get("fixed"))
        self.fields.append(self.line(scope, verb, row))

    def verb(self, row: Any, place: str) -> tuple[str, list[Side]]:
        """Return the verb of a row and the sides that it names."""
        if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
            raise self.bad(place, "is not a row of texts")
        for key in row:
            if key not in _ROW_KEYS:
                raise self.bad(place, f"key {key!r} is not known")
        verbs = [verb for verb in _VERBS if verb in row]
        verb = verbs[0] if verbs else "copy"
        sides: list[Side] = [side for side in SIDES if side in row]
        if len(verbs) > 1:
            raise self.bad(place, f"has two verbs, {verbs[0]!r} and {verbs[1]!r}")
        if len(sides) != (1 if verb == "fixed" else 2):
            raise self.bad(place, "a fixed value names one side, every other row both 'here' and 'canonical'")
        return verb, sides

    def leaf(
        self,
        scope: Scope,
        slot: int,
        here: str | None,
        canonical: str | None,
        functions: tuple[Read | None, Write | None],
        fixed: str | None = None,
    ) -> None:
        """Add the leaf of one value; its line in the report is the next one."""
        scope.leaves.append(
            Leaf(
                slot=slot,
                here=here,
                canonical=canonical,
                read=functions[0],
                write=functions[1],
                fixed=fixed,
                number=len(self.fields),
                here_path=absolute(scope.here_path, here or "."),
                canonical_path=absolute(scope.canonical_path, canonical or "."),
            )
        )

    def group(self, scope: Scope, row: Mapping[str, Any], place: str, converter: GroupConverter) -> None:
        """Bind a row about several fields: each field of either side gets a slot, the converter stands between them."""
        given = row.get("here")
        paths = [given] if isinstance(given, str) else given
        above = row.get("canonical")
        if set(row) != {"here", "canonical", "convert"} or not isinstance(paths, list) or not isinstance(above, str):
            raise self.bad(place, f"{converter.name!r} needs 'here' and 'canonical', and nothing else beside 'convert'")
        if len(paths) != len(converter.here) or not all(isinstance(path, str) for path in paths):
            raise self.bad(place, f"{converter.name!r} needs in 'here': {', '.join(converter.here)}, in this order")
        above = self.first_of(scope, {"canonical": above}, place)["canonical"]
        first = scope.size
        scope.size += len(paths) + len(converter.canonical)
        inner = CONVERTERS["integer"] if converter.numbers else None
        for slot, path in enumerate(paths, first):
            if not self.find(scope, "here", path, place, many=False).leaf:
                raise self.bad(place, f"{path} is a group of fields, not a field")
            self.leaf(scope, slot, path, None, (inner.read, inner.write) if inner else (None, None))
        for slot, member in enumerate(converter.canonical, first + len(paths)):
            self.member(scope, slot, above, member, place)
        full = absolute(scope.canonical_path, above)
        scope.groups.append(
            Group(
                converter=converter,
                here=tuple(range(first, first + len(paths))),
                canonical=tuple(range(first + len(paths), scope.size)),
                path=full,
                losses=self.losses(full, converter),
            )
        )
        why = f"written as {converter.form}"
        self.fields.append(Field(path=full, action="converted", rule=f"convert:{converter.name}", why=why))

    def member(self, scope: Scope, slot: int, above: str, member: Member, place: str) -> None:
        """Bind one canonical field of a group converter; it stands on the canonical side alone."""
        path = above if member.path == "." else member.path if above == "." else f"{above}/{member.path}"
        shape = self.find(scope, "canonical", path, place, many=bool(member.inner))
        if not member.inner:
            if not shape.leaf:
                raise self.bad(place, f"{path} is a group of fields, and this converter is about a field")
            self.leaf(scope, slot, None, path, (None, None))
            return
        full = absolute(scope.canonical_path, path)
        inner = Scope(here=Shape(), canonical=shape, here_path=scope.here_path, canonical_path=full, size=len(member.inner))
        for number, name in enumerate(member.inner):
            self.find(inner, "canonical", name, place, many=False)
            self.leaf(inner, number, None, name, (None, None))
        scope.repeats.append(Repeat(slot=slot, here=None, canonical=path, scope=inner))

    def losses(self, full: str, converter: GroupConverter) -> dict[str, str]:
        """Return which members of a group converter the file says may be lost, and why."""
        declared = {
            f"{self.top['canonical']}/{entry['canonical']}": entry["why"] for entry in self.lost if "canonical" in entry
        }
        found = {member: declared[f"{full}/{member}"] for member in converter.may_lose if f"{full}/{member}" in declared}
        self.may_lose |= {f"{full}/{member}" for member in found}
        return found

    def first_of(self, scope: Scope, row: dict[str, str], place: str) -> dict[str, str]:
        """Take out of a canonical path the [1] of what may come several times there and has one place here; note it."""
        path = row.get("canonical", "")
        if _FIRST not in path:
            return row
        above: list[str] = []
        for step in steps(path):
            above.append(step.removesuffix(_FIRST))
            shape = scope.canonical.at("/".join(above))
            if step.endswith(_FIRST) and shape is not None:
                if not shape.many or "repeat" in row:
                    why = "can come only once" if not shape.many else "is repeated"
                    raise self.bad(place, f"canonical path {path!r}: {above[-1]!r} {why}: leave out {_FIRST}")
                if any(repeat.canonical == "/".join(above) for repeat in scope.repeats):
                    raise self.bad(place, f"canonical path {path!r}: {above[-1]!r} has a row with 'repeat' as well")
                if "/".join(above) not in scope.first:
                    scope.first["/".join(above)], scope.size = scope.size, scope.size + 1
        return row | {"canonical": "/".join(above)}

    def find(self, scope: Scope, side: Side, path: str, place: str, *, many: bool) -> Shape:
        """Return the shape at `path`, and note the path as mapped."""
        shape = _shape(scope, side)
        walked = steps(path)
        for number, step in enumerate(walked, 1):
            inner = shape.children.get(step)
            if inner is None:
                there = f", but {', '.join(shape.children)}" if shape.children else ""
                raise self.bad(place, f"{side} path {path!r}: the schema has no {step!r} there{there}")
            first = side == "canonical" and "/".join(walked[:number]) in scope.first
            if inner.many and not first and not (many and number == len(walked)):
                hint = f", or {_FIRST} behind it where the format has a place for one" if side == "canonical" else ""
                raise self.bad(place, f"{side} path {path!r}: {step!r} may come several times and needs 'repeat'{hint}")
            if first and many:
                raise self.bad(place, f"canonical path {path!r}: {step!r} has a row with {_FIRST} as well")
            shape = inner
        full = absolute(_path(scope, side), path)
        if full in self.mapped[side] and path != ".":
            raise self.bad(place, f"{side} path {path!r} is mapped twice")
        self.mapped[side].add(full)
        return shape

    def functions(self, verb: str, row: Mapping[str, str], place: str) -> tuple[Read | None, Write | None]:
        """Return how the row's value is read and written."""
        if verb == "convert":
            converter = converter_named(row["convert"])
            if converter is None:
                raise self.bad(place, f"there is no converter {row['convert']!r}")
            return converter.read, converter.write
        if verb == "codes":
            if row["codes"] not in self.dialect.codes:
                raise self.bad(place, f"codes.toml has no list {row['codes']!r}")
            return code_reader(self.dialect.codes[row["codes"]]), code_writer(self.dialect.codes[row["codes"]])
        return None, None

    def line(self, scope: Scope, verb: str, row: Mapping[str, str]) -> Field:
        """Return the report's line for a row."""
        actions: dict[str, Action] = {"copy": "copied", "codes": "coded", "convert": "converted", "fixed": "filled"}
        why = None
        if verb == "codes":
            codes = self.dialect.codes[row["codes"]]
            why = (
                f"code list {codes.name!r}, version {codes.version} of {codes.valid_from}, "
                f"reviewed {codes.reviewed} by {codes.reviewed_by}"
            )
        elif verb == "convert":
            converter = converter_named(row["convert"])
            why = f"written as {converter.form}" if converter else None
        elif verb == "fixed":
            why = "the same in every message of this format"
        side: Side = "canonical" if "canonical" in row else "here"
        rule = verb if verb in {"copy", "fixed"} else f"{verb}:{row[verb]}"
        return Field(path=absolute(_path(scope, side), row[side]), action=actions[verb], rule=rule, why=why)

    def lose(self, scope: Scope, side: Side) -> None:
        """Note which fields directly in this scope cannot be carried."""
        above = _path(scope, side)
        repeats = [repeat.here if side == "here" else repeat.canonical for repeat in scope.repeats]
        for entry in self.lost:
            full = f"{self.top[side]}/{entry.get(side)}"
            path = full.removeprefix(f"{above}/")
            if side not in entry or path == full or any(path.startswith(f"{repeat}/") for repeat in repeats):
                continue
            if (shape := _shape(scope, side).at(path)) is None:
                continue
            if side == "canonical" and full in self.may_lose:
                self.given_up[side].add(full)
                continue
            if any(known == full or known.startswith(f"{full}/") for known in self.mapped[side]):
                raise self.bad("cannot_carry", f"{side} path {entry[side]!r} is mapped as well")
            (scope.lost_here if side == "here" else scope.lost_canonical)[path] = entry["why"]
            self.given_up[side].add(full)
            if side == "canonical" and shape.leaf and not shape.many:
                scope.spare[path], scope.size = scope.size, scope.size + 1

    def holes(self, side: Side, shape: Shape) -> str:
        """Name every schema field that no row and no `cannot_carry` names, whole groups by their own path; "" for none."""
        known = self.given_up[side] | self.mapped[side]
        above = {path[:end] for path in known for end in range(len(path)) if path[end] == "/"} | known
        open_paths = list(self._open(side, shape, self.top[side], above))
        if not open_paths:
            return ""
        named = ", ".join(repr(path) + (" (required)" if needed else "") for path, needed in open_paths)
        return f"{self.dialect.place}: messages.{self.type}: {side} fields neither mapped nor named in cannot_carry: {named}"

    def _open(self, side: Side, shape: Shape, full: str, above: AbstractSet[str]) -> Iterator[tuple[str, bool]]:
        """Yield the open fields at and below `full`, each with whether the schema requires it there.

        `above` holds every path that a row or `cannot_carry` names, and every path above one.
        """
        given_up, mapped = self.given_up[side], self.mapped[side]
        if full in given_up:
            return
        path = full.removeprefix(f"{self.top[side]}/")
        touched = full in above
        if not touched and (not shape.required or not shape.children):
            yield path, shape.required
        for name, child in shape.children.items() if touched or shape.required else ():
            if name == ".":
                if full not in mapped:
                    yield path, shape.required
            else:
                yield from self._open(side, child, f"{full}/{name}", above)

    def unmet(self, shape: Shape) -> tuple[str, ...]:
        """Return what every canonical message needs and `cannot_carry` gives up, but for what the gateway gives itself."""
        lost = [path.removeprefix(f"{self.top['canonical']}/") for path in self.given_up["canonical"]]
        paths = (path for path in _always(shape) if path not in GIVEN_BY_GATEWAY)
        return tuple(path for path in paths if any(f"{path}/".startswith(f"{each}/") for each in lost))


def _always(shape: Shape, prefix: str = "") -> Iterator[str]:
    """Yield the paths of what no document may leave out."""
    for name, child in shape.children.items():
        if child.required:
            path = prefix if name == "." else f"{prefix}{name}"
            if child.children:
                yield from _always(child, f"{path}/")
            else:
                yield path


def _path(scope: Scope, side: Side) -> str:
    return scope.here_path if side == "here" else scope.canonical_path


def _shape(scope: Scope, side: Side) -> Shape:
    return scope.here if side == "here" else scope.canonical


def lost_entries(dialect: Dialect) -> list[dict[str, str]]:
    """Return the entries of `cannot_carry`, one for each path; in TOML it may stand before or behind the head of `[rows]`."""
    found: list[dict[str, str]] = []
    given = [*dialect.mapping.get("cannot_carry", ()), *dialect.mapping.get("rows", {}).get("cannot_carry", ())]
    for number, entry in enumerate(given, 1):
        if not isinstance(entry, dict) or set(entry) not in ({"canonical", "why"}, {"here", "why"}):
            raise MappingInvalid(f"{dialect.place}: cannot_carry[{number}]: needs 'canonical' or 'here', and 'why'")
        side = "canonical" if "canonical" in entry else "here"
        paths = entry[side] if isinstance(entry[side], list) else [entry[side]]
        if not paths or not all(isinstance(each, str) and each for each in (*paths, entry["why"])):
            raise MappingInvalid(
                f"{dialect.place}: cannot_carry[{number}]: {side!r} is a path or a list of paths, 'why' a text"
            )
        found += [{side: path, "why": entry["why"]} for path in paths]
    return found


def compile_mapping(dialect: Dialect, canonical: Mapping[str, Shape], here: Mapping[str, Shape]) -> dict[str, Plan]:
    """Return the plan of each message type that the dialect has.

    `canonical` holds the shape of each message type, `here` the shape of the dialect's document for each message type.
    """
    plans: dict[str, Plan] = {}
    lost, met = lost_entries(dialect), set[str]()
    problems: list[str] = []
    for kind, message in dialect.mapping["messages"].items():
        if kind not in canonical:
            raise MappingInvalid(f"{dialect.place}: messages.{kind}: is no canonical message type")
        root = str(message.get("root", ""))
        top: dict[Side, str] = {"here": f"/{root}" if root else "", "canonical": f"/{kind}"}
        compiler = _Compiler(dialect=dialect, type=kind, lost=lost, top=top)
        match = (message["match"]["path"], message["match"]["value"]) if "match" in message else None
        if match:
            compiler.mapped["here"].add(f"/{match[0]}")
        scope = compiler.scope(message["rows"], here[kind], canonical[kind], (top["here"], top["canonical"]))
        problems += [compiler.holes("canonical", canonical[kind]), compiler.holes("here", here[kind])]
        met |= {path.removeprefix(top[side]) for side in top for path in compiler.given_up[side]}
        plans[kind] = Plan(
            type=kind,
            root=root,
            match=match,
            scope=scope,
            fields=tuple(compiler.fields),
            fillable=dict(fillable(scope)),
            unmet=compiler.unmet(canonical[kind]),
        )
    if any(problems):  # all of them at once: whoever writes the rows goes through the list
        raise MappingInvalid("\n".join(filter(None, problems)))
    for entry in lost:
        if f"/{entry.get('canonical') or entry.get('here')}" not in met:
            raise MappingInvalid(
                f"{dialect.place}: cannot_carry: no message has {entry.get('canonical') or entry.get('here')!r}"
            )
    return plans


def fillable(scope: Scope) -> Iterator[tuple[str, Place]]:
    """Yield the canonical paths that can come only once, each with its place."""
    for leaf in scope.leaves:
        if leaf.canonical is not None and leaf.fixed is None:
            yield leaf.canonical, Place(groups=(), slot=leaf.slot)
    for path, slot in scope.spare.items():
        yield path, Place(groups=(), slot=slot)
    for repeat in scope.repeats:
        if not repeat.scope.canonical.many:
            for path, place in fillable(repeat.scope):
                group = (repeat.slot, repeat.scope.size)
                yield f"{repeat.canonical}/{path}", Place(groups=(group, *place.groups), slot=place.slot)
