"""The files of a guessed dialect: mapping with the confidence of each row, schema of the sample, code lists."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from gateway.wire.drafting.json_draft import JsonWriter
from gateway.wire.drafting.rows import comment, heading, quoted, toml_key
from gateway.wire.drafting.type_names import TypeNames
from gateway.wire.drafting.xml_draft import XsdWriter, xsd_file
from gateway.wire.guessing.building import Built
from gateway.wire.guessing.sample import Sample

_NOT_SAID = "not in the sample document; see GUESSES.md"
_NOT_READ = "no canonical field was found for it; see GUESSES.md"
_NAME_LOST = "the format has its own order and parts of a name"
_ABOUT = "Guessed from a sample document by 'gateway partner new'; the number behind a row is its confidence."


def dialect_files(kind: str, sample: Sample, built: Built, today: date) -> dict[str, str]:
    """Return the files of the dialect folder, name -> text."""
    schema = "schema.xsd" if sample.format == "xml" else "schema.json"
    text = _xsd(sample, built) if sample.format == "xml" else _json_schema(sample, built)
    files = {"mapping.toml": _mapping(kind, sample, built, schema), schema: text}
    if codes := "\n".join(_codes(built, today)):
        files["codes.toml"] = codes + "\n"
    return files


def _mapping(kind: str, sample: Sample, built: Built, schema: str) -> str:
    lines = [*comment(_ABOUT), 'version = "1"', f"format = {quoted(sample.format)}"]
    if sample.namespace:
        lines.append(f"namespace = {quoted(sample.namespace)}")
    lines += [f"schema = {quoted(schema)}", "", f"[messages.{kind}]"]
    if sample.format == "xml":
        lines.append(f"root = {quoted(sample.tree.name)}")
    lines += [f"rows = {quoted(built.message.name)}", "", "[rows]", "cannot_carry = ["]
    lost = {_NOT_SAID: built.lost_canonical, _NAME_LOST: sorted(set(built.names_lose) - set(built.lost_canonical))}
    lines += [line for why, paths in lost.items() for line in _lost("canonical", paths, why)]
    lines += [*_lost("here", built.lost_here, _NOT_READ), "]"]
    for name, rows in built.lines.items():
        lines += ["", heading(f"Rows: {name.replace('_', ' ')}"), f"{name} = ["]
        lines += [f"  {line.text},{f'  # {line.note}' if line.note else ''}" for line in rows]
        lines.append("]")
    if sample.format == "csv":
        lines += ["", "[table]", f"delimiter = {quoted(sample.delimiter)}", f"encoding = {quoted(sample.encoding)}"]
    elif sample.format == "xlsx":
        lines += ["", "[table]"]
    if sample.renamed and sample.format in {"csv", "xlsx"}:
        renamed = {member: name for name, member in sample.renamed}
        names = [node.name for node in built.message.nodes if node.name]
        columns = (f"  {{ name = {quoted(renamed.get(name, name))}, path = {quoted(name)} }}," for name in names)
        lines += ["columns = [", *columns, "]"]
    return "\n".join(lines) + "\n"


def _lost(side: str, paths: list[str], why: str) -> Iterator[str]:
    if not paths:
        return
    yield f"  {{ {side} = ["
    yield from (f"    {quoted(path)}," for path in paths)
    yield f"  ], why = {quoted(why)} }},"


def _xsd(sample: Sample, built: Built) -> str:
    names = {name: f"{name.removesuffix('_rows').title().replace('_', '')}Group" for name in built.shared}
    writer = XsdWriter(TypeNames(names))
    groups = [line for rows in built.shared.values() for line in writer.group(rows)]
    documents = list(writer.message(sample.tree.name, built.message))
    about = f"{_ABOUT} Names, order and repeats are those of the sample; lengths and codes those of the canonical message."
    return xsd_file(about, sample.namespace, "1", (list(writer.simple_types()), groups, documents))


def _json_schema(sample: Sample, built: Built) -> str:
    writer = JsonWriter(TypeNames({name: name.removesuffix("_rows") + "_group" for name in built.shared}))
    whole = writer.members(built.message.nodes)
    groups = {writer.names.of_rows(name): writer.members(rows.nodes) for name, rows in built.shared.items()}
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{sample.format.upper()} document, as the sample shows it",
        "description": _ABOUT,
        **whole,
        "$defs": {**writer.definitions(), **groups},
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _codes(built: Built, today: date) -> Iterator[str]:
    if built.codes:
        yield "# Code lists: canonical code = the partner's code. Guessed from the sample: a code with a remark was not in it."
    for name, form in built.codes.items():
        yield from ("", f"[{name}]", 'version = "1"', f"valid_from = {today}", f"reviewed = {today}")
        yield 'reviewed_by = "nobody yet: guessed from a sample document"'
        yield f"[{name}.codes]"
        for canonical, here in form.codes.items():
            remark = "  # made up: ask the partner" if canonical in form.unsure else ""
            yield f"{toml_key(canonical)} = {quoted(here)}{remark}"
