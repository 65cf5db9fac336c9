"""A second opinion beside the rules: a small model that puts turns before people, where no rule is sure or where it
disagrees with one.

It never makes a violation. Where no rule is sure it hints (rules/hints.py). A violation that rules on trial found in
words that the model takes to be innocent or something else is left to people, and what such a rule found in words that
it takes to be plainly innocent is dropped, a mere doubt sooner than a violation. A signal that the customer's turn does
not sound like (rules/signals.py) is in doubt, and so is a missed duty that only such a signal calls for, or that sounds
as if it had been done (rules/duties.py). In a call that does not sound as if it were about a debt (rules/everyday.py)
violations and signals are doubted, and doubts and hints need a clearer suspicion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rules.duties import DUTIES, sounds_done
from rules.everyday import is_everyday, is_plainly_everyday
from rules.grams import Floats
from rules.hints import Hinter
from rules.load import PACKS, walk
from rules.model import CATEGORIES, Finding, Judgement, Result, RuleSet
from rules.signals import SIGNALS, sounds_like
from rules.suspicion import CONDUCT, CONDUCT_HEADS, GATES, HEADS, Model, around, features, read_model, stretches
from rules.text import NormalText, normal_text
from transcribe.model import Role, Turn

_OF_DEBTS = frozenset((*CONDUCT, *SIGNALS)) - {"wrong_person"}
"""Categories of which nothing is sure where nobody talks about a debt."""
_AROUND = 20  # characters on either side of a rule's hit that are weighed with it
_FEWEST = 6  # characters from which the model may disagree with a rule
# The highest score of any category below which a violation of a rule on trial is doubted, as written, and misheard as
# words may be; and below which what the rule found is dropped, by what it made of it. (Of a company's own rules the
# model knows nothing: they are never dropped.)
_DOUBTED_BELOW, _DOUBTED_BELOW_AS_HEARD = 1.5, -1.5
_DROPPED_BELOW = {Result.UNSURE: -1.5, Result.FAIL: -4.0}
_LOWER_AS_HEARD = 1.0
_ABOVE_EVERYDAY = 1.5  # by which a score must pass the threshold in talk that does not sound as if about a debt
_CLEARLY = 0.15  # by which another category's score must be higher
_OUTSPOKEN = frozenset({"impersonation"})
"""Who claims an office does so whatever else the sentence says: of ten such doubts on the set-aside half nine were
wrong.
"""


class SecondOpinion:
    """Weighs what the rules said of a call."""

    def __init__(self, ruleset: RuleSet, *, model: Model | None = None) -> None:
        self.model = model or read_model()
        self._hinter = Hinter(ruleset, self.model)
        self._ours = frozenset(id_ for id_, file in ruleset.sources.items() if Path(file).is_relative_to(PACKS))
        self._of_callees = frozenset(rule.id for rule in ruleset.rules if any(c.relation for c in walk(*rule.when)))
        self._called_for = {
            rule.id: frozenset(name for condition in walk(*rule.applies_when) for name in condition.signal or ())
            for rule in ruleset.rules
        }
        self._on_trial = frozenset(rule.id for rule in ruleset.rules if rule.status in ("draft", "test"))

    def weigh(self, judgement: Judgement, turns: Sequence[Turn]) -> Judgement:
        """The judgement with doubtful violations and signals `unsure`, without what is plainly innocent, and with a
        hint for each suspicious turn in which no rule is sure of anything or says the same.
        """
        normal = normal_text(tuple([turn.text for turn in turns]))
        opinions = (self._weighed(finding, turns, normal) for finding in judgement.findings)
        weighed = [finding for finding in opinions if finding is not None]
        hints = list(self._hinter.hints(weighed, turns, normal))
        if any(finding.category in _OF_DEBTS for finding in (*weighed, *hints)) and is_everyday(normal):
            weighed = [left for finding in weighed if (left := self._in_everyday_talk(finding, normal)) is not None]
            hints = [hint for hint in hints if self._hints_in_everyday_talk(hint, normal)]
        weighed = self._with_duties_called_for(weighed, _sure(judgement.findings))
        if not hints and weighed == list(judgement.findings):
            return judgement
        certain = {finding.rule_id for finding in weighed if finding.result is Result.FAIL}
        doubted = {finding.rule_id for finding in (*weighed, *hints)} - certain
        dropped = {finding.rule_id for finding in judgement.findings} - certain - doubted
        return Judgement(
            findings=tuple(sorted((*weighed, *hints), key=lambda f: (f.turn, f.start, f.rule_id))),
            outcomes={
                **judgement.outcomes,
                **dict.fromkeys(sorted(doubted), Result.UNSURE),
                **dict.fromkeys(sorted(dropped), Result.PASS),
            },
        )

    def _weighed(self, finding: Finding, turns: Sequence[Turn], normal: NormalText) -> Finding | None:
        """A finding as the model leaves it: as it is, a violation in doubt, or None in plainly innocent words."""
        if finding.rule_id in self._on_trial and finding.result is Result.FAIL:
            finding = finding.doubted(_sounds_otherwise(finding, turns, normal))
        scores = self._scores_around(finding, turns[finding.turn], normal)
        if scores is None:
            return finding
        heard = turns[finding.turn].confidence < 1
        if self._may_drop(finding) and float(scores[CONDUCT_HEADS].max()) < (
            _DROPPED_BELOW[finding.result] - heard * _LOWER_AS_HEARD
        ):
            return None
        return finding.doubted(_disagreement(scores, finding, heard=heard))

    def _in_everyday_talk(self, finding: Finding, normal: NormalText) -> Finding | None:
        """What is left of a finding in a call that does not sound as if it were about a debt."""
        if finding.rule_id not in self._on_trial or finding.category not in _OF_DEBTS:
            return finding
        if finding.result is Result.FAIL:
            return finding.doubted(("整通电话不像在谈欠款",))
        suspect = finding.category not in CONDUCT or self._suspects(finding.turn, normal)
        return finding if suspect or not self._may_drop(finding) else None

    def _hints_in_everyday_talk(self, hint: Finding, normal: NormalText) -> bool:
        """Whether a hint stays in a call that does not sound as if it were about a debt."""
        return hint.category not in _OF_DEBTS or (hint.category in CONDUCT and self._suspects(hint.turn, normal))

    def _with_duties_called_for(self, findings: Sequence[Finding], before: frozenset[str]) -> list[Finding]:
        """The findings; a missed duty is in doubt where all signals that called for it, sure `before`, are in doubt."""
        doubtful = before - _sure(findings)
        return [
            finding.doubted(("客户是否这样说过，模型存疑",))
            if finding.result is Result.FAIL
            and (called := self._called_for.get(finding.rule_id, frozenset()) & before)
            and called <= doubtful
            else finding
            for finding in findings
        ]

    def _suspects(self, n: int, normal: NormalText) -> bool:
        """Whether the model suspects turn `n` of something even in everyday talk; of nothing where it is plainly so."""
        if is_plainly_everyday(normal):
            return False
        text, near = normal.turn_text(n), around(normal, n)
        looks = (self._hinter.look(text, part, near, Role.AGENT) for part in stretches(text))
        above = (look.scores[CONDUCT_HEADS] - self.model.thresholds[CONDUCT_HEADS] for look in looks)
        return any(float(scores.max()) >= _ABOVE_EVERYDAY for scores in above)

    def _may_drop(self, finding: Finding) -> bool:
        """Whether words can show that a finding is nothing: a doubt about who listens they can't settle."""
        doubts_callee = finding.result is Result.UNSURE and finding.rule_id in self._of_callees
        return finding.rule_id in self._ours and not doubts_callee

    def _scores_around(self, finding: Finding, turn: Turn, normal: NormalText) -> Floats | None:
        """What the model says of the words in which a rule on trial found misconduct; None where it has no say."""
        if finding.rule_id not in self._on_trial or finding.category not in CONDUCT or finding.start == finding.end:
            return None
        spoken = turn.text[max(0, finding.start - _AROUND) : finding.end + _AROUND]
        text = NormalText([spoken]).turn_text(0)
        columns, values = features(text, around(normal, finding.turn), self.model.index, self.model.idf, strange=False)
        return None if len(text) < _FEWEST or len(columns) == 0 else self.model.scores(columns, values)


def _sounds_otherwise(finding: Finding, turns: Sequence[Turn], normal: NormalText) -> tuple[str, ...]:
    """Why a signal, or that a duty was missed, is in doubt: turn or call do not sound like it."""
    category = finding.category
    if category in SIGNALS and not sounds_like(category, normal.turn_text(finding.turn)):
        return (f"模型觉得听起来不像{CATEGORIES[category][1]}",)
    if category in DUTIES and sounds_done(category, normal, [turn.role for turn in turns]):
        return (f"模型觉得听起来已经{CATEGORIES[category][1]}",)
    return ()


def _sure(findings: Sequence[Finding]) -> frozenset[str]:
    """The categories of which something is surely found."""
    return frozenset(finding.category for finding in findings if finding.result is Result.FAIL)


def _disagreement(scores: Floats, finding: Finding, *, heard: bool) -> tuple[str, ...]:
    """Why the model doubts a violation: it takes the words, those that it knows, for something else."""
    if finding.result is not Result.FAIL:
        return ()
    likeliest = max(GATES[Role.AGENT], key=lambda head: scores[head])
    if scores[likeliest] < (_DOUBTED_BELOW_AS_HEARD if heard else _DOUBTED_BELOW):
        return ("模型看不出问题",)
    if finding.category in _OUTSPOKEN or scores[likeliest] - scores[HEADS.index(finding.category)] < _CLEARLY:
        return ()
    return (f"模型觉得更像{CATEGORIES[HEADS[likeliest]][1]}",)
