"""Plans without rows: every field of the canonical message stands for itself, under one rule."""

from dataclasses import dataclass, field

from gateway.wire.mapping import fillable
from gateway.wire.plans import Leaf, Plan, Repeat, Scope, absolute
from gateway.wire.report import Action, Field
from gateway.wire.shapes import Shape


@dataclass(slots=True, kw_only=True)
class _Maker:
    action: Action
    rule: str
    why: str | None
    fields: list[Field] = field(default_factory=list)

    def scope(self, shape: Shape, path: str) -> Scope:
        found = Scope(here=shape, canonical=shape, here_path=path, canonical_path=path)
        if not shape.children:
            self.leaf(found, ".")
        self.below(found, shape, "")
        return found

    def below(self, scope: Scope, shape: Shape, prefix: str) -> None:
        """Add what stands in a group that comes once, with its path; what may come several times gets a scope of its own."""
        for name, child in shape.children.items():
            path = f"{prefix}{name}"
            if child.many:
                slot, scope.size = scope.size, scope.size + 1
                inner = self.scope(child, f"{scope.canonical_path}/{path}")
                scope.repeats.append(Repeat(slot=slot, here=path, canonical=path, scope=inner))
            elif child.children:
                self.below(scope, child, f"{path}/")
            else:
                self.leaf(scope, path)

    def leaf(self, scope: Scope, path: str) -> None:
        full = absolute(scope.canonical_path, path)
        slot, scope.size = scope.size, scope.size + 1
        scope.leaves.append(
            Leaf(
                slot=slot,
                here=path,
                canonical=path,
                read=None,
                write=None,
                fixed=None,
                number=len(self.fields),
                here_path=full,
                canonical_path=full,
            )
        )
        self.fields.append(Field(path=full, action=self.action, rule=self.rule, why=self.why))


def same_plan(kind: str, shape: Shape, *, action: Action, rule: str, why: str | None = None) -> Plan:
    """Return the plan of a message type in which each field is carried as it is, reported with `action` and `rule`."""
    maker = _Maker(action=action, rule=rule, why=why)
    scope = maker.scope(shape, f"/{kind}")
    return Plan(type=kind, root=kind, match=None, scope=scope, fields=tuple(maker.fields), fillable=dict(fillable(scope)))
