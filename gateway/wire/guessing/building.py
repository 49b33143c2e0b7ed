"""From what was matched to rows and schema of a dialect: every name of the sample has a place, and every canonical field.

What the sample does not say and every message must: a value that most messages have is fixed, anything else gets an optional
field of its own beside those of the sample, so that nothing is invented. Both are told, first in the list of what to mend.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from gateway.wire.converters import CONVERTERS
from gateway.wire.drafting.canonical import Canonical, Group, Value
from gateway.wire.drafting.layout import Node, RowSet
from gateway.wire.drafting.naming import STYLES, kebab, plain, snake
from gateway.wire.drafting.writing import Written, converted, copied
from gateway.wire.guessing.candidates import ONLY, bare, required_of
from gateway.wire.guessing.forms import Form, form_of
from gateway.wire.guessing.matching import Match, NameFields, Repeated, Scope
from gateway.wire.guessing.sample import Sample, Seen
from gateway.wire.guessing.thesaurus import Thesaurus
from gateway.wire.plans import GIVEN_BY_GATEWAY

# What most messages say, where a sample says nothing. Told as a guess; a message that says otherwise is refused, not changed.
_USUAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Request/Procedure": "ordinary",
        "Request/InterviewRequested": "false",
        "Birth/DateQuality": "exact",
        "Name/Script": "Latn",
        "Document/Kind": "passport",
        "Identifier/Kind": "other",
        "OtherName/Kind": "alias",
    }
)
# What the rules between fields ask for (schemas/readmission/1.0/rules.sch), beside what the schema does.
_BY_RULE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"ReadmissionApplication": ("Evidence",)})
_ANY = Written(name="", verb=None, kind="any")
_SEVERAL = 100  # of what repeats in the sample and is not mapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of mapping.toml."""

    text: str
    note: str = ""  # confidence and reason


@dataclass(slots=True, kw_only=True)
class Built:
    """What is written into the dialect folder, before it is text."""

    message: RowSet
    shared: dict[str, RowSet] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)  # row set -> rows
    lost_here: list[str] = field(default_factory=list)
    lost_canonical: list[str] = field(default_factory=list)
    names_lose: list[str] = field(default_factory=list)  # canonical paths that a name converter may lose
    codes: dict[str, Form] = field(default_factory=dict)  # code list -> form
    fixed: list[tuple[str, str]] = field(default_factory=list)  # canonical path, value
    added: list[tuple[str, str]] = field(default_factory=list)  # canonical path, path here
    one_of_several: list[str] = field(default_factory=list)  # canonical paths with one place


class Builder:
    """Builds the rows of one sample."""

    def __init__(self, sample: Sample, canonical: Canonical, thesaurus: Thesaurus, usual: Mapping[str, str]) -> None:
        self.sample, self.canonical, self.thesaurus = sample, canonical, thesaurus
        self.usual = {**_USUAL, **usual}
        self.style = _style_of(sample)
        self.codes: dict[str, Form] = {}
        self.values: dict[str, list[Written]] = {}

    def build(self, kind: str, scope: Scope) -> Built:
        """Return what the sample gives for a message type."""
        self.codes = dict(self._code_lists(scope))
        built = Built(message=RowSet(name=snake(kind), group=kind, meaning="", nodes=()))
        nodes = self._scope(built, scope, built.message.name, "", "")
        built.message = replace(built.message, nodes=nodes)
        built.codes = self.codes
        return built

    def _code_lists(self, scope: Scope) -> Iterator[tuple[str, Form]]:
        """Yield one list for each canonical type whose codes the sample writes in its own way, from all places together."""
        said: dict[str, tuple[Value, list[Any]]] = {}
        for match, seen in _all_matches(scope):
            if match.form.verb is not None and match.form.verb[0] == "codes":
                said.setdefault(match.candidate.value.name, (match.candidate.value, []))[1].extend(seen.values)
        for name, (value, values) in said.items():
            form = form_of(value, values, self.thesaurus)
            if form is not None and form.codes:
                yield kebab(name) if name != "Boolean" else "yes-no", form

    # --- one scope -------------------------------------------------------------------------------------------------

    def _scope(self, built: Built, scope: Scope, rows: str, here_above: str, canonical_above: str) -> tuple[Node, ...]:
        """Write the rows of a message or of a repeated group, and return the nodes of its schema."""
        lines = built.lines.setdefault(rows, [])
        if not canonical_above:
            lines.append(Line(text='{ canonical = "@schemaVersion", fixed = "1.0" }'))
        used: set[str] = set()
        values: dict[tuple[str, ...], Node] = {}
        for names in scope.names:
            used.add(names.canonical)
            lines.append(_names_line(names))
            built.names_lose += [f"{canonical_above}{names.canonical}/{member}" for member in ("AsShown", "Part")]
            for here in names.here:
                value = Written(name="NamePart", verb=None, kind="string", longest=250)
                values[here] = Node(name=here[-1], canonical=names.canonical, required=False, times=1, value=value)
        for match in scope.matches:
            values[match.here] = self._match(built, lines, used, scope, match)
        repeats = {one.here: one for one in scope.repeated}
        for one in scope.repeated:
            used.add(one.several.path)
            self._repeat(built, lines, one, (here_above, canonical_above))
        added = tuple(self._complete(built, lines, scope, used, (here_above, canonical_above)))
        for path in _lost(self.canonical, scope.group, {bare(one) for one in used}):
            built.lost_canonical.append(f"{canonical_above}{path}")
        return (*self._nodes(built, scope.seen, (), (values, repeats), here_above), *added)

    def _match(self, built: Built, lines: list[Line], used: set[str], scope: Scope, match: Match) -> Node:
        candidate, seen = match.candidate, _at(scope.seen, match.here)
        path, several = candidate.path, candidate.many and seen.many
        value = self._written(match)
        note = f"{match.confidence:.2f} {match.why}"
        here = "/".join(match.here)
        group, _, member = path.rpartition("/")
        if member == "AsShown":
            used.add(group)
            built.names_lose.append(f"{bare(group)}/Part")
            lines.append(Line(text=f'{{ here = "{here}", canonical = "{group}", convert = "name-as-shown" }}', note=note))
            return Node(name=match.here[-1], canonical=group, required=False, times=1, value=value)
        used.add(path)
        verb = f', {value.verb[0]} = "{value.verb[1]}"' if value.verb else ""
        if several:
            rows = f"each_{snake(value.name)}"
            built.lines[rows] = [Line(text=f'{{ here = ".", canonical = "."{verb} }}')]
            lines.append(Line(text=f'{{ here = "{here}", canonical = "{path}", repeat = "{rows}" }}', note=note))
            return Node(name=match.here[-1], canonical=path, required=False, times=_SEVERAL, value=value)
        if candidate.many:
            path = f"{path}{ONLY}"
        if ONLY in path:
            built.one_of_several.append(path)
        lines.append(Line(text=f'{{ here = "{here}", canonical = "{path}"{verb} }}', note=note))
        return Node(name=match.here[-1], canonical=path, required=False, times=1, value=value)

    def _repeat(self, built: Built, lines: list[Line], one: Repeated, above: tuple[str, str]) -> None:
        rows, here = f"{snake(one.several.members[-1])}_rows", "/".join(one.here)
        note = f"{one.confidence:.2f} {one.why}"
        lines.append(Line(text=f'{{ here = "{here}", canonical = "{one.several.path}", repeat = "{rows}" }}', note=note))
        paths = f"{above[0]}{here}/", f"{above[1]}{one.several.path}/"
        nodes = self._scope(built, one.inside, rows, *paths)
        built.shared[rows] = RowSet(name=rows, group=one.several.group, meaning="", nodes=nodes)

    def _nodes(
        self,
        built: Built,
        seen: Seen,
        above: tuple[str, ...],
        known: tuple[dict[tuple[str, ...], Node], dict[tuple[str, ...], Repeated]],
        here_above: str,
    ) -> tuple[Node, ...]:
        """Return the nodes for everything below a place of the sample; what no row reads is noted as lost."""
        values, repeats = known
        found: list[Node] = []
        for name, child in seen.children.items():
            path = (*above, name)
            if path in repeats:
                rows = f"{snake(repeats[path].several.members[-1])}_rows"
                found.append(Node(name=name, canonical="", required=False, times=_SEVERAL, rows=rows))
            elif path in values:
                found.append(values[path])
            elif child.leaf:
                built.lost_here.append(f"{here_above}{'/'.join(path)}")
                times = _SEVERAL if child.many and self.sample.format == "xml" else 1
                found.append(Node(name=name, canonical="", required=False, times=times, value=_ANY))
            else:
                inner = self._nodes(built, child, path, known, here_above)
                times = _SEVERAL if child.many else 1
                found.append(Node(name=name, canonical="", required=False, times=times, children=inner))
        return tuple(found)

    # --- what must be there ----------------------------------------------------------------------------------------

    def _complete(
        self, built: Built, lines: list[Line], scope: Scope, used: set[str], above: tuple[str, str]
    ) -> Iterator[Node]:
        """Give every required field that the sample does not say a fixed value, or a place of its own."""
        extra: list[Node] = []
        for name in _BY_RULE.get(scope.group.name, ()):
            if not any(bare(one) == name or bare(one).startswith(f"{name}/") for one in used):
                used.add(f"{name}{ONLY}/")  # as if something of it were mapped: its required fields get a place
                built.one_of_several.append(f"{name}{ONLY}")
        for path, member, group in list(required_of(self.canonical, scope.group, used)):
            usual = self.usual.get(f"{group.name}/{member.name}")
            full = f"{above[1]}{bare(path)}"
            if self._flat and full in GIVEN_BY_GATEWAY:  # a column must be there in every file, and nobody has to fill these
                continue
            used.add(path)
            target = f"{path}{ONLY}" if member.many else path
            if usual is not None:
                built.fixed.append((full, usual))
                lines.append(Line(text=f'{{ canonical = "{target}", fixed = "{usual}" }}', note="a guess: see GUESSES.md"))
                continue
            words = " ".join(plain(step) for step in bare(path).split("/"))
            inside = bool(above[1])  # beside the other fields of its group
            name = STYLES[self.style](f"gateway {words}" if self._flat and not inside else words)
            here = name if inside or self._flat else f"{self._gateway}/{name}"
            value = self._named(copied(self.sample.format, member.value.name, member.value)) if member.value else _ANY
            extra.append(Node(name=name, canonical=target, required=False, times=1, value=value))
            built.added.append((full, f"{above[0]}{here}"))
            lines.append(Line(text=f'{{ here = "{here}", canonical = "{target}" }}', note="not in the sample: see GUESSES.md"))
        if extra and not above[1] and not self._flat:
            yield Node(name=self._gateway, canonical="", required=False, times=1, children=tuple(extra))
        else:
            yield from extra

    @property
    def _flat(self) -> bool:
        return self.sample.format in {"csv", "xlsx"}

    @property
    def _gateway(self) -> str:
        return STYLES[self.style]("gateway")

    def _written(self, match: Match) -> Written:
        """Return how a field's value is written; what differs for one type gets a name of its own."""
        value, form = match.candidate.value, match.form
        name = kebab(value.name) if value.name != "Boolean" else "yes-no"
        if form.verb is None and name in self.codes:  # elsewhere in the sample, the same type is written in another way
            form = replace(self.codes[name], verb=("codes", name))
        if form.verb is None:
            made = copied(self.sample.format, value.name, value)
        elif form.verb[0] == "codes":
            here = tuple(self.codes[name].codes.values())
            made = Written(name=value.name, verb=("codes", name), kind="token", codes=here)
        else:
            made = converted(value.name, value, form.verb[1], CONVERTERS[form.verb[1]])
            if self.sample.format == "json" and made.kind == "xs:integer":
                made = replace(made, kind="integer")
        return self._named(made)

    def _named(self, made: Written) -> Written:
        alike = self.values.setdefault(made.name, [])
        if made not in alike:
            alike.append(made)
        number = alike.index(made)
        return made if number == 0 else replace(made, name=f"{made.name}{number + 1}")


def _style_of(sample: Sample) -> str:
    """Return the style of most names of a sample."""
    names = [path[-1].lstrip("@") for path, _ in sample.tree.leaves()]
    votes = {
        "as-is": sum(" " in name for name in names),
        "snake": sum("_" in name and name.islower() for name in names),
        "upper-snake": sum(name.isupper() for name in names),
        "kebab": sum("-" in name for name in names),
        "pascal": sum(name[:1].isupper() and not name.isupper() for name in names),
        "camel": sum(name[:1].islower() and not name.islower() for name in names),
    }
    return max(votes, key=lambda style: votes[style])


def _names_line(names: NameFields) -> Line:
    here = ", ".join(f'"{"/".join(path)}"' for path in names.here)
    text = f'{{ here = [{here}], canonical = "{names.canonical}", convert = "{names.converter}" }}'
    return Line(text=text, note=f"{names.confidence:.2f} {names.why}")


def _at(seen: Seen, path: Iterable[str]) -> Seen:
    for step in path:
        seen = seen.children[step]
    return seen


def _all_matches(scope: Scope) -> Iterator[tuple[Match, Seen]]:
    yield from ((match, _at(scope.seen, match.here)) for match in scope.matches)
    for one in scope.repeated:
        yield from _all_matches(one.inside)


def _lost(canonical: Canonical, group: Group, used: set[str], above: str = "") -> Iterator[str]:
    """Yield the canonical paths of which nothing is used, as high up as can be."""
    for member in group.members:
        path = f"{above}{member.name}"
        if path in used:
            whole_name = member.group == "Name" and not any(one.startswith(f"{path}/") for one in used)
            yield from (f"{path}/Latin",) if whole_name else ()
        elif member.group is not None and any(one.startswith(f"{path}/") for one in used):
            yield from _lost(canonical, canonical.groups[member.group], used, f"{path}/")
        else:
            yield path
