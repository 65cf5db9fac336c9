"""A set of rules, compiled once; a transcript in, findings and outcomes out.

    words of all rules → Lookout: one pass over the call → nodes that may hold → Judging: hits, exceptions → findings

Two Aho–Corasick automata over all words of all rules, one over characters and one over syllables, go through the call
once. From then on it is known in which turns each condition's words stand: most rules are done with that, and the
others are asked only about those turns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from itertools import chain
from operator import or_

import numpy as np

from rules.call import LONGEST_TURN, Call, Hit
from rules.judging import Judging, doubts_of
from rules.lookout import Lookout
from rules.model import CallFacts, Finding, Judgement, Result, Rule, RuleSet, Speaker, role_matches
from rules.nodes import Compiled, Compiler, Node
from rules.prefilter import Probe
from rules.sound import syllables
from rules.text import NormalText
from rules.tokens import Tokenizer
from transcribe.model import Role, Turn

Line = tuple[Role, str]
"""Who said what."""

_SOUND_CONFIDENCE = 0.85


class Judge:
    """Judges calls by one RuleSet. Building it takes a moment; judging a call a millisecond or two."""

    _probes_decide = True  # a test asks every condition although a probe has told that it holds

    def __init__(self, ruleset: RuleSet) -> None:
        self.ruleset = ruleset
        self._tokenizer = Tokenizer(ruleset.lexicon)
        compiler = Compiler(ruleset)
        self._compiled = [compiler.compiled(rule) for rule in ruleset.rules if rule.status != "deprecated"]
        self._nodes = compiler.nodes
        self._signals = [compiled for compiled in self._compiled if compiled.rule.kind == "signal"]
        self._probes = compiler.probes
        self._characters = _lookout(self._probes, by_sound=False)
        self._syllables = _lookout(self._probes, by_sound=True)
        self._untriggered = {
            compiled.rule.id: Result.NOT_APPLICABLE if _needs_many_calls(compiled.rule) else Result.PASS
            for compiled in self._compiled
        }
        self._always = [compiled for compiled in self._compiled if _looks_always(compiled)]
        self._by_probe = _by_rarest_need(compiled for compiled in self._compiled if not _looks_always(compiled))
        self._rarest = reduce(or_, (1 << probe for probe in self._by_probe), 0)

    def judge(self, turns: Sequence[Turn], facts: CallFacts) -> Judgement:
        """Findings in the order of the call, and the outcome of every rule."""
        judging = self._judging(turns, facts)
        outcomes, findings, speaking = dict(self._untriggered), [], self._speaking(judging)
        for compiled in speaking:
            result, found = _judge_rule(compiled, judging)
            outcomes[compiled.rule.id] = result
            findings += found
        if judging.call.cut_turns or judging.call.cut_short:
            silent = (compiled for compiled in self._compiled if compiled not in speaking)
            outcomes |= {compiled.rule.id: Result.UNSURE for compiled in silent if _unread(compiled, judging.call)}
        findings.sort(key=lambda finding: (finding.turn, finding.start, finding.rule_id))
        return Judgement(findings=tuple(findings), outcomes=outcomes)

    def at_a_glance(self, calls: Sequence[Sequence[Line]]) -> list[Judgement | None]:
        """The judgement of each call in which the words of no rule stand, whatever its facts; None for the others, and
        for all where some rule always has something to say. Many calls at once take a third of the time.
        """
        if self._always:
            return [None] * len(calls)
        met = self._met_in_each(calls)
        readable = (lines and all(len(text) <= LONGEST_TURN for _, text in lines) for lines in calls)
        return [
            Judgement(findings=(), outcomes=self._untriggered) if can and not any(self._looking(bits)) else None
            for can, bits in zip(readable, met, strict=True)
        ]

    def looking(self, turns: Sequence[Turn], facts: CallFacts) -> tuple[str, ...]:
        """Ids of the rules that look at a call at all: those whose words stand in it, and those that always do."""
        looking = dict.fromkeys(self._always)
        looking.update((compiled, None) for compiled, _ in self._looking(self._judging(turns, facts).met))
        return tuple(compiled.rule.id for compiled in looking)

    def excuses(self, rule_id: str, turns: Sequence[Turn], facts: CallFacts) -> tuple[str, ...]:
        """Why hits of a rule were taken away: one Chinese sentence for each."""
        judging = self._judging(turns, facts)
        compiled = next(compiled for compiled in self._compiled if compiled.rule.id == rule_id)
        if not judging.applies(compiled):
            return ("这条规则对这通电话不适用",)
        hits = [hit for node in compiled.when for hit in judging.hits(node)]
        return tuple(f"{hit.because}，但{excuse}" for hit in hits if (excuse := judging.excuse(hit, compiled)))

    def _judging(self, turns: Sequence[Turn], facts: CallFacts) -> Judging:
        call = Call(turns, facts, self._tokenizer)
        return Judging(call, self._met(call), self._signals, probes_decide=self._probes_decide)

    def _met(self, call: Call) -> dict[int, int]:
        """For each turn the probes, as bits, whose words stand in it."""
        all_met: dict[int, int] = {}
        for lookout, text, places in (
            (self._characters, call.normal.text, call.spoken_places),
            (self._syllables, call.sounds, call.heard_places),
        ):
            for turn, met, matches in lookout.met(text, call.normal.ends, call.roles):
                places.note(turn, matches)
                all_met[turn] = all_met.get(turn, 0) | met
        return all_met

    @cached_property
    def _first_lookouts(self) -> tuple[Lookout, Lookout]:
        """Of characters and of syllables: the words without which no condition of a rule holds, and no others."""
        whens = (node for compiled in self._compiled for node in compiled.when)
        needed = reduce(or_, (need.probes for node in whens for need in node.needs), 0)
        characters = _lookout(self._probes, by_sound=False, among=needed)
        return characters, _lookout(self._probes, by_sound=True, among=needed)

    def _met_in_each(self, calls: Sequence[Sequence[Line]]) -> list[int]:
        """For each call the probes that conditions of rules need, as bits, whose words stand in it."""
        roles = [role for lines in calls for role, _ in lines]
        call_of = [number for number, lines in enumerate(calls) for _ in lines]
        normal = NormalText([text for lines in calls for _, text in lines])
        characters, sounds = self._first_lookouts
        spoken = characters.met(normal.text, normal.ends, roles)
        heard = sounds.met(syllables(normal.text), normal.ends, roles) if sounds.seeks else ()
        met = [0] * len(calls)
        for turn, bits, _ in chain(spoken, heard):
            met[call_of[turn]] |= bits
        return met

    def _looking(self, met: int) -> Iterator[tuple[Compiled, Node]]:
        """The rules that have a condition of which all words are `met` in a call, each with such conditions."""
        for probe in _numbers(met & self._rarest):
            for compiled, node in self._by_probe[probe]:
                if node.may_hold(met):
                    yield compiled, node

    def _speaking(self, judging: Judging) -> Mapping[Compiled, None]:
        """The rules that must be judged: duties and the like, and those with a condition that holds."""
        speaking: dict[Compiled, None] = dict.fromkeys(self._always)
        for compiled, node in self._looking(judging.met):
            if compiled not in speaking and judging.holds(node):
                speaking[compiled] = None
        return speaking


def _lookout(probes: Sequence[tuple[Probe, Speaker]], *, by_sound: bool, among: int = -1) -> Lookout:
    """For the probes by sound or as spoken, all or those `among` these bits."""
    sought = {
        n: (probe.needs, speaker) for n, (probe, speaker) in enumerate(probes)
        if probe.by_sound is by_sound and among >> n & 1
    }  # fmt: skip
    return Lookout(sought, size=len(probes))


def _numbers(bits: int) -> list[int]:
    """The numbers of the bits that are set."""
    packed = np.frombuffer(bits.to_bytes(bits.bit_length() // 8 + 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(packed, bitorder="little")).tolist()


def _looks_always(compiled: Compiled) -> bool:
    """Whether a rule has something to say, or a condition that may hold, whatever words stand in a call."""
    return compiled.rule.kind == "require" or not all(node.needs for node in compiled.when)


def _by_rarest_need(rules: Iterable[Compiled]) -> dict[int, list[tuple[Compiled, Node]]]:
    """For each probe the conditions that may hold in a call in which it is met, with their rules."""
    owners: dict[int, list[tuple[Compiled, Node]]] = defaultdict(list)
    for compiled in rules:
        for node in compiled.when:
            for number in _numbers(node.needs[0].probes):
                owners[number].append((compiled, node))
    return owners


def _needs_many_calls(rule: Rule) -> bool:
    return any(condition.count is not None for condition in rule.when)


def _judge_rule(compiled: Compiled, judging: Judging) -> tuple[Result, list[Finding]]:
    if not judging.applies(compiled):
        return Result.NOT_APPLICABLE, []
    if compiled.rule.kind == "require":
        return _judge_duty(compiled, judging)
    findings = [_finding(hit, compiled.rule, judging.call) for hit in judging.accepted(compiled)]
    results = {finding.result for finding in findings}
    if Result.FAIL in results:
        return Result.FAIL, findings
    return (Result.UNSURE if findings or _unread(compiled, judging.call) else Result.PASS), findings


def _unread(compiled: Compiled, call: Call) -> bool:
    """Whether some words of the call were left unread that a rule asks about."""
    if any(call.speaks(turn, speaker) for turn in call.cut_turns for speaker in compiled.speakers):
        return True
    return bool(call.cut_short) and not compiled.operators.isdisjoint(call.cut_short)


def _judge_duty(compiled: Compiled, judging: Judging) -> tuple[Result, list[Finding]]:
    rule, call = compiled.rule, judging.call
    if any(judging.holds(node) for node in compiled.when if node.certain):
        return Result.PASS, []
    doubtful = False
    for node in compiled.when:
        for hit in judging.each(node) if not node.certain else ():
            if not hit.doubts:
                return Result.PASS, []
            doubtful = True
    if doubtful or _unread(compiled, call):
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
    if any(judging.about(turn, node) for turn in unheard for node in compiled.when):
        return ("可能就在没有听清的话里，请听录音",)
    return ()


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
    return finding.doubted(doubts_of(hit, rule, call))
