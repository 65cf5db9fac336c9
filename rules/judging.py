"""One call under judgement: where each condition may hold, where it does, and what speaks against it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import reduce
from operator import or_

from rules.call import CALL, Call, Hit
from rules.context import guard_of
from rules.lookout import Span
from rules.model import Anchor, Guard, Rule
from rules.nodes import Compiled, Node
from transcribe.model import Role

_UNSAID = Hit(turn=CALL, start=0, end=0, because="没有出现例外所说的话")
_LONGEST_STRETCH = 40  # characters
_UNLESS_REACH = 12  # characters between a hit and an exception that belongs to it
_LEAST_CONFIDENCE = 0.35  # of recognition; below it people must listen


class Judging:
    """Asks nodes about one call. What was worked out once, a node's hits or that it holds, is known from then on."""

    def __init__(
        self, call: Call, met: Mapping[int, int], signals: Sequence[Compiled], *, probes_decide: bool
    ) -> None:
        self.call = call
        self.met = reduce(or_, met.values(), 0)
        """The probes, as bits, whose words stand in the call; by turn in `_met`."""
        self._met = met
        self._signals = signals
        self._probes_decide = probes_decide
        self._everywhere = frozenset(range(len(call.turns)))
        self._accepted: dict[str, list[Hit]] = {}
        self._where: dict[int, frozenset[int]] = {}
        self._hits: dict[int, list[Hit]] = {}
        self._said: dict[tuple[int, int], list[Hit]] = {}
        self._held: dict[int, bool] = {}

    def holds(self, node: Node) -> bool:
        """Whether a condition has any hit; hits are made only where nothing cheaper tells."""
        held = self._held.get(node.number)
        if held is None:
            self._held[node.number] = held = node.may_hold(self.met) and self._holds(node)
        return held

    def hits(self, node: Node) -> list[Hit]:
        """The hits of a condition, all its modifiers applied."""
        hits = self._hits.get(node.number)
        if hits is None:
            self._hits[node.number] = hits = self._find(node) if node.may_hold(self.met) else []
        return hits

    def each(self, node: Node) -> Iterator[Hit]:
        """The hits of a condition, worked out one after another: for who needs only the first."""
        if node.number in self._hits or node.operator is None or not node.local:
            yield from self.hits(node)
        else:
            for turn in sorted(self._turns(node)):
                yield from self._hits_in(node, turn)

    def accepted(self, compiled: Compiled) -> list[Hit]:
        """The hits of a rule that apply, and that no guard or exception takes away."""
        known = self._accepted.get(compiled.rule.id)
        if known is None:
            known = self._accept(compiled) if self.applies(compiled) else []
            self._accepted[compiled.rule.id] = known
        return known

    def applies(self, compiled: Compiled) -> bool:
        """Whether a rule is about such a call."""
        if not self.call.turns or (compiled.applies_when and not any(map(self.holds, compiled.applies_when))):
            return False
        return not any(map(self.holds, compiled.applies_unless))

    def excuse(self, hit: Hit, compiled: Compiled) -> str | None:
        """What takes a hit away, a guard or an exception of the rule; None where nothing does."""
        guard = guard_of(self.call.normal, hit.start, hit.end, compiled.guards) if hit.end > hit.start else None
        if guard:
            return _GUARD_REASONS[guard]
        for node in compiled.unless:
            scope = node.condition.scope
            for other in self.each(node) if scope == "call" else self._hits_about(node, hit.turn):
                if self._belongs(hit, other, scope):
                    return f"属于例外（{other.because}）"
        return None

    def about(self, turn: int, node: Node) -> bool:
        """Whether a turn lies in the part of the call that a condition, or some part of it, is about."""
        return self._in_window(turn, node) and (not node.below or any(self.about(turn, part) for part in node.below))

    def _holds(self, node: Node) -> bool:
        condition = node.condition
        if node.operator is None and not condition.signal and node.plain and not node.windowed:
            if node.named:
                return self.holds(node.named)
            if condition.any:
                return any(map(self.holds, node.parts))
            if not condition.all or condition.scope == "call":
                return self._all_hold(node)
        if node.local:
            return any(self._holds_in(node, turn) for turn in sorted(self._turns(node)))
        return bool(self.hits(node))

    def _holds_in(self, node: Node, turn: int) -> bool:
        """Whether a local node has a hit in a turn."""
        operator = node.operator
        if operator is not None and operator.exact and self._probes_decide and not self.call.is_long(turn):
            return self._in_window(turn, node) and self._succeeds(node, turn)
        return bool(self._hits_in(node, turn))

    def _all_hold(self, node: Node) -> bool:
        """Whether all parts hold somewhere in the call, and none of what is excluded."""
        return all(map(self.holds, node.cheapest)) and not any(map(self.holds, node.excluded))

    def _find(self, node: Node) -> list[Hit]:
        hits = self._operator_hits(node) if node.operator else self._combined(node)
        if not hits or (node.plain and not node.windowed):
            return hits
        condition = node.condition
        if node.windowed:
            hits = [hit for hit in hits if hit.turn != CALL and self._in_window(hit.turn, node)]
        for anchor, anchoring, sign in node.anchors:
            anchors = self._anchors(anchor, anchoring)
            hits = [h for h in hits if h.turn != CALL and any(_placed(h, a, anchor.turns, sign) for a in anchors)]
        if condition.answered_by:
            hits = [hit for hit in hits if self._answered(hit, node)]
        return hits if len(hits) >= condition.at_least else []

    def _operator_hits(self, node: Node) -> list[Hit]:
        operator, call = node.operator, self.call
        if operator is None:
            return []
        if not operator.by_turn:
            hits = operator.hits(call, CALL)
            return [hit for hit in hits if hit.turn == CALL or call.speaks(hit.turn, node.speaker)]
        turns = sorted(self._turns(node))
        for anchor, anchoring, sign in node.anchors:
            anchored = {hit.turn for hit in self._anchors(anchor, anchoring)} if turns else set()
            turns = [turn for turn in turns if any(_distant(turn - a, anchor.turns, sign) for a in anchored)]
        return [hit for turn in turns if self._in_window(turn, node) for hit in self._said_in(node, turn)]

    def _combined(self, node: Node) -> list[Hit]:
        condition = node.condition
        if node.named:
            return self.hits(node.named)
        if condition.signal:
            return self._raised(condition.signal)
        if condition.any:
            return [hit for part in node.parts for hit in self.hits(part)]
        if condition.all and condition.scope != "call":
            return self._together(node, self._turns(node))
        if not self._all_hold(node):
            return []
        return self._anywhere(node) if condition.all else [_UNSAID]

    def _turns(self, node: Node) -> Set[int]:
        """The turns in which all words stand that a local node needs; all turns of others."""
        turns = self._where.get(node.number)
        if turns is None:
            self._where[node.number] = turns = self._look_for(node)
        return turns

    def _look_for(self, node: Node) -> frozenset[int]:
        if not node.local and not node.watched:
            return self._everywhere
        if not node.needs:
            return self.call.turns_of(node.speaker) if node.operator else self._everywhere
        first, *others = (need.probes for need in node.needs)
        turns = [turn for turn, met in self._met.items() if met & first]
        for probes in others:
            turns = [turn for turn in turns if self._met[turn] & probes]
        return frozenset(turns)

    def _hits_about(self, node: Node, turn: int) -> list[Hit]:
        """The hits of a node that may lie in a turn: only that turn is looked at where nothing else matters."""
        return self._hits_in(node, turn) if node.local and turn != CALL else self.hits(node)

    def _hits_in(self, node: Node, turn: int) -> list[Hit]:
        """The hits of a local node in a turn."""
        if not node.may_hold(self.met) or not self._in_window(turn, node):
            return []
        if node.operator is not None:
            return self._said_in(node, turn)
        if node.condition.all:
            return self._together(node, {turn})
        return [hit for part in node.below for hit in self._hits_in(part, turn)]

    def _said_in(self, node: Node, turn: int) -> list[Hit]:
        """What the operator of a node finds in a turn, window and anchors aside."""
        hits = self._said.get((node.number, turn))
        if hits is None:
            operator = node.operator
            may = self._succeeds(node, turn) if node.watched else self.call.speaks(turn, node.speaker)
            self._said[node.number, turn] = hits = list(operator.hits(self.call, turn)) if operator and may else []
        return hits

    def _succeeds(self, node: Node, turn: int) -> bool:
        """Whether one of a node's probes does in a turn; in a long one its words are enough to be asked."""
        met = self._met.get(turn, 0) & node.probes
        if not met or not self._probes_decide:
            return bool(met)
        call, met = self.call, met >> node.first_probe
        low, high = call.normal.turns[turn], call.normal.ends[turn]
        for number, (expression, by_sound) in enumerate(node.tests):
            if met >> number & 1 and (
                expression is None or expression.search(call.sounds if by_sound else call.normal.text, low, high)
            ):
                return True
        return call.is_long(turn)

    def _raised(self, categories: Sequence[str]) -> list[Hit]:
        """What the signal rules of some categories surely find, in the order of the call."""
        raising = [c for c in self._signals if c.rule.category in categories and any(map(self.holds, c.when))]
        hits = [(hit, compiled.rule) for compiled in raising for hit in self.accepted(compiled)]
        return sorted((hit for hit, rule in hits if not doubts_of(hit, rule, self.call)), key=lambda hit: hit[:3])

    def _together(self, node: Node, turns: Set[int]) -> list[Hit]:
        """Hits of the first part that all the others accompany, within the clause or the turn."""
        groups = self._groups(node, turns)
        if not groups:
            return []
        scope = node.condition.scope or "turn"
        calls = [group[0] for group in groups if group[0].turn == CALL]
        spoken = [group for group in groups if group[0].turn != CALL]
        if not spoken:
            return [] if any(map(self.hits, node.excluded)) else [_joined(calls)]
        together = []
        for hit in spoken[0]:
            others = [next((o for o in group if self._shares(hit, o, scope)), None) for group in spoken[1:]]
            if None in others or self._is_excluded(hit, node, scope):
                continue
            parts = [hit, *(other for other in others if other)]
            together.append(_joined([*parts, *calls])._replace(stretch=_stretch(parts)))
        return together

    def _is_excluded(self, hit: Hit, node: Node, scope: str) -> bool:
        return any(
            self._shares(hit, other, scope) for part in node.excluded for other in self._hits_about(part, hit.turn)
        )

    def _anywhere(self, node: Node) -> list[Hit]:
        """Hits of the first part that is about words, with the first hit of each of the others."""
        leads = [(part, hit) for part in node.parts if (hit := next(self.each(part), None))]
        calls = [hit for _, hit in leads if hit.turn == CALL]
        spoken = [(part, hit) for part, hit in leads if hit.turn != CALL]
        if not spoken:
            return [_joined(calls) if calls else _UNSAID]
        others = [hit for _, hit in spoken[1:]] + calls
        return [_joined([hit, *others]) for hit in self.hits(spoken[0][0])]

    def _groups(self, node: Node, turns: Set[int]) -> list[list[Hit]]:
        """The hits of each part in some turns, in the order of the parts; empty where a part has none."""
        groups: dict[int, list[Hit]] = {}
        for part in node.cheapest:
            if part.local:
                hits = [hit for turn in sorted(turns & self._turns(part)) for hit in self._hits_in(part, turn)]
            else:
                hits = self.hits(part)
            if not hits:
                return []
            groups[part.number] = hits
            if hits[0].turn != CALL:
                turns = turns & {hit.turn for hit in hits}
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
        if not node.windowed:
            return True
        first, last = node.condition.first, node.condition.last
        return (first is None or self.call.in_first(turn, first, node.speaker)) and (
            last is None or self.call.in_last(turn, last, node.speaker)
        )

    def _anchors(self, anchor: Anchor, anchoring: Node) -> list[Hit]:
        hits = [hit for hit in self.hits(anchoring) if hit.turn != CALL]
        match anchor.hit:
            case "first":
                return hits[:1]
            case "last":
                return hits[-1:]
            case int(number):
                return hits[number - 1 : number]
        return hits

    def _answered(self, hit: Hit, node: Node) -> bool:
        answered_by = node.condition.answered_by
        if answered_by is None or hit.turn == CALL:
            return False
        turns = self.call.next_turns(hit.turn, answered_by.role, answered_by.turns)
        return any(
            answer.turn == turn for part in node.answers for turn in turns for answer in self._hits_about(part, turn)
        )

    def _accept(self, compiled: Compiled) -> list[Hit]:
        """Hits that neither a guard nor an exception takes away, one for each place."""
        hits = [hit for node in compiled.when for hit in self.hits(node)]
        accepted: list[Hit] = []
        taken: dict[int, list[Span]] = defaultdict(list)
        for hit in sorted(hits, key=lambda hit: (hit.turn, len(hit.doubts), hit.start, -hit.end)):
            spans, (start, end) = taken[hit.turn], hit.shown
            at = bisect_left(spans, (end,))  # the spans are apart: only the last that begins before its end may overlap
            if spans and (hit.turn == CALL or (at and spans[at - 1][1] > start)):
                continue
            if not self.excuse(hit, compiled):
                accepted.append(hit)
                spans.insert(at, (start, end))
        return accepted

    def _belongs(self, hit: Hit, exception: Hit, scope: str | None) -> bool:
        if scope == "call" or CALL in (hit.turn, exception.turn):
            return True
        if hit.turn != exception.turn:
            return False
        if scope == "turn":
            return True
        text = self.call.normal
        low, high = text.clause(hit.start, hit.end) if scope == "clause" else text.sentence(hit.start, hit.end)
        near = exception.start - hit.end <= _UNLESS_REACH and hit.start - exception.end <= _UNLESS_REACH
        return near and exception.start < high and low < exception.end


def doubts_of(hit: Hit, rule: Rule, call: Call) -> list[str]:
    """Why a hit of a rule is left to people."""
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


_GUARD_REASONS = {
    Guard.NEGATION: "前后有否定",
    Guard.REPORTED: "是转述别人的话",
    Guard.WARNING: "是提醒防范",
    Guard.QUESTION: "是在询问",
}


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
