"""Which canonical field each name of a sample means, with a confidence from 0 to 1 and the reason.

Names decide (the words of the name and of what it stands in, compared with known words); values can only confirm or forbid.
A match below the threshold is told and not taken. Names of a group that repeats are matched inside that group only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import fuzz, process

from gateway.wire.drafting.canonical import Canonical, Group
from gateway.wire.guessing.candidates import ONLY, Candidate, Several, fields_of, several_of
from gateway.wire.guessing.forms import Form, form_of
from gateway.wire.guessing.sample import Seen
from gateway.wire.guessing.thesaurus import Thesaurus
from gateway.wire.guessing.words import lean, words_of

THRESHOLD: Final = 0.7
_WORTH_TELLING: Final = 0.3
# A name says nothing of these when it is in them: most samples are about one person and one request.
_TAKEN_FOR_GRANTED: Final = {"Header", "Request", "Person", "Name", "PhysicalDescription"}
# Where a name speaks of one of these, fields of the others are not meant.
_SPOKEN_OF: Final = (
    "Spouse", "Child", "Guardian", "AccompanyingAdult", "Father", "Mother", "RequestingAuthority", "RequestedAuthority",
    "Transfer", "Entry", "Apprehension", "Document", "Attachment", "Decision",
)  # fmt: skip
_SAME: Final = 84  # of 100: words of a group that stand in a name
_MISSING, _FOREIGN = 0.55, 0.4  # what is left of a confidence where a group is not named, or another one is
_MORE_STEPS: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One name of the sample and what it is taken for."""

    here: tuple[str, ...]  # path below the message or the repeated group
    candidate: Candidate
    form: Form
    confidence: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFields:
    """Several names of the sample that are the parts of one canonical name."""

    here: tuple[tuple[str, ...], ...]  # in the order of the converter
    canonical: str  # "Person/Name"
    converter: str
    confidence: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A group of the sample that repeats, and the canonical group that it is taken for."""

    here: tuple[str, ...]
    several: Several
    confidence: float
    why: str
    inside: "Scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A name that was not taken for anything, and the best guess."""

    here: tuple[str, ...]
    path: str  # "" where nothing comes near
    confidence: float
    why: str


@dataclass(slots=True, kw_only=True)
class Scope:
    """What was matched in a message, or in a repeated group."""

    seen: Seen
    group: Group
    member: str = ""
    matches: list[Match] = field(default_factory=list)
    names: list[NameFields] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


@dataclass(slots=True)
class _Leaf:
    path: tuple[str, ...]
    seen: Seen
    words: str
    above: str


class Matcher:
    """Matches samples of one thesaurus."""

    def __init__(self, canonical: Canonical, thesaurus: Thesaurus, threshold: float = THRESHOLD) -> None:
        self.canonical, self.thesaurus, self.threshold = canonical, thesaurus, threshold

    def scope(self, seen: Seen, group: Group, member: str = "") -> Scope:
        """Match everything below `seen` with the fields of `group`; `member` leads to a group that repeats."""
        found = Scope(seen=seen, group=group, member=member)
        taken = self._repeats(found)
        leaves = [leaf for leaf in _leaves(seen) if not any(leaf.path[: len(path)] == path for path in taken)]
        repeated = {each.several.path for each in found.repeated}
        leaves = self._name_fields(found, leaves)
        candidates = [
            candidate
            for candidate in fields_of(self.canonical, group)
            if not any(candidate.path.startswith(f"{path}{ONLY}") for path in repeated)
            and not any(candidate.path.startswith(f"{each.canonical}/") for each in found.names)
        ]
        self._assign(found, leaves, candidates)
        return found

    # --- groups that repeat ----------------------------------------------------------------------------------------

    def _repeats(self, found: Scope) -> list[tuple[str, ...]]:
        """Match groups that stood several times; return the paths of all that did, matched or not."""
        groups = list(several_of(self.canonical, found.group))
        places = [(path, node) for path, node in _groups(found.seen) if node.many]
        ranked: list[Repeated] = []
        for path, node in places:
            for several in groups:
                score, why = self._group_score(path, several)
                if score < self.threshold:
                    continue
                inside = self.scope(node, self.canonical.groups[several.group], several.members[-1])
                if inside.matches or inside.names:
                    ranked.append(Repeated(here=path, several=several, confidence=score, why=why, inside=inside))
        for one in sorted(ranked, key=lambda one: -one.confidence):
            if not any(one.here == other.here or one.several.path == other.several.path for other in found.repeated):
                found.repeated.append(one)
        matched = {one.here for one in found.repeated}
        for path, _ in places:
            if path not in matched:
                found.doubts.append(
                    Doubt(here=path, path="", confidence=0.0, why="repeats, and no canonical group is called so")
                )
        return [path for path, _ in places]

    def _group_score(self, path: tuple[str, ...], several: Several) -> tuple[float, str]:
        words = [lean(words_of(step)) for step in path[-2:]]
        known = self.thesaurus.group_words(several.members[-1])
        best = max(((fuzz.ratio(one, other), other) for one in words for other in known), default=(0.0, ""))
        return best[0] / 100, f"name: {best[1]}"

    # --- names in parts --------------------------------------------------------------------------------------------

    def _name_fields(self, found: Scope, leaves: list[_Leaf]) -> list[_Leaf]:
        """Take given name and family name that stand side by side for one canonical name; return the other leaves."""
        if found.group.member("Name") is None and found.group.member("Person") is None:
            return leaves
        rest = list(leaves)
        for above in dict.fromkeys(leaf.path[:-1] for leaf in leaves):
            parts: dict[str, tuple[float, _Leaf]] = {}
            for leaf in leaves:
                if leaf.path[:-1] == above and all(isinstance(value, str) for value in leaf.seen.values):
                    for kind, words in self.thesaurus.name_parts.items():
                        score = max(fuzz.ratio(leaf.words, word) for word in words) / 100
                        if score > max(0.9, parts.get(kind, (0.0, leaf))[0]):
                            parts[kind] = (score, leaf)
            converter = _converter(parts)
            place = self._name_place(found, above) if converter else None
            if converter is None or place is None or any(place == other.canonical for other in found.names):
                continue
            kinds = converter.removeprefix("name-fields-").split("-")
            confidence = min(parts[kind][0] for kind in kinds) * 0.95
            used = [parts[kind][1] for kind in kinds]
            found.names.append(
                NameFields(
                    here=tuple(leaf.path for leaf in used),
                    canonical=place,
                    converter=converter,
                    confidence=round(confidence, 2),
                    why=f"parts of a name: {', '.join(kinds)}",
                )
            )
            rest = [leaf for leaf in rest if leaf not in used]
        return rest

    def _name_place(self, found: Scope, above: tuple[str, ...]) -> str | None:
        """Return the canonical name that parts of a name below `above` belong to."""
        if found.group.member("Name") is not None and found.group.name != "Authority":
            return "Name"
        words = " ".join(lean(words_of(step)) for step in above)
        for name in ("Spouse", "Guardian", "AccompanyingAdult", "Father", "Mother"):
            if words and _inside(words, self.thesaurus.group_words(name)):
                place = f"Person/{name}" if name in {"Father", "Mother"} else f"{name}/Name"
                return place if found.group.member(place.partition("/")[0]) is not None else None
        return "Person/Name"

    # --- single fields ---------------------------------------------------------------------------------------------

    def _assign(self, found: Scope, leaves: list[_Leaf], candidates: list[Candidate]) -> None:
        """Give each leaf its best field, the surest first; each field once."""
        scored = [
            (confidence, leaf, candidate, form, why)
            for leaf in leaves
            for candidate in candidates
            if (rated := self._score(leaf, candidate, found)) is not None
            for confidence, form, why in (rated,)
        ]
        scored.sort(key=lambda one: (-one[0], leaves.index(one[1]), one[2].path))
        best: dict[tuple[str, ...], Doubt] = {}
        taken_here: set[tuple[str, ...]] = set()
        taken: set[str] = set()
        for confidence, leaf, candidate, form, why in scored:
            best.setdefault(leaf.path, Doubt(here=leaf.path, path=candidate.path, confidence=confidence, why=why))
            if confidence < self.threshold or leaf.path in taken_here or candidate.path in taken:
                continue
            taken_here.add(leaf.path)
            taken.add(candidate.path)
            found.matches.append(Match(here=leaf.path, candidate=candidate, form=form, confidence=confidence, why=why))
        order = [leaf.path for leaf in leaves]
        found.matches.sort(key=lambda match: order.index(match.here))
        for leaf in leaves:
            if leaf.path not in taken_here:
                doubt = best.get(leaf.path)
                known = doubt is not None and doubt.confidence >= _WORTH_TELLING
                nothing = Doubt(
                    here=leaf.path, path="", confidence=0.0, why="no canonical field is called so and holds such values"
                )
                found.doubts.append(doubt if doubt is not None and known else nothing)

    def _score(self, leaf: _Leaf, candidate: Candidate, scope: Scope) -> tuple[float, Form, str] | None:
        """Return confidence, form and reason; None where the values forbid it."""
        if leaf.seen.many and not candidate.many:
            return None
        member = candidate.path.rpartition("/")[2]
        name, words = self._name_score(leaf, candidate, scope)
        if name * 0.9 + 0.1 < _WORTH_TELLING:
            return None
        form = form_of(candidate.value, leaf.seen.values, self.thesaurus, member)
        if form is None:
            return None
        return round(min(0.9 * name + form.bonus, 0.99), 2), form, f"name: {words}; values: {form.why}"

    def _name_score(self, leaf: _Leaf, candidate: Candidate, scope: Scope) -> tuple[float, str]:
        best, told = 0.0, ""
        whole = f"{leaf.above} {leaf.words}".strip()
        members = candidate.members
        foreign = self._foreign(whole, candidate)
        path = f"{scope.member}/{candidate.path}" if scope.member else candidate.path
        groups = (scope.group.name, *candidate.groups) if scope.member else candidate.groups
        for phrase in self.thesaurus.phrases(path, groups):
            uncovered = members[: max(0, len(members) + 1 - phrase.steps)]
            last = f"{leaf.above.rpartition('|')[2].strip()} {leaf.words}".strip()
            score = max(fuzz.token_sort_ratio(leaf.words, phrase.words), fuzz.token_sort_ratio(last, phrase.words)) / 100
            stripped = self._without(leaf.words, members)
            if stripped and stripped != leaf.words:
                score = max(score, 0.98 * fuzz.token_sort_ratio(stripped, phrase.words) / 100)
            for name in uncovered:
                if name not in _TAKEN_FOR_GRANTED and not _inside(whole, self.thesaurus.group_words(name)):
                    score *= _MISSING
                elif _inside(whole, self.thesaurus.group_words(name)):
                    score = min(1.0, score + _MORE_STEPS)
            score *= _FOREIGN if foreign and foreign not in phrase.words else 1.0
            if score > best:
                best, told = score, phrase.words
        return best, told

    def _without(self, words: str, members: tuple[str, ...]) -> str:
        """Return words without those that name a group on the way: "passport number" without "passport"."""
        for name in members:
            for known in sorted(self.thesaurus.group_words(name), key=len, reverse=True):
                if f" {known} " in f" {words} " and words != known:
                    return lean(f" {words} ".replace(f" {known} ", " ").strip())
        return words

    def _foreign(self, whole: str, candidate: Candidate) -> str:
        """Return the words of another person or authority that the name speaks of, "" where it does not."""
        for name in _SPOKEN_OF:
            if name not in candidate.members and (words := _inside(whole, self.thesaurus.group_words(name))):
                return words
        return ""


def _converter(parts: dict[str, tuple[float, _Leaf]]) -> str | None:
    """Return the converter for the parts that were found, in the order in which they stand."""
    kinds = set(parts)
    if not {"given", "family"} <= kinds or len({leaf.path for _, leaf in parts.values()}) != len(parts):
        return None
    order = "-".join(kind for kind in ("given", "father", "patronymic", "family") if kind in kinds)
    known = {"given-family", "given-father-family", "given-patronymic-family"}
    return f"name-fields-{order}" if order in known else "name-fields-given-family"


def _inside(whole: str, known: Iterable[str]) -> str:
    """Return the known words that stand in `whole`, "" where none do."""
    spaced = f" {whole.replace('|', ' ')} "
    for words in known:
        if f" {words} " in spaced:
            return words
    found = process.extractOne(whole.rpartition("|")[2].strip(), known, scorer=fuzz.ratio, score_cutoff=_SAME)
    return found[0] if found else ""


def _leaves(seen: Seen) -> Iterator[_Leaf]:
    for path, leaf in seen.leaves():
        steps = [lean(words_of(step)) for step in path if step != "."]
        yield _Leaf(path, leaf, steps[-1] if steps else "", " | ".join(steps[:-1]))


def _groups(seen: Seen, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Seen]]:
    """Yield every group below, but none inside one that repeats: that is matched within it."""
    for name, child in seen.children.items():
        if child.leaf:
            continue
        yield (*above, name), child
        if not child.many:
            yield from _groups(child, (*above, name))
