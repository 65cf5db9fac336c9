"""A set of rules, compiled once; a transcript in, findings and outcomes out.

Two Aho–Corasick automata over all terms of all rules, one over characters and one over syllables, go through the
call once. Only operators with a trigger in the call are asked, only about the turns where it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import sub
from typing import Any

from rules.call import CALL, Call, Hit, Span
from rules.context import DEFAULT_GUARDS, guard_of
from rules.lookout import Lookout
from rules.model import (
    Anchor,
    CallFacts,
    Condition,
    Finding,
    Guard,
    Judgement,
    Result,
    Rule,
    RuleSet,
    Speaker,
    role_matches,
)
from rules.operators import WHOLE_TURN, Operator, build
from rules.prefilter import Probe, expected
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

_Decides = tuple[int, re.Pattern[str] | None]  # a node, and what must match where its needs are met

_UNSAID = Hit(turn=CALL, start=0, end=0, because="没有出现例外所说的话")
_LONGEST_STRETCH = 40  # characters
_UNLESS_REACH = 12  # characters between a hit and an exception that belongs to it
_LEAST_CONFIDENCE = 0.35  # of recognition; below it people must listen
_SOUND_CONFIDENCE = 0.85


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """A condition ready to be asked: its operator or its parts, and its modifiers.

    The triggers of `eager` nodes are looked for in every call; those of the others (exceptions, the commoner
    parts of an `all`) only where somebody asks. What every call asks of a node is worked out once, here.
    """

    number: int
    eager: bool
    condition: Condition
    speaker: Speaker
    operator: Operator | None
    parts: tuple[Node, ...] = ()
    excluded: tuple[Node, ...] = ()
    answers: tuple[Node, ...] = ()
    cheapest: tuple[Node, ...] = field(init=False)
    """Its parts, those first that the call was searched for: they are empty most often, and known."""
    anchors: tuple[tuple[Anchor, int], ...] = field(init=False)
    """What its hits must lie before (−1), after (+1) or around (0)."""
    windowed: bool = field(init=False)
    """Whether it is about the first or last part of a call."""
    plain: bool = field(init=False)
    """Whether it has no modifiers but, perhaps, a first or last part of the call."""
    watched: bool = field(init=False)
    """Whether it can hold only where one of its triggers was found."""
    decided: bool = field(init=False)
    """Whether it surely holds in the turns, not too long ones, in which it was found."""
    by_turn: bool = field(init=False)
    """Whether its hits can be had turn after turn, once it is known which turns are in its window."""
    local: bool = field(init=False)
    """Whether what it says about a turn hangs on that turn alone."""
    certain: bool = field(init=False)
    """Whether its hits never carry a doubt."""

    def __post_init__(self) -> None:
        condition, operator = self.condition, self.operator
        anchors = ((condition.before, -1), (condition.after, 1), (condition.around, 0))
        self.cheapest = tuple(sorted(self.parts, key=lambda part: not part.eager))
        self.anchors = tuple((anchor, sign) for anchor, sign in anchors if anchor)
        self.windowed = condition.first is not None or condition.last is not None
        self.plain = not self.anchors and condition.answered_by is None and condition.at_least == 1
        self.watched = self.eager and operator is not None and not operator.always
        self.decided = self.watched and operator is not None and operator.exact and self.plain
        self.by_turn = operator is not None and operator.by_turn and self.plain
        self.local = self.by_turn and not self.windowed
        self.certain = condition.hit is None and all(part.certain for part in self.parts)
        if operator is not None:
            self.certain = operator.certain

    def sure(self, names: Mapping[str, Node]) -> bool:
        """Whether its hits, or those of the condition that it names, never carry a doubt."""
        return names[self.condition.hit].sure(names) if self.condition.hit else self.certain


@dataclass(frozen=True, kw_only=True, eq=False)
class Compiled:
    """A rule with its conditions as nodes."""

    rule: Rule
    when: tuple[Node, ...]
    unless: tuple[Node, ...]
    applies_when: tuple[Node, ...]
    applies_unless: tuple[Node, ...]
    names: Mapping[str, Node]
    guards: tuple[Guard, ...]
    always: bool

    @cached_property
    def sure(self) -> tuple[Node, ...]:
        """Those of `when` whose hits never carry a doubt."""
        return tuple(node for node in self.when if node.sure(self.names))

    @cached_property
    def unsure(self) -> tuple[Node, ...]:
        """The others."""
        return tuple(node for node in self.when if not node.sure(self.names))

    @cached_property
    def operators(self) -> frozenset[Operator]:
        """What `when` asks, conditions that it names included."""
        nodes = [*_descendants(self.when)]
        nodes += _descendants([self.names[node.condition.hit] for node in nodes if node.condition.hit])
        return frozenset(node.operator for node in nodes if node.operator is not None)


class Judge:
    """Judges calls by one RuleSet. Building it takes a moment; judging a call well under a millisecond."""

    _probes_decide = True  # a test asks every condition although a probe has told that it holds

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self._tokenizer = Tokenizer(ruleset.lexicon)
        self._nodes: list[Node] = []
        shared = ruleset.conditions
        self._shared = {name: self._node(condition, "any", eager=True) for name, condition in shared.items()}
        self._compiled = [self._compile(rule) for rule in ruleset.rules if rule.status != "deprecated"]
        self._signals = [compiled for compiled in self._compiled if compiled.rule.kind == "signal"]
        probes = [
            (node, probe) for node in self._nodes if node.eager and node.operator for probe in node.operator.probes
        ]
        self._characters, self._by_characters = _lookout(probes, by_sound=False)
        self._syllables, self._by_syllables = _lookout(probes, by_sound=True)
        self._untriggered = {
            compiled.rule.id: Result.NOT_APPLICABLE if _needs_many_calls(compiled.rule) else Result.PASS
            for compiled in self._compiled
        }
        self._always = [compiled for compiled in self._compiled if compiled.always]
        self._by_node = self._rules_by_node()

    def judge(self, turns: Sequence[Turn], facts: CallFacts) -> Judgement:
        """Findings in the order of the call, and the outcome of every rule."""
        judging = self._judging(turns, facts)
        outcomes, findings = dict(self._untriggered), []
        for compiled in self._looking(judging):
            result, found = _judge_rule(compiled, judging)
            outcomes[compiled.rule.id] = result
            findings += found
        findings.sort(key=lambda finding: (finding.turn, finding.start, finding.rule_id))
        return Judgement(findings=tuple(findings), outcomes=outcomes)

    def looking(self, turns: Sequence[Turn], facts: CallFacts) -> tuple[str, ...]:
        """Ids of the rules that look at a call at all: those with a trigger in it, and those that always do."""
        return tuple(compiled.rule.id for compiled in self._looking(self._judging(turns, facts)))

    def excuses(self, rule_id: str, turns: Sequence[Turn], facts: CallFacts) -> tuple[str, ...]:
        """Why hits of a rule were taken away: one Chinese sentence for each."""
        judging = self._judging(turns, facts)
        compiled = next(compiled for compiled in self._compiled if compiled.rule.id == rule_id)
        if not _applies(compiled, judging):
            return ("这条规则对这通电话不适用",)
        hits = [hit for node in compiled.when for hit in judging.hits(node, compiled.names)]
        return tuple(f"{hit.because}，但{excuse}" for hit in hits if (excuse := _excuse(hit, compiled, judging)))

    def _judging(self, turns: Sequence[Turn], facts: CallFacts) -> Judging:
        call = Call(turns, facts, self._tokenizer)
        return Judging(call, self._found(call), self._signals, probes_decide=self._probes_decide)

    def _found(self, call: Call) -> dict[int, list[int]]:
        """For each node that may hold, the turns in which it may."""
        low, ends = call.normal.turns, call.normal.ends
        found: dict[int, list[int]] = {}
        for lookout, decides, text in (
            (self._characters, self._by_characters, call.normal.text),
            (self._syllables, self._by_syllables, call.sounds),
        ):
            for turn, probes in lookout.met(text, ends, call.roles):
                start, end = low[turn], ends[turn]
                long = end - start > WHOLE_TURN  # left to the operator, which looks around its triggers only
                for probe in probes:
                    node, expression = decides[probe]
                    turns = found.setdefault(node, [])
                    if turn not in turns and (expression is None or long or expression.search(text, start, end)):
                        insort(turns, turn)
        return {node: turns for node, turns in found.items() if turns}

    def _looking(self, judging: Judging) -> list[Compiled]:
        looking = {id(compiled): compiled for compiled in self._always}
        for number in judging.found:
            for compiled in self._by_node.get(number, ()):
                looking[id(compiled)] = compiled
        return list(looking.values())

    def _compile(self, rule: Rule) -> Compiled:
        first, asked_always = len(self._nodes), rule.kind in ("require", "limit")
        parts = {
            part: tuple(self._node(c, rule.role, eager=asked_always or part == "when") for c in getattr(rule, part))
            for part in ("when", "unless", "applies_when", "applies_unless")
        }
        guards = rule.guards if rule.guards is not None else DEFAULT_GUARDS if rule.kind == "forbid" else ()
        own = {node.condition.name: node for node in self._nodes[first:] if node.condition.name}
        names = {**self._shared, **own}
        always = rule.kind == "require" or any(map(_always, parts["when"]))
        return Compiled(rule=rule, names=names, guards=guards, always=always, **parts)

    def _node(self, condition: Condition, speaker: Speaker, *, eager: bool) -> Node:
        speaker = condition.role or speaker
        inner = (*(condition.all or ()), *(condition.any or ()))
        excluded = [*(condition.none or ()), *(part for other in condition.all or () for part in other.none or ())]
        composite = bool(inner or excluded or condition.hit or condition.signal)
        kept = [part for part in inner if condition.any or part.none is None]
        parts = tuple(self._node(part, speaker, eager=eager) for part in kept)
        answers = condition.answered_by
        node = Node(
            condition=condition,
            speaker=speaker,
            operator=None if composite else build(condition, self._expand, self._value),
            parts=self._one_eager(parts) if condition.all and eager else parts,
            excluded=tuple(self._node(part, speaker, eager=False) for part in excluded),
            answers=tuple(self._node(part, answers.role, eager=False) for part in answers.any) if answers else (),
            eager=eager,
            number=len(self._nodes),
        )
        self._nodes.append(node)
        return node

    def _one_eager(self, parts: tuple[Node, ...]) -> tuple[Node, ...]:
        """All parts must hold, so it is enough to look out for the rarest of them."""
        watchable = [(expected(strings), part.number, part) for part in parts if (strings := _strings(part))]
        if not watchable:
            return parts
        watched = min(watchable)[2]
        kept = tuple(part if part is watched else _lazy(part) for part in parts)
        for part in kept:
            for node in _descendants((part,)):
                self._nodes[node.number] = node
        return kept

    def _expand(self, terms: Sequence[str]) -> tuple[str, ...]:
        """Terms with `@lists` of the lexicon replaced by their words."""
        lexicon = self.ruleset.lexicon
        return tuple(word for term in terms for word in (lexicon[term[1:]] if term[0] == "@" else (term,)))

    def _value(self, value: Any) -> str:
        """A `$parameter` of the pack, or the value itself."""
        return self.ruleset.parameters[value[1:]] if isinstance(value, str) and value[:1] == "$" else str(value)

    def _rules_by_node(self) -> dict[int, list[Compiled]]:
        owners: dict[int, list[Compiled]] = defaultdict(list)
        for compiled in self._compiled:
            for node in _descendants(compiled.when):
                owners[node.number].append(compiled)
        return owners


def _lookout(probes: Sequence[tuple[Node, Probe]], *, by_sound: bool) -> tuple[Lookout, list[_Decides]]:
    """What to look out for, and what then decides."""
    chosen = [(node, probe) for node, probe in probes if probe.by_sound is by_sound]
    lookout = Lookout([(probe.needs, node.speaker) for node, probe in chosen])
    return lookout, [(node.number, probe.expression) for node, probe in chosen]


def _strings(node: Node) -> list[str]:
    """Strings of which one occurs wherever a condition holds; empty where there are none."""
    if node.operator:
        return [*node.operator.triggers, *node.operator.sound_triggers]
    parts = [_strings(part) for part in node.parts] if node.condition.any else []
    return [string for part in parts for string in part] if all(parts) else []


def _lazy(node: Node) -> Node:
    return replace(node, eager=False, parts=tuple(map(_lazy, node.parts)))


def _needs_many_calls(rule: Rule) -> bool:
    return any(condition.count is not None for condition in rule.when)


def _descendants(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _descendants(node.parts)


def _always(node: Node) -> bool:
    """Whether a condition can hold although none of its triggers occurs."""
    if node.condition.all is not None:
        return all(map(_always, node.parts))
    if node.operator is None:
        return not node.parts or any(map(_always, node.parts))
    return node.operator.always


class Judging:
    """One call under judgement: the turns to ask each node about, and each condition's hits, worked out once."""

    def __init__(
        self, call: Call, found: Mapping[int, list[int]], signals: Sequence[Compiled], *, probes_decide: bool
    ) -> None:
        self.call = call
        self.found = found
        self._signals = signals
        self._accepted: dict[str, list[Hit]] = {}
        self._hits: dict[int, list[Hit]] = {}
        self._hits_in: dict[tuple[int, int], list[Hit]] = {}
        self._held: dict[int, bool] = {}
        short = max(map(sub, call.normal.ends, call.normal.turns), default=0) <= WHOLE_TURN
        self._decided = short and probes_decide

    def hits(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        """The hits of a condition, all its modifiers applied."""
        if node.watched and node.number not in self.found:
            return []
        known = self._hits.get(node.number)
        if known is None:
            self._hits[node.number] = known = self._find(node, names)
        return known

    def hits_in(self, node: Node, turn: int, names: Mapping[str, Node]) -> list[Hit]:
        """The hits that may lie in one turn: only that turn is looked at where nothing else matters."""
        if node.watched or not node.local or turn == CALL:
            return self.hits(node, names)
        known = self._hits_in.get((node.number, turn))
        if known is None:
            self._hits_in[node.number, turn] = known = self._find_in(node, turn)
        return known

    def each(self, node: Node, names: Mapping[str, Node]) -> Iterator[Hit]:
        """The hits of a condition, worked out one after another: for who needs only the first."""
        if node.number in self._hits or node.operator is None or not node.by_turn:
            yield from self.hits(node, names)
        else:
            for turn in self._turns(node, names):
                yield from node.operator.hits(self.call, (turn,))

    def first(self, node: Node, names: Mapping[str, Node]) -> Hit | None:
        """The first hit of a condition."""
        return next(self.each(node, names), None)

    def holds(self, node: Node, names: Mapping[str, Node]) -> bool:
        """Whether a condition has any hit; hits are made only where nothing cheaper tells."""
        if node.watched and node.number not in self.found:
            return False
        held = self._held.get(node.number)
        if held is None:
            self._held[node.number] = held = self._holds(node, names)
        return held

    def _holds(self, node: Node, names: Mapping[str, Node]) -> bool:
        condition = node.condition
        if node.decided and self._decided:
            return not node.windowed or bool(self._turns(node, names))
        if node.operator is None and not condition.signal and node.plain and not node.windowed:
            if condition.hit:
                return self.holds(names[condition.hit], names)
            if condition.any:
                return any(self.holds(part, names) for part in node.parts)
            if not condition.all or condition.scope == "call":
                return self._all_hold(node, names)
        return self.first(node, names) is not None

    def _all_hold(self, node: Node, names: Mapping[str, Node]) -> bool:
        """Whether all parts hold somewhere in the call, and none of what is excluded."""
        return all(self.holds(part, names) for part in node.cheapest) and not any(
            self.holds(part, names) for part in node.excluded
        )

    def _find_in(self, node: Node, turn: int) -> list[Hit]:
        if node.operator is None or not role_matches(node.speaker, self.call.roles[turn]):
            return []
        return list(node.operator.hits(self.call, (turn,)))

    def _find(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        hits = self._operator_hits(node, names) if node.operator else self._combined(node, names)
        if not hits:
            return []
        if node.plain and not node.windowed:
            return hits
        condition = node.condition
        if node.windowed:
            hits = [hit for hit in hits if hit.turn != CALL and self._in_window(hit.turn, node)]
        for anchor, sign in node.anchors:
            hits = self._anchored(hits, anchor, sign, names)
        if condition.answered_by:
            hits = [hit for hit in hits if self._answered(hit, node, names)]
        return hits if len(hits) >= condition.at_least else []

    def _operator_hits(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        if node.operator is None:
            return []
        turns = self._turns(node, names) if node.operator.by_turn else ()
        if node.operator.always:
            hits, roles = node.operator.hits(self.call, turns), self.call.roles
            return [hit for hit in hits if hit.turn == CALL or role_matches(node.speaker, roles[hit.turn])]
        return list(node.operator.hits(self.call, turns)) if turns else []

    def _turns(self, node: Node, names: Mapping[str, Node]) -> Sequence[int]:
        """The turns of its speaker that may hold hits of a node: in its window, near its anchor, with a trigger."""
        if node.watched:
            turns: Sequence[int] = self.found.get(node.number, ())
        else:
            turns = self.call.turns_of(node.speaker)
            if node.operator is not None and not node.operator.always:
                turns = sorted(node.operator.turns(self.call) & set(turns))
        if turns and node.windowed:
            turns = [turn for turn in turns if self._in_window(turn, node)]
        for anchor, sign in node.anchors:
            if turns:
                anchors = {hit.turn for hit in self._anchors(anchor, names)}
                turns = [turn for turn in turns if any(_distant(turn - a, anchor.turns, sign) for a in anchors)]
        return turns

    def _combined(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        condition = node.condition
        if condition.hit:
            return self.hits(names[condition.hit], names)
        if condition.signal:
            return self._raised(condition.signal)
        if condition.any:
            return [hit for part in node.parts for hit in self.hits(part, names)]
        if condition.all:
            return self._together(node, names)
        if not self._all_hold(node, names):
            return []
        return [_UNSAID]

    def _raised(self, categories: Sequence[str]) -> list[Hit]:
        """What the signal rules of some categories surely find, in the order of the call."""
        raising = [compiled for compiled in self._signals if compiled.rule.category in categories]
        hits = [(hit, compiled.rule) for compiled in raising for hit in self.accepted(compiled)]
        return sorted((hit for hit, rule in hits if not _doubts(hit, rule, self.call)), key=lambda hit: hit[:3])

    def accepted(self, compiled: Compiled) -> list[Hit]:
        """The hits of a rule that apply, and that no guard or exception takes away."""
        known = self._accepted.get(compiled.rule.id)
        if known is None:
            known = _accepted(compiled, self) if self.call.turns and _applies(compiled, self) else []
            self._accepted[compiled.rule.id] = known
        return known

    def _together(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        """Hits of the first part that all the others accompany, within the clause, the turn or the call."""
        scope = node.condition.scope or "turn"
        if scope == "call":
            return self._anywhere(node, names) if self._all_hold(node, names) else []
        groups = self._groups(node, names)
        if not groups:
            return []
        calls = [group[0] for group in groups if group[0].turn == CALL]
        spoken = [group for group in groups if group[0].turn != CALL]
        excluded = [hit for part in node.excluded for hit in self.hits(part, names)]
        if not spoken:
            return [] if excluded else [_joined(calls)]
        together = []
        for hit in spoken[0]:
            others = [next((o for o in group if self._shares(hit, o, scope)), None) for group in spoken[1:]]
            if None in others or any(self._shares(hit, other, scope) for other in excluded):
                continue
            parts = [hit, *(other for other in others if other)]
            together.append(_joined([*parts, *calls])._replace(stretch=_stretch(parts)))
        return together

    def _anywhere(self, node: Node, names: Mapping[str, Node]) -> list[Hit]:
        """Hits of the first part that is about words, with the first hit of each of the others."""
        leads = [(part, hit) for part in node.parts if (hit := self.first(part, names))]
        calls = [hit for _, hit in leads if hit.turn == CALL]
        spoken = [(part, hit) for part, hit in leads if hit.turn != CALL]
        if not spoken:
            return [_joined(calls) if calls else _UNSAID]
        others = [hit for _, hit in spoken[1:]] + calls
        return [_joined([hit, *others]) for hit in self.hits(spoken[0][0], names)]

    def _groups(self, node: Node, names: Mapping[str, Node]) -> list[list[Hit]]:
        """The hits of each part, the parts that were looked out for first; empty where a part has none."""
        groups: dict[int, list[Hit]] = {}
        turns: set[int] | None = None
        for part in node.cheapest:
            if turns is not None and part.local and not part.watched:
                hits = [hit for turn in sorted(turns) for hit in self.hits_in(part, turn, names)]
            else:
                hits = self.hits(part, names)
            if not hits:
                return []
            groups[part.number] = hits
            if hits[0].turn != CALL:
                turns = {hit.turn for hit in hits} & (turns or {hit.turn for hit in hits})
        return [groups[part.number] for part in node.parts]

    def _shares(self, hit: Hit, other: Hit, scope: str) -> bool:
        if CALL in (hit.turn, other.turn):
            return True
        if hit.turn != other.turn:
            return False
        if scope == "turn":
            return True
        low, high = self.call.normal.clause(hit.start, hit.end)
        return other.start < high and low < other.end

    def _in_window(self, turn: int, node: Node) -> bool:
        first, last = node.condition.first, node.condition.last
        return (first is None or self.call.in_first(turn, first, node.speaker)) and (
            last is None or self.call.in_last(turn, last, node.speaker)
        )

    def about(self, turn: int, node: Node, names: Mapping[str, Node]) -> bool:
        """Whether a turn lies in the part of the call that a condition, or some part of it, is about."""
        parts = (names[node.condition.hit],) if node.condition.hit else node.parts
        return self._in_window(turn, node) and (not parts or any(self.about(turn, part, names) for part in parts))

    def _anchored(self, hits: list[Hit], anchor: Anchor, sign: int, names: Mapping[str, Node]) -> list[Hit]:
        """Hits before (−1), after (+1) or around (0) the anchor's hits; turns count from the anchor."""
        anchors = self._anchors(anchor, names)
        return [hit for hit in hits if hit.turn != CALL and any(_placed(hit, a, anchor.turns, sign) for a in anchors)]

    def _anchors(self, anchor: Anchor, names: Mapping[str, Node]) -> list[Hit]:
        hits = [hit for hit in self.hits(names[anchor.condition], names) if hit.turn != CALL]
        match anchor.hit:
            case "first":
                return hits[:1]
            case "last":
                return hits[-1:]
            case int(number):
                return hits[number - 1 : number]
        return hits

    def _answered(self, hit: Hit, node: Node, names: Mapping[str, Node]) -> bool:
        answered_by = node.condition.answered_by
        if answered_by is None or hit.turn == CALL:
            return False
        turns = self.call.next_turns(hit.turn, answered_by.role, answered_by.turns)
        return any(
            answer.turn == turn for part in node.answers for turn in turns for answer in self.hits_in(part, turn, names)
        )


def _placed(hit: Hit, anchor: Hit, turns: tuple[int, int] | None, sign: int) -> bool:
    if sign and (hit.start - anchor.start) * sign <= 0:
        return False
    return _distant(hit.turn - anchor.turn, turns, sign)


def _distant(distance: int, turns: tuple[int, int] | None, sign: int) -> bool:
    return turns is None or turns[0] <= (distance * sign if sign else distance) <= turns[1]


def _joined(hits: Sequence[Hit]) -> Hit:
    """The first hit, with the reasons, sounds and doubts of all."""
    first = hits[0]
    if len(hits) == 1:
        return first
    return Hit(
        turn=first.turn, start=first.start, end=first.end,
        because="，".join(dict.fromkeys(hit.because for hit in hits)),
        heard=tuple(dict.fromkeys(heard for hit in hits for heard in hit.heard)),
        doubts=tuple(dict.fromkeys(doubt for hit in hits for doubt in hit.doubts)),
    )  # fmt: skip


def _stretch(parts: Sequence[Hit]) -> Span | None:
    """From the first to the last word of all parts in one turn; None where they lie too far apart to be read as one."""
    low, high = min(part.shown[0] for part in parts), max(part.shown[1] for part in parts)
    return (low, high) if high - low <= _LONGEST_STRETCH else None


def _judge_rule(compiled: Compiled, judging: Judging) -> tuple[Result, list[Finding]]:
    if not judging.call.turns or not _applies(compiled, judging):
        return Result.NOT_APPLICABLE, []
    if compiled.rule.kind == "require":
        return _judge_duty(compiled, judging)
    findings = [_finding(hit, compiled.rule, judging.call) for hit in judging.accepted(compiled)]
    results = {finding.result for finding in findings}
    if Result.FAIL in results:
        return Result.FAIL, findings
    unread = not compiled.operators.isdisjoint(judging.call.cut_short)
    return (Result.UNSURE if findings or unread else Result.PASS), findings


def _applies(compiled: Compiled, judging: Judging) -> bool:
    names = compiled.names
    if compiled.applies_when and not any(judging.holds(node, names) for node in compiled.applies_when):
        return False
    return not any(judging.holds(node, names) for node in compiled.applies_unless)


def _judge_duty(compiled: Compiled, judging: Judging) -> tuple[Result, list[Finding]]:
    rule, call = compiled.rule, judging.call
    if any(judging.holds(node, compiled.names) for node in compiled.sure):
        return Result.PASS, []
    doubtful = False
    for node in compiled.unsure:
        for hit in judging.each(node, compiled.names):
            if not hit.doubts:
                return Result.PASS, []
            doubtful = True
    if doubtful or not compiled.operators.isdisjoint(call.cut_short):
        return Result.UNSURE, []
    doubts = _doubts_of_miss(compiled, judging)
    turn = next((n for n, role in enumerate(call.roles) if role_matches(rule.role, role)), 0)
    start = call.normal.turns[turn]
    missing = Hit(turn=turn, start=start, end=start, because=f"应说未说：{rule.title}", doubts=doubts)
    finding = _finding(missing, rule, call)
    return finding.result, [finding]


def _doubts_of_miss(compiled: Compiled, judging: Judging) -> tuple[str, ...]:
    """Why a duty of which no words were heard may have been done all the same."""
    call = judging.call
    if all(role is Role.UNKNOWN for role in call.roles):
        return ("说话人角色未识别",)
    unheard = [turn for turn in call.unheard if role_matches(compiled.rule.role, call.roles[turn])]
    if any(judging.about(turn, node, compiled.names) for turn in unheard for node in compiled.when):
        return ("可能就在没有听清的话里，请听录音",)
    return ()


def _accepted(compiled: Compiled, judging: Judging) -> list[Hit]:
    """Hits that neither a guard nor an exception takes away, one for each place."""
    hits = [hit for node in compiled.when for hit in judging.hits(node, compiled.names)]
    accepted: list[Hit] = []
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for hit in sorted(hits, key=lambda hit: (hit.turn, len(hit.doubts), hit.start, -hit.end)):
        spans, (start, end) = taken[hit.turn], hit.shown
        at = bisect_left(spans, (end,))  # the spans are apart: only the last that begins before its end may overlap
        if spans and (hit.turn == CALL or (at and spans[at - 1][1] > start)):
            continue
        if not _excuse(hit, compiled, judging):
            accepted.append(hit)
            spans.insert(at, (start, end))
    return accepted


_GUARD_REASONS = {
    Guard.NEGATION: "前后有否定",
    Guard.REPORTED: "是转述别人的话",
    Guard.WARNING: "是提醒防范",
    Guard.QUESTION: "是在询问",
}


def _excuse(hit: Hit, compiled: Compiled, judging: Judging) -> str | None:
    """What takes a hit away, a guard or an exception of the rule; None where nothing does."""
    text = judging.call.normal
    guard = guard_of(text, hit.start, hit.end, compiled.guards) if hit.end > hit.start else None
    if guard:
        return _GUARD_REASONS[guard]
    for node in compiled.unless:
        whole = node.condition.scope == "call"
        for other in judging.hits_in(node, CALL if whole else hit.turn, compiled.names):
            if _belongs(hit, other, node.condition.scope, judging):
                return f"属于例外（{other.because}）"
    return None


def _belongs(hit: Hit, exception: Hit, scope: str | None, judging: Judging) -> bool:
    if scope == "call" or CALL in (hit.turn, exception.turn):
        return True
    if hit.turn != exception.turn:
        return False
    if scope == "turn":
        return True
    text = judging.call.normal
    low, high = text.clause(hit.start, hit.end) if scope == "clause" else text.sentence(hit.start, hit.end)
    near = exception.start - hit.end <= _UNLESS_REACH and hit.start - exception.end <= _UNLESS_REACH
    return near and exception.start < high and low < exception.end


def _finding(hit: Hit, rule: Rule, call: Call) -> Finding:
    turn, start, end = (hit.turn, 0, 0) if hit.end <= hit.start else call.normal.span_as_spoken(*hit.shown)
    turn = max(turn, 0)
    spoken = call.turns[turn]
    start_ms, end_ms = call.time_of(turn, start, end)
    confidence = (0.5 + 0.5 * spoken.confidence) * (_SOUND_CONFIDENCE if hit.heard else 1.0)
    heard_as = "、".join(dict.fromkeys(term for _, _, term in hit.heard)) or None
    finding = Finding(
        rule_id=rule.id, rule_version=rule.version, category=rule.category, severity=rule.severity,
        result=Result.FAIL, turn=turn, start=start, end=end, start_ms=start_ms, end_ms=end_ms,
        quote=spoken.text[start:end], heard_as=heard_as, confidence=round(confidence, 2), because=hit.because,
    )  # fmt: skip
    return finding.doubted(_doubts(hit, rule, call))


def _doubts(hit: Hit, rule: Rule, call: Call) -> list[str]:
    doubts = list(hit.doubts)
    if rule.needs_case_data:
        doubts.append("需与案件资料核对")
    if rule.status == "draft":
        doubts.append("规则还是草稿")
    if hit.turn != CALL:
        if rule.role != "any" and call.roles[hit.turn] is Role.UNKNOWN:
            doubts.append("说话人角色未识别")
        if call.turns[hit.turn].confidence < _LEAST_CONFIDENCE:
            doubts.append("识别置信度低")
    return doubts
