"""Rules and their conditions made ready to be asked, once for all calls.

A condition becomes a `Node`: its operator or its parts, its modifiers, and what follows from them for every call:
which other nodes must have been found for it to hold, whether it speaks of single turns, what it costs to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

from rules.context import DEFAULT_GUARDS
from rules.model import Anchor, Condition, Guard, Rule, RuleSet, Speaker
from rules.operators import CountAcrossCalls, EntityOf, Operator, build
from rules.prefilter import Expression, Probe, expected

Test = tuple[Expression | None, bool]


class Need(NamedTuple):
    """Probes, as bits, of which one must be met somewhere in the call; how often that is to be expected."""

    probes: int
    expected: float


_PARTS = ("when", "unless", "applies_when", "applies_unless")


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A condition ready to be asked. What hangs on other nodes is filled in by `link`, when all are there."""

    number: int
    condition: Condition
    speaker: Speaker
    operator: Operator | None
    parts: tuple[Node, ...] = ()
    excluded: tuple[Node, ...] = ()
    answers: tuple[Node, ...] = ()
    named: Node | None = None
    """The condition that `hit` names."""
    anchors: tuple[tuple[Anchor, Node, int], ...] = ()
    """What its hits must lie before (−1), after (+1) or around (0)."""
    first_probe: int = 0
    """The number of the first of its operator's probes, which are numbered through all nodes."""
    tests: tuple[Test, ...] = field(init=False)
    """What decides where the words of a probe stand: for each an expression or None, by sound or as spoken."""
    probes: int = field(init=False)
    """Its probes as bits."""
    watched: bool = field(init=False)
    """Whether it can hold only where some of its words were found."""
    windowed: bool = field(init=False)
    """Whether it is about the first or last part of a call."""
    plain: bool = field(init=False)
    """Whether it has no modifiers but, perhaps, a first or last part of the call."""
    local: bool = False
    """Whether what it says about a turn hangs on that turn, and its place in the call, alone."""
    certain: bool = False
    """Whether its hits never carry a doubt."""
    needs: tuple[Need, ...] = ()
    """What must be met in a call for it to hold, the rarest first; empty where nothing is known."""
    cheapest: tuple[Node, ...] = ()
    """Its parts, those first that are soonest known to fail."""

    def __post_init__(self) -> None:
        condition, probes = self.condition, self.operator.probes if self.operator else ()
        self.tests = tuple((probe.expression, probe.by_sound) for probe in probes)
        self.probes = ((1 << len(probes)) - 1) << self.first_probe
        self.watched = bool(probes)
        self.windowed = condition.first is not None or condition.last is not None
        self.plain = not condition.anchors and condition.answered_by is None and condition.at_least == 1

    def may_hold(self, met: int) -> bool:
        """Whether all words that it needs stand in a call where these probes, as bits, are met."""
        for need in self.needs:  # noqa: SIM110 - asked five hundred times a call: all() would take twice the time
            if not met & need.probes:
                return False
        return True

    @property
    def below(self) -> tuple[Node, ...]:
        """The nodes of which one, or all, must hold for this one to hold."""
        return (self.named,) if self.named else self.parts

    def link(self, names: Mapping[str, Node]) -> None:
        """Find the conditions that it names."""
        condition = self.condition
        self.named = names[condition.hit] if condition.hit else None
        self.anchors = tuple((anchor, names[anchor.condition], sign) for anchor, sign in condition.anchors)

    def settle(self) -> None:
        """Work out what hangs on the nodes it names, once they are linked."""
        self.local, self.certain, self.needs = _local(self), _certain(self), _needs(self)
        self.cheapest = tuple(sorted(self.parts, key=_cost))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compiled:
    """A rule with its conditions as nodes."""

    rule: Rule
    when: tuple[Node, ...]
    unless: tuple[Node, ...]
    applies_when: tuple[Node, ...]
    applies_unless: tuple[Node, ...]
    guards: tuple[Guard, ...]

    @property
    def operators(self) -> frozenset[Operator]:
        """What `when` asks, conditions that it names included."""
        return frozenset(node.operator for node in _below(self.when) if node.operator is not None)

    @property
    def speakers(self) -> frozenset[Speaker]:
        """Those whose words `when` asks about."""
        return frozenset(node.speaker for node in _below(self.when) if node.operator and node.operator.by_turn)


class Compiler:
    """Makes nodes of the conditions of a rule set, numbered in the order in which they are made."""

    def __init__(self, ruleset: RuleSet) -> None:
        self._ruleset = ruleset
        self.nodes: list[Node] = []
        self.probes: list[tuple[Probe, Speaker]] = []
        self._shared = {name: self._node(condition, "any") for name, condition in ruleset.conditions.items()}
        self._settle(self.nodes, self._shared)

    def compiled(self, rule: Rule) -> Compiled:
        """A rule ready to judge calls."""
        first = len(self.nodes)
        parts = {part: tuple(self._node(c, rule.role) for c in getattr(rule, part)) for part in _PARTS}
        made = self.nodes[first:]
        self._settle(made, self._shared | {node.condition.name: node for node in made if node.condition.name})
        guards = rule.guards if rule.guards is not None else DEFAULT_GUARDS if rule.kind == "forbid" else ()
        return Compiled(rule=rule, guards=guards, **parts)

    def _node(self, condition: Condition, speaker: Speaker) -> Node:
        speaker = condition.role or speaker
        inner = (*(condition.all or ()), *(condition.any or ()))
        excluded = [*(condition.none or ()), *(part for other in condition.all or () for part in other.none or ())]
        composite = bool(inner or excluded or condition.hit or condition.signal)
        kept = [part for part in inner if condition.any or part.none is None]
        answers = condition.answered_by
        within = tuple(self._node(part, speaker) for part in kept)
        beside = tuple(self._node(part, speaker) for part in excluded)
        answering = tuple(self._node(part, answers.role) for part in answers.any) if answers else ()
        operator = None if composite else build(condition, self._ruleset.words, self._value)
        node = Node(
            number=len(self.nodes), condition=condition, speaker=speaker, operator=operator,
            first_probe=len(self.probes), parts=within, excluded=beside, answers=answering,
        )  # fmt: skip
        self.nodes.append(node)
        self.probes += [(probe, speaker) for probe in operator.probes] if operator else []
        return node

    def _settle(self, nodes: Sequence[Node], names: Mapping[str, Node]) -> None:
        for node in nodes:
            node.link(names)
        for node in nodes:
            node.settle()

    def _value(self, value: Any) -> str:
        """A `$parameter` of the pack, or the value itself."""
        return self._ruleset.parameters[value[1:]] if isinstance(value, str) and value[:1] == "$" else str(value)


def _below(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _below(node.below)


def _local(node: Node) -> bool:
    if not node.plain or node.condition.signal:
        return False
    if node.operator is not None:
        return node.operator.by_turn
    if not node.below or node.condition.scope == "call":
        return False
    return all(map(_local, (*node.below, *node.excluded)))


def _certain(node: Node) -> bool:
    return node.operator.certain if node.operator is not None else all(map(_certain, node.below))


def _needs(node: Node) -> tuple[Need, ...]:
    if isinstance(node.operator, CountAcrossCalls):
        return (Need(0, 0.0),)
    if node.watched and node.operator:
        return (Need(node.probes, sum(expected(probe.needs[0]) for probe in node.operator.probes)),)
    below = [_needs(part) for part in node.below]
    if node.condition.any:
        return (reduce(_either, (needs[0] for needs in below)),) if all(below) else ()
    return tuple(sorted({need for needs in below for need in needs}, key=lambda need: need.expected))


def _either(one: Need, other: Need) -> Need:
    return Need(one.probes | other.probes, one.expected + other.expected)


def _cost(node: Node) -> int:
    """What it takes to learn that a node does not hold."""
    if node.watched or (node.operator is not None and not node.operator.by_turn):
        return 0
    return 2 if node.condition.signal or isinstance(node.operator, EntityOf) else 1
