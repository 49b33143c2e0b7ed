"""The rules between fields: an ISO Schematron file, compiled once into XPath.

The published file is the truth and runs on any partner's stack. Here it is read directly, since the subset it uses
(patterns of rules with a context and asserts, XSLT 1.0 binding) is plain XPath; the result is compared in a test with
lxml's own Schematron processor on the same file.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.errors import RuleViolation, SchemaSetBroken
from gateway.stages import Tree

_SCH = "{http://purl.oclc.org/dsdl/schematron}"
_BY_POSITION = re.compile(r"\b(position|last|current)\s*\(")  # such a test means something else inside a longer expression
_KNOWN = {f"{_SCH}{name}" for name in ("schema", "ns", "pattern", "rule", "assert", "title")}


@dataclass(frozen=True, slots=True)
class _Assert:
    id: str
    test: etree.XPath
    text: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """Asserts that hold for each node the context selects. `root` is the message type the context names, None for all."""

    root: str | None
    context: etree.XPath
    asserts: tuple[_Assert, ...]

    def concerns(self, name: str) -> bool:
        """Tell whether the context may select anything in a message of this type."""
        return self.root is None or self.root == name

    def broken(self) -> str:
        """Return the XPath expression that is true where one of the asserts fails."""
        return f"boolean(({self.context.path})[not({' and '.join(f'({check.test.path})' for check in self.asserts)})])"


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a schema set."""

    rules: tuple[_Rule, ...]
    broken: Mapping[str, etree.XPath]  # by message type: whether any assert fails, asked at one go

    @classmethod
    def load(cls, path: Path) -> "Rules":
        """Compile a Schematron file. Raises `SchemaSetBroken` for what this reader does not know."""
        try:
            schema = etree.parse(path).getroot()
            if (binding := schema.get("queryBinding", "xslt")) != "xslt":
                raise SchemaSetBroken(f"{path.name} uses the query language {binding}, which this reader does not know")
            for element in schema.iter(etree.Element):
                if element.tag not in _KNOWN:
                    raise SchemaSetBroken(f"{path.name} uses {element.tag}, which this reader does not know")
            names = {ns.get("prefix", ""): ns.get("uri", "") for ns in schema.iterfind(f"{_SCH}ns")}
            rules = tuple(_rule(rule, names) for rule in schema.iter(f"{_SCH}rule"))
            return cls(rules, _at_one_go(rules, names))
        except (OSError, etree.LxmlError) as error:
            raise SchemaSetBroken(f"{path.name} of the schema set cannot be read: {error}") from error

    def violations(self, document: Tree, *, first_only: bool = False) -> list[RuleViolation]:
        """Return the asserts that fail, with the place of the node each is about."""
        found: list[RuleViolation] = []
        name = etree.QName(document).localname
        broken = self.broken.get(name)
        if broken is not None and not broken(document):
            return found
        for rule in self.rules:
            if not rule.concerns(name):
                continue
            nodes: Any = rule.context(document)
            for node in nodes:
                for check in rule.asserts:
                    if not check.test(node):
                        found.append(RuleViolation(f"{check.text} (rule {check.id})", path=path_of(node), line=node.sourceline))
                        if first_only:
                            return found
        return found


def _at_one_go(rules: Iterable[_Rule], names: dict[str, str]) -> dict[str, etree.XPath]:
    """Return one question for all rules of each message type that the contexts name, where their tests allow it."""
    found: dict[str, etree.XPath] = {}
    for root in {rule.root for rule in rules if rule.root is not None}:
        asked = " or ".join(rule.broken() for rule in rules if rule.concerns(root) and rule.asserts)
        if not _BY_POSITION.search(asked):
            found[root] = etree.XPath(asked, namespaces=names)
    return found


def _rule(rule: Tree, names: dict[str, str]) -> _Rule:
    context = rule.get("context", "")
    steps = context.split("/")
    root = steps[1].partition(":")[2] if context.startswith("/") else "*"
    return _Rule(
        root=None if root == "*" else root,
        context=etree.XPath(context if context.startswith("/") else f"//{context}", namespaces=names),
        asserts=tuple(
            _Assert(
                id=check.get("id", ""),
                test=etree.XPath(f"boolean({check.get('test', '')})", namespaces=names),
                text=" ".join("".join(map(str, check.itertext())).split()),
            )
            for check in rule.iterfind(f"{_SCH}assert")
        ),
    )


def path_of(node: Tree) -> str:
    """Return the place of an element as people read it: /ReadmissionApplication/Document[2]/ExpiryDate."""
    steps: list[str] = []
    current: Tree | None = node
    while current is not None:
        parent = current.getparent()
        name = etree.QName(current).localname
        same = [child for child in parent if child.tag == current.tag] if parent is not None else []
        steps.append(f"{name}[{same.index(current) + 1}]" if len(same) > 1 else name)
        current = parent
    return "/" + "/".join(reversed(steps))
