"""The second opinion: hints for people on turns where no rule spoke, never a violation, never code in its file."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rules.engine import Judge
from rules.hints import PREFIX, title
from rules.load import load_rules
from rules.model import CATEGORIES, SELF_HARM, CallFacts, Finding, Judgement, Result, RuleSet, Severity
from rules.second_opinion import SecondOpinion
from rules.suspicion import CONDUCT, HEADS, MODEL, Model, features, read_model, stretches, write_model
from rules.text import NormalText
from transcribe.model import Role, Turn

SAID = "你等着瞧,让你家里人也过不安生"


@pytest.fixture(scope="module")
def ruleset() -> RuleSet:
    return load_rules()


@pytest.fixture(scope="module")
def suspicious() -> Model:
    """The real model with thresholds so low that every turn with a known word passes."""
    model = read_model()
    return dataclasses.replace(model, thresholds=np.full_like(model.thresholds, -100))


def turn(text: str, role: Role = Role.AGENT, index: int = 0) -> Turn:
    return Turn(index=index, role=role, channel=None, start_ms=1000 * index, end_ms=1000 * index + 900, text=text)


def hints(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.rule_id.startswith(PREFIX)]


NOTHING = Judgement(findings=(), outcomes={})


def place_of(finding: Finding) -> tuple[str, int, int, int]:
    return finding.rule_id, finding.turn, finding.start, finding.end


def violation(rule_id: str, category: str, text: str) -> Judgement:
    """What a rule says that finds a whole turn guilty."""
    finding = Finding(
        rule_id=rule_id, rule_version=1, category=category, severity=Severity.HIGH, result=Result.FAIL, turn=0, start=0,
        end=len(text), start_ms=0, end_ms=900, quote=text, heard_as=None, confidence=1.0, because="说了",
    )  # fmt: skip
    return Judgement(findings=(finding,), outcomes={rule_id: Result.FAIL})


def test_the_model_is_small_and_holds_plain_arrays_only() -> None:
    assert MODEL.stat().st_size < 5_000_000
    with zipfile.ZipFile(MODEL) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".npy"}
    with np.load(MODEL, allow_pickle=False) as arrays:
        assert not [name for name in arrays if arrays[name].dtype.hasobject]


def test_a_model_for_other_categories_is_refused(tmp_path: Path) -> None:
    with np.load(MODEL, allow_pickle=False) as arrays:
        np.savez(tmp_path / "old.npz", **{**arrays, "heads": np.array(["threat"])})
    with pytest.raises(ValueError, match="make second-opinion"):
        read_model(tmp_path / "old.npz")


def test_writing_gives_the_same_bytes_and_reading_the_same_model(tmp_path: Path) -> None:
    model = read_model()
    write_model(model, tmp_path / "a.npz")
    assert read_model(tmp_path / "a.npz").digest == model.digest


def test_training_gives_the_same_bytes(tmp_path: Path) -> None:
    from benchmarks import second_opinion as training

    kinds = [*CONDUCT, SELF_HARM, None, None]
    samples = [
        training.Sample(
            text=f"您好{chr(0x4E00 + n % 15)}{chr(0x5E00 + n % 15)}{chr(0x6E00 + n % 4)}",
            near=["好的"], place=(n % 2 == 0, True), role=Role.CUSTOMER if n % 15 in (12, 14) else Role.AGENT,
            labels=frozenset(filter(None, [kinds[n % 15]])), call_id=f"c{n}", turn=0, file=str(n // 15 % 7),
        )
        for n in range(15 * 14)
    ]  # fmt: skip
    for name in ("a.npz", "b.npz"):
        write_model(training.train(samples), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_it_never_calls_a_violation(ruleset: RuleSet, suspicious: Model) -> None:
    corpus = Path(__file__).parent.parent / "corpus" / "open" / "a01.jsonl"
    second, judge, made = SecondOpinion(ruleset, model=suspicious), Judge(ruleset), 0
    for line in corpus.read_text("utf-8").splitlines():
        turns = [turn(t["text"], Role(t["role"]), n) for n, t in enumerate(json.loads(line)["turns"])]
        before = judge.judge(turns, CallFacts())
        after = second.weigh(before, turns)
        changed = [finding for finding in after.findings if finding not in before.findings]
        assert {finding.result for finding in changed} <= {Result.UNSURE}
        assert {place_of(finding) for finding in before.findings} <= {place_of(finding) for finding in after.findings}
        assert {rule for rule in after.outcomes if after.outcomes[rule] is Result.FAIL} <= set(before.outcomes)
        made += len(hints(after))
    assert made > 20


def outcomes_of(judgement: Judgement) -> set[tuple[str, Result]]:
    return {(f.category, f.result) for f in judgement.findings}


def test_a_violation_is_doubted_where_nobody_talks_as_if_about_a_debt(ruleset: RuleSet) -> None:
    said = ["你再欺负我妹妹试试，放学你别走，我弄死你", "明天我就告诉你们班主任"]
    answers = ["谁欺负她了，是她先抢我橡皮的", "告就告，老师又不是没看见"]
    quarrel = [turn(said[0], Role.AGENT, 0), turn(answers[0], Role.CUSTOMER, 1), turn(said[1], Role.AGENT, 2),
               turn(answers[1], Role.CUSTOMER, 3)]  # fmt: skip
    judge, second = Judge(ruleset), SecondOpinion(ruleset)
    judged = judge.judge(quarrel, CallFacts())
    weighed = second.weigh(judged, quarrel)
    assert ("threat", Result.FAIL) in outcomes_of(judged)
    assert {result for _, result in outcomes_of(weighed)} == {Result.UNSURE}
    assert any("不像在谈欠款" in finding.because for finding in weighed.findings)
    demand = [turn("你再不还钱我就弄死你", Role.AGENT, 0), turn("你敢", Role.CUSTOMER, 1)]
    assert ("threat", Result.FAIL) in outcomes_of(second.weigh(judge.judge(demand, CallFacts()), demand))


def test_in_everyday_talk_a_hint_needs_a_clearer_suspicion(ruleset: RuleSet) -> None:
    said, model = "你弟弟作业又没写完老师又打电话来了", read_model()
    homework = [turn(said), turn("我哪管得住他呀天天打球", Role.CUSTOMER, 1)]
    look = SecondOpinion(ruleset)._hinter.look(said, (0, len(said)), [homework[1].text], Role.AGENT)
    score = float(look.scores[[HEADS.index(name) for name in CONDUCT]].max())

    def found(threshold: float, turns: Sequence[Turn]) -> list[Finding]:
        level = dataclasses.replace(model, thresholds=np.full_like(model.thresholds, threshold))
        return hints(SecondOpinion(ruleset, model=level).weigh(NOTHING, turns))

    assert not [hint for hint in found(score - 1.4, homework) if hint.turn == 0]
    assert [hint for hint in found(score - 1.6, homework) if hint.turn == 0]


def test_what_a_call_is_suspected_of_once_is_suspected_sooner_again(ruleset: RuleSet) -> None:
    model = read_model()
    turns = [turn("您好"), turn("你说什么呢", Role.CUSTOMER, 1), turn("你家里人最近还好吧", index=2)]
    look = SecondOpinion(ruleset)._hinter.look(turns[2].text, (0, 9), ["你说什么呢"], Role.AGENT)
    second = SecondOpinion(ruleset, model=dataclasses.replace(model, thresholds=look.scores + 1))

    def found(*findings: Finding) -> list[Finding]:
        return [hint for hint in hints(second.weigh(Judgement(findings=findings, outcomes={}), turns)) if hint.turn == 2]

    (threat,) = violation("threatens-harm", "threat", SAID).findings
    insult = dataclasses.replace(threat, category="abuse")
    assert found() == []
    assert [hint.category for hint in found(threat)] == ["threat"]
    assert [hint.category for hint in found(insult)] == ["abuse"]


def test_plainly_everyday_talk_is_suspected_of_nothing(ruleset: RuleSet) -> None:
    said = ["妈我到学校了，食堂今天有糖醋排骨", "你爸买的西瓜还在冰箱里呢，周末回来吃", "好，作业写完就回", "路上慢点"]
    family = [turn(text, (Role.AGENT, Role.CUSTOMER)[n % 2], n) for n, text in enumerate(said)]
    doubt = violation("menace-home-visit", "threat", said[0]).findings[0].doubted(["存疑"])
    second = SecondOpinion(ruleset)
    suspected = Judgement(findings=(doubt,), outcomes={doubt.rule_id: Result.UNSURE})
    assert second.weigh(suspected, family) == Judgement(findings=(), outcomes={doubt.rule_id: Result.PASS})
    own = Judgement(findings=(dataclasses.replace(doubt, rule_id="rule-of-a-company"),), outcomes={})
    assert second.weigh(own, family).findings == own.findings


def test_it_is_silent_where_a_rule_of_conduct_fired(ruleset: RuleSet, suspicious: Model) -> None:
    turns = [turn("再不还钱我就弄死你"), turn(SAID, index=1)]
    judged = Judge(ruleset).judge(turns, CallFacts())
    assert {finding.turn for finding in judged.findings if finding.category == "threat"} >= {0}
    silent = [f.turn for f in hints(SecondOpinion(ruleset, model=suspicious).weigh(judged, turns))]
    assert 0 not in silent


@pytest.mark.parametrize(
    ("text", "category", "doubt"),
    [
        ("再不还钱我叫人打断你的腿", "threat", None),
        ("再不还钱我叫人打断你的腿", "unlawful_fee", "模型觉得更像威胁恐吓"),
        ("您看这个周末能不能把钱凑一凑", "threat", "模型看不出问题"),
        ("吃饺子", "threat", None),  # too few words to disagree on
    ],
)
def test_a_violation_that_it_takes_for_something_else_is_left_to_people(
    ruleset: RuleSet, text: str, category: str, doubt: str | None
) -> None:
    rule_id = next(rule.id for rule in ruleset.rules if rule.category == category and rule.status == "test")
    weighed = SecondOpinion(ruleset).weigh(violation(rule_id, category, text), [turn(text)])
    (finding,) = (finding for finding in weighed.findings if finding.rule_id == rule_id)
    assert weighed.outcomes[rule_id] is finding.result is (Result.UNSURE if doubt else Result.FAIL)
    assert finding.because == ("说了" if doubt is None else f"说了。存疑：{doubt}")


@pytest.mark.parametrize(
    ("confidence", "highest", "doubted"),
    [(1.0, 2.0, False), (1.0, 1.0, True), (0.7, 1.0, False), (0.7, -1.0, False), (0.7, -2.0, True)],
)
def test_words_as_heard_pass_for_innocent_later_than_written_ones(
    ruleset: RuleSet, confidence: float, highest: float, doubted: bool
) -> None:
    text, model, conduct = "再不还钱我叫人打断你的腿", read_model(), [HEADS.index(name) for name in CONDUCT]
    columns, values = features(text, [], model.index, model.idf, strange=False)
    biases = model.biases.copy()
    biases[conduct] += highest - model.scores(columns, values)[conduct].max()
    second = SecondOpinion(ruleset, model=dataclasses.replace(model, biases=biases))
    rule_id = next(rule.id for rule in ruleset.rules if rule.category == "threat" and rule.status == "test")
    said = dataclasses.replace(turn(text), confidence=confidence)
    weighed = second.weigh(violation(rule_id, "threat", text), [said])
    assert weighed.outcomes[rule_id] is (Result.UNSURE if doubted else Result.FAIL)


def test_rules_past_their_trial_stand(ruleset: RuleSet) -> None:
    text = "奶奶我周末带孩子回来吃饭，您多包点饺子"
    rule = next(rule for rule in ruleset.rules if rule.category == "threat" and rule.status == "test")
    said = violation(rule.id, "threat", text)
    proven = dataclasses.replace(ruleset, rules=(rule.model_copy(update={"status": "stable"}),))
    assert SecondOpinion(proven).weigh(said, [turn(text)]) == said


@pytest.mark.parametrize(
    ("doubt", "confidence", "highest", "kept"),
    [
        (True, 1.0, -1.0, True),
        (True, 1.0, -2.0, False),
        (True, 0.7, -2.0, True),
        (True, 0.7, -3.0, False),
        (False, 1.0, -3.5, True),
        (False, 1.0, -4.5, False),
        (False, 0.7, -4.5, True),
    ],
)
def test_what_is_found_in_plainly_innocent_words_is_dropped(
    ruleset: RuleSet, doubt: bool, confidence: float, highest: float, kept: bool
) -> None:
    text, model, conduct = "奶奶我周末带孩子回来吃饭，您多包点饺子", read_model(), [HEADS.index(name) for name in CONDUCT]
    columns, values = features(text, [], model.index, model.idf, strange=False)
    biases = model.biases.copy()
    biases[conduct] += highest - model.scores(columns, values)[conduct].max()
    rule_id = next(rule.id for rule in ruleset.rules if rule.category == "threat" and rule.status == "test")
    said = violation(rule_id, "threat", text)
    if doubt:
        said = dataclasses.replace(
            said, findings=(said.findings[0].doubted(["像是转述"]),), outcomes={rule_id: Result.UNSURE}
        )
    second = SecondOpinion(ruleset, model=dataclasses.replace(model, biases=biases))
    weighed = second.weigh(said, [dataclasses.replace(turn(text), confidence=confidence)])
    assert [finding.rule_id for finding in weighed.findings if finding.rule_id == rule_id] == [rule_id] * kept
    assert weighed.outcomes[rule_id] is (Result.UNSURE if kept else Result.PASS)


def test_what_a_company_forbids_itself_is_not_dropped(ruleset: RuleSet) -> None:
    text = "奶奶我周末带孩子回来吃饭，您多包点饺子"
    rule = next(rule for rule in ruleset.rules if rule.category == "threat" and rule.status == "test")
    theirs = dataclasses.replace(ruleset, sources={rule.id: "/etc/callaudit/rules/pack.yaml"})
    (finding,) = SecondOpinion(theirs).weigh(violation(rule.id, "threat", text), [turn(text)]).findings
    assert finding.because.endswith("模型看不出问题")


def test_it_explains_itself(ruleset: RuleSet, suspicious: Model) -> None:
    (hint,) = hints(SecondOpinion(ruleset, model=suspicious).weigh(NOTHING, [turn(SAID)]))
    assert hint.rule_id == PREFIX + hint.category.replace("_", "-")
    assert (hint.quote, hint.start, hint.end, hint.confidence <= 0.5) == (SAID, 0, len(SAID), True)
    assert hint.because.startswith(f"模型提示：可能是{CATEGORIES[hint.category][1]}")
    words = hint.because.split("：")[-1].replace("“", "").replace("”", "").split("、")
    assert all(len(word) > 1 and word in SAID.replace(",", "") for word in words)


def test_customers_are_only_asked_about_self_harm(ruleset: RuleSet, suspicious: Model) -> None:
    said = [turn(SAID, Role.CUSTOMER), turn(SAID, Role.OTHER, 1)]
    found = hints(SecondOpinion(ruleset, model=suspicious).weigh(NOTHING, said))
    assert [(f.turn, f.category) for f in found] == [(0, SELF_HARM)]


def test_of_whom_nobody_knows_who_he_is_a_hint_needs_a_clearer_suspicion_and_says_so(ruleset: RuleSet) -> None:
    said, model = [turn(SAID, Role.UNKNOWN)], read_model()
    score = float(SecondOpinion(ruleset)._hinter.look(SAID, (0, len(SAID)), [], Role.UNKNOWN).scores.max())

    def found(threshold: float) -> list[Finding]:
        level = dataclasses.replace(model, thresholds=np.full_like(model.thresholds, threshold))
        return hints(SecondOpinion(ruleset, model=level).weigh(NOTHING, said))

    assert found(score - 0.5) == []
    (hint,) = found(score - 4)
    assert hint.because.endswith("；说话人角色未识别")


def test_what_it_does_not_know_it_does_not_suspect(ruleset: RuleSet, suspicious: Model) -> None:
    model = read_model()
    known, mixed = (features(text, [], model.index, model.idf)[1] for text in ("不过安生", "不过安生☃☂☄"))
    assert mixed @ mixed < 0.5 * (known @ known)
    second = SecondOpinion(ruleset, model=suspicious)
    assert hints(second.weigh(NOTHING, [turn(""), turn("嗯,", index=1), turn("☃", index=2)])) == []


def test_ordinary_talk_is_left_alone(ruleset: RuleSet) -> None:
    said = ["您好,请问是王先生吗", "好的,不打扰您了,再见", "您核对一下账单金额对不对"]
    assert hints(SecondOpinion(ruleset).weigh(NOTHING, [turn(text, index=n) for n, text in enumerate(said)])) == []


def test_titles_for_people() -> None:
    assert title("second-opinion-privacy-leak") == "模型提示：泄露隐私"
    assert title("second-opinion-privacy-leak", lang="en") == "Model's hint: privacy leak"
    assert title("hint-threat") is None
    assert title("second-opinion-nonsense") is None


def _all_stretches(normal: NormalText, turns: Sequence[int], _roles: Sequence[Role]) -> dict[int, list[tuple[int, int]]]:
    return {n: stretches(normal.turn_text(n)) for n in turns}


def test_in_a_long_turn_it_marks_the_guilty_stretch(ruleset: RuleSet, suspicious: Model) -> None:
    before = "您这个账单是上个月十五号到期的，本金三千二，利息和费用合同上都写着，您可以在手机上查到，"
    after = "，另外官方客服电话您也可以打，工作日早上九点到下午六点都有人接，账单和还款记录都能查"
    (hint,) = hints(SecondOpinion(ruleset, model=suspicious).weigh(NOTHING, [turn(before + SAID + after)]))
    assert len(before) <= hint.start + 10 < hint.end <= len(before + SAID) + 20
    assert hint.quote == (before + SAID + after)[hint.start : hint.end]


@pytest.mark.parametrize("size", [0, 1, 25, 26, 47, 300])
def test_stretches_cover_a_turn_and_overlap_by_half(size: int) -> None:
    whole, *parts = stretches("字" * size)
    assert whole == (0, size)
    assert not parts or {n for start, end in parts for n in range(start, end)} == set(range(size))
    assert all(later[0] - earlier[0] <= 10 and later[1] - later[0] == 20 for earlier, later in pairwise(parts))


def test_the_quick_look_at_all_turns_loses_no_hint(ruleset: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = sorted((Path(__file__).parents[1] / "corpus" / "open").glob("*.jsonl"))
    calls = [json.loads(line) for file in corpus for line in file.read_text("utf-8").splitlines()[::100]]
    spoken = [[turn(t["text"], Role(t["role"]), n) for n, t in enumerate(call["turns"])] for call in calls]
    opinion = SecondOpinion(ruleset)
    quick = [opinion.weigh(NOTHING, turns) for turns in spoken]
    monkeypatch.setattr(opinion._hinter._sieve, "caught", _all_stretches)
    assert quick == [opinion.weigh(NOTHING, turns) for turns in spoken]
    assert sum(map(len, map(hints, quick))) > 50
