"""A shortcut through a re-audit: the rules that have changed since a call was judged are asked, and no others.

Where they say of a call what they said before, all of its judgement stays: a rule rests on nothing but the call, what
its pack shares, and the signals that it asks for, all of which is in its digest. The second
opinion looks at each finding by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.pipeline import Job, facts_of, judge_call
from audit.plan import settings_digest
from audit.store import Settings, Store, StoredCall
from audit.store.judged import Standing
from rules.digests import rule_digests, with_signals
from rules.engine import Judge
from rules.hints import PREFIX
from rules.model import CATEGORIES, Group, Judgement, Result, RuleSet, Severity
from rules.second_opinion import SecondOpinion
from rules.verdict import judged

_SILENT = frozenset({None, Result.PASS, Result.NOT_APPLICABLE})
"""Outcomes that leave no mark on a scorecard, but for a duty's."""

Outcomes = Mapping[str, Result | None]

_Kinds = dict[str, tuple[str, Severity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRules:
    """Rules that are new, gone or different (`ids`) since a run with these `settings`; `judge` asks those of today,
    None where there are none. `duties` stand on the scorecard whatever comes out; `hints` are the categories in which
    a hint of the second opinion may be graver or lighter than it was.
    """

    settings: Settings
    ids: frozenset[str]
    duties: frozenset[str]
    hints: frozenset[str]
    judge: Judge | None
    second: SecondOpinion | None
    ruleset: RuleSet

    def outcomes(self, store: Store, calls: Sequence[tuple[Standing, StoredCall]]) -> dict[str, Outcomes]:
        """By call, outcomes of these rules that are others now (None: the rule is gone), where all else stays.

        Left out are calls of which that can't be said: findings change, or the judgement rests on something else than
        what is in the store.
        """
        as_judged = [
            old for stands, old in calls
            if stands.settings == settings_digest(stands.hearing, self.settings, old.record) and not self._hinted(old)
        ]  # fmt: skip
        told = ((old, self._outcomes(old, today)) for old, today in self._judged(store, as_judged))
        return {old.record.call_id: outcomes for old, outcomes in told if outcomes is not None}

    def _outcomes(self, old: StoredCall, today: Judgement) -> Outcomes | None:
        """None where findings change."""
        before = [finding for finding in old.judgement.findings if finding.rule_id in self.ids]
        if [finding for finding in today.findings if finding.rule_id in self.ids] != before:
            return None
        fixed = self.duties.union(finding.rule_id for finding in before)
        both = {rule: (old.judgement.outcomes.get(rule), today.outcomes.get(rule)) for rule in self.ids}
        if any(was != now if rule in fixed else not {was, now} <= _SILENT for rule, (was, now) in both.items()):
            return None
        return {rule: now for rule, (was, now) in both.items() if was != now}

    def _judged(self, store: Store, calls: Sequence[StoredCall]) -> Iterator[tuple[StoredCall, Judgement]]:
        """What these rules say today of each call whose words are still there."""
        if self.judge is None:
            yield from ((old, Judgement(findings=(), outcomes={})) for old in calls)
            return
        said = store.lines([old.recording for old in calls])
        heard = [old for old in calls if old.recording in said]
        for old, glance in zip(heard, self.judge.at_a_glance([said[old.recording] for old in heard]), strict=True):
            today = glance or self._judged_closely(store, old, self.judge)
            if today is not None:
                yield old, today

    def _judged_closely(self, store: Store, old: StoredCall, judge: Judge) -> Judgement | None:
        """The second opinion is asked where these rules find something; None where the words are gone meanwhile."""
        heard = store.transcript(old.recording)
        if heard is None:
            return None
        quick = judged(heard.turns, facts_of(old.record, heard), judge=judge)
        if not quick.findings:
            return quick
        job = Job(record=old.record, recording=old.recording, bytes=0, hearing="", settings="")
        return judge_call(job, heard, judge=judge, ruleset=self.ruleset, second=self.second).judgement

    def _hinted(self, old: StoredCall) -> bool:
        hints = (finding for finding in old.judgement.findings if finding.rule_id.startswith(PREFIX))
        return any(hint.category in self.hints for hint in hints)


def changed_rules(
    store: Store, run: int, *, ruleset: RuleSet, settings: Settings, second: SecondOpinion | None
) -> ChangedRules | None:
    """What changed since a run; None where calls must be judged by all rules: other code, another second opinion, a
    set of rules whose digests are not known, a duty that came, went or became another.
    """
    then = store.run(run)
    if then is None or "code" not in then.settings.options or _by(then.settings) != _by(settings):
        return None
    before, now = store.rule_digests(then.settings.ruleset_digest), rule_digests(ruleset)
    ids = frozenset(rule for rule in before.keys() | now.keys() if before.get(rule) != now.get(rule))
    cards = store.rules(then.settings.ruleset_digest)
    was: _Kinds = {rule: (card.category, card.severity) for rule, card in cards.items() if rule in ids}
    rules = [rule for rule in ruleset.rules if rule.id in ids]
    is_: _Kinds = {rule.id: (rule.category, rule.severity) for rule in rules}
    if not before or None in before.values() or _duties(was) != _duties(is_):
        return None
    asked = replace(ruleset, rules=with_signals(rules, ruleset))
    return ChangedRules(
        settings=then.settings,
        ids=ids,
        duties=frozenset(_duties(is_)),
        hints=frozenset(category for _, (category, _) in was.items() ^ is_.items()),
        judge=Judge(asked) if rules else None,
        second=second,
        ruleset=asked,
    )


def _by(settings: Settings) -> tuple[str | None, str | None, str]:
    return settings.options.get("code"), settings.second_opinion, settings.tool_version


def _duties(kinds: _Kinds) -> dict[str, str]:
    return {rule: category for rule, (category, _) in kinds.items() if CATEGORIES[category][0] is Group.DUTY}
