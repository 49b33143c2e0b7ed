"""The mapping file and the code lists of a drafted format, as TOML text for people."""

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from gateway.wire.drafting.canonical import Canonical
from gateway.wire.drafting.layout import Layout, Node, RowSet
from gateway.wire.drafting.naming import snake
from gateway.wire.drafting.vocabulary import Vocabulary

_LINE = 118
DRAFTED = "Drafted from vocabulary.toml by 'gateway partner draft'."


def quoted(text: str) -> str:
    """Return `text` as a TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def heading(text: str) -> str:
    """Return a comment line that parts a file."""
    return f"# --- {text} ".ljust(_LINE, "-")


def comment(text: str) -> Iterator[str]:
    """Yield `text` as comment lines."""
    line = "#"
    for word in text.split():
        if len(line) + len(word) > _LINE:
            yield line
            line = "#"
        line += f" {word}"
    if line != "#":
        yield line


def mapping_text(vocabulary: Vocabulary, canonical: Canonical, layout: Layout, schema: str) -> str:
    """Return mapping.toml."""
    lines = [*comment(f"{vocabulary.about} {DRAFTED}"), *_head(vocabulary, schema)]
    sections = [(about, [kind for kind in kinds if kind in vocabulary.types]) for about, kinds in canonical.sections]
    for about, kinds in sections:
        lines += ["", heading(about)] if kinds else []
        for kind in kinds:
            lines += ["", *_message(vocabulary, kind)]
    lines += ["", "[rows]"]
    if lost := tuple(_lost(vocabulary, canonical)):
        lines += ["cannot_carry = [", *lost, "]"]
    for about, kinds in sections:
        lines += ["", heading(f"Rows: {about[:1].lower()}{about[1:]}"), ""] if kinds else []
        for kind in kinds:
            lines += _rows(layout.messages[kind], top=vocabulary)
    lines += _shared("Shared rows: groups", [rows for rows in layout.shared.values() if not rows.single])
    lines += _shared("Shared rows: single values", [rows for rows in layout.shared.values() if rows.single])
    return "\n".join(lines) + "\n"


def _shared(title: str, sets: list[RowSet]) -> Iterator[str]:
    if sets:
        yield from ("", heading(title), "")
        for rows in sets:
            yield from _rows(rows)


def _head(vocabulary: Vocabulary, schema: str) -> Iterator[str]:
    yield f"version = {quoted(vocabulary.version)}"
    yield f"format = {quoted(vocabulary.format)}"
    if vocabulary.namespace:
        yield f"namespace = {quoted(vocabulary.namespace)}"
    yield f"schema = {quoted(schema)}"


def _message(vocabulary: Vocabulary, kind: str) -> Iterator[str]:
    yield f"[messages.{kind}]"
    name = quoted(vocabulary.type_name(kind))
    if vocabulary.type_word:
        yield f"match = {{ path = {quoted(vocabulary.name(vocabulary.type_word))}, value = {name} }}"
    else:
        yield f"root = {name}"
    yield f"rows = {quoted(snake(kind))}"


def _lost(vocabulary: Vocabulary, canonical: Canonical) -> Iterator[str]:
    """Yield one entry for each canonical path that the format has no place for."""
    seen: set[str] = set()
    for key, why in vocabulary.cannot_carry.items():
        group, _, name = key.partition("/")
        for kind in vocabulary.types:
            for path in canonical.paths(kind, group, name):
                if path not in seen and not _inside_lost(vocabulary, canonical, kind, path):
                    seen.add(path)
                    yield f"  {{ canonical = {quoted(path)}, why = {quoted(why)} }},"


def _inside_lost(vocabulary: Vocabulary, canonical: Canonical, kind: str, path: str) -> bool:
    """Tell whether a group above the last step of `path` has no place already."""
    group = canonical.messages[kind]
    for step, _next in pairwise(path.split("/")):
        member = group.member(step)
        if f"{group.name}/{step}" in vocabulary.cannot_carry or member is None or member.group is None:
            return True
        group = canonical.groups[member.group]
    return False


def _rows(rows: RowSet, top: Vocabulary | None = None) -> Iterator[str]:
    """Yield one row set; `top` is given for a message."""
    if top is None and rows.meaning:
        yield from comment(rows.meaning)
    yield f"{rows.name} = ["
    if top is not None:
        yield '  { canonical = "@schemaVersion", fixed = "1.0" },'
    yield from _lines(rows.nodes, "")
    yield "]"


def _lines(nodes: Iterable[Node], above: str) -> Iterator[str]:
    for node in nodes:
        if node.fixed is not None:
            yield f"  {{ canonical = {quoted(node.canonical)}, fixed = {quoted(node.fixed)} }},"
            continue
        here = f"{above}{node.name}"
        if node.children:
            yield from _lines(node.children, f"{here}/")
            continue
        verb = ("repeat", node.rows) if node.rows is not None else node.value.verb if node.value is not None else None
        end = f", {verb[0]} = {quoted(str(verb[1]))}" if verb is not None else ""
        yield f"  {{ here = {quoted(here)}, canonical = {quoted(node.canonical)}{end} }},"


def codes_text(vocabulary: Vocabulary, used: Collection[str]) -> str:
    """Return codes.toml with the lists that are used; "" where every code is copied as it is."""
    lists = {name: codes for name, codes in vocabulary.codes.items() if name in used}
    if not lists:
        return ""
    lines = [*comment(f"Code lists: canonical code = the partner's code. {DRAFTED}")]
    for name, codes in lists.items():
        lines += [
            "",
            f"[{name}]",
            f"version = {quoted(vocabulary.version)}",
            f"valid_from = {vocabulary.valid_from}",
            f"reviewed = {vocabulary.reviewed}",
            f"reviewed_by = {quoted(vocabulary.reviewed_by)}",
            f"[{name}.codes]",
            *(f"{toml_key(canonical)} = {quoted(here)}" for canonical, here in codes.items()),
        ]
        if also := vocabulary.also_read.get(name):
            lines += [f"[{name}.also_read]", *(f"{toml_key(here)} = {quoted(canonical)}" for here, canonical in also.items())]
    return "\n".join(lines) + "\n"


def toml_key(name: str) -> str:
    """Return a TOML key, in quotation marks where it needs them."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else quoted(name)
