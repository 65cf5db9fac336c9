"""The rule format, the closed list of categories, and what judging a call yields.

Two halves: pydantic models for what people write in YAML (strict, `extra="forbid"`), frozen dataclasses for
what the engine hands on. Spans are half-open, in characters of the turn's text as heard; times are int ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from transcribe.model import Role


class Group(StrEnum):
    """What a category is about: the agent's conduct, a duty, a customer's signal, manner, or contact."""

    CONDUCT = "conduct"
    DUTY = "duty"
    SIGNAL = "signal"
    QUALITY = "quality"
    CONTACT = "contact"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return 4 - list(Severity).index(self)


class Result(StrEnum):
    """Outcome of one rule on one call. UNSURE goes to people; it is never dropped, never a violation."""

    FAIL = "fail"
    PASS = "pass"
    UNSURE = "unsure"
    NOT_APPLICABLE = "not_applicable"


# category → (group, Chinese label as 质检 people say it, English label)
CATEGORIES: Mapping[str, tuple[Group, str, str]] = {
    "threat": (Group.CONDUCT, "威胁恐吓", "Threat"),
    "abuse": (Group.CONDUCT, "辱骂侮辱", "Abuse"),
    "harassment": (Group.CONDUCT, "骚扰纠缠", "Harassment"),
    "privacy_leak": (Group.CONDUCT, "泄露隐私", "Privacy leak"),
    "third_party_pressure": (Group.CONDUCT, "向第三人施压", "Pressure on third parties"),
    "impersonation": (Group.CONDUCT, "冒充身份", "Impersonation"),
    "false_consequence": (Group.CONDUCT, "虚假夸大后果", "False consequence"),
    "private_payment": (Group.CONDUCT, "私下收款", "Private payment"),
    "induce_borrowing": (Group.CONDUCT, "诱导借贷", "Inducing new borrowing"),
    "improper_promise": (Group.CONDUCT, "违规承诺", "Improper promise"),
    "obstruct_complaint": (Group.CONDUCT, "阻碍投诉", "Obstructing a complaint"),
    "unlawful_fee": (Group.CONDUCT, "违规收费", "Unlawful fee"),
    "greeting": (Group.DUTY, "礼貌问候", "Greeting"),
    "identify_self": (Group.DUTY, "表明身份", "Identifies self"),
    "recording_notice": (Group.DUTY, "录音告知", "Recording notice"),
    "verify_identity": (Group.DUTY, "核验身份", "Verifies identity"),
    "state_debt": (Group.DUTY, "说明欠款", "States the debt"),
    "offer_plan": (Group.DUTY, "协商方案", "Offers a plan"),
    "confirm_promise": (Group.DUTY, "复述确认承诺", "Confirms the promise"),
    "complaint_channel": (Group.DUTY, "告知投诉渠道", "Names the complaint channel"),
    "courteous_closing": (Group.DUTY, "礼貌结束", "Courteous closing"),
    "complaint_intent": (Group.SIGNAL, "投诉意向", "Complaint intent"),
    "hardship": (Group.SIGNAL, "特殊困难", "Hardship"),
    "self_harm": (Group.SIGNAL, "自伤轻生风险", "Self-harm risk"),
    "dispute": (Group.SIGNAL, "债务异议", "Dispute"),
    "stop_contact": (Group.SIGNAL, "要求停止联系", "Asks to stop contact"),
    "wrong_person": (Group.SIGNAL, "非本人", "Wrong person"),
    "promise_to_pay": (Group.SIGNAL, "承诺还款", "Promise to pay"),
    "refuse": (Group.SIGNAL, "拒绝还款", "Refuses to pay"),
    "request_plan": (Group.SIGNAL, "申请协商", "Requests a plan"),
    "talk_over": (Group.QUALITY, "抢话", "Talks over"),
    "dead_air": (Group.QUALITY, "长静默", "Dead air"),
    "fast_speech": (Group.QUALITY, "语速过快", "Fast speech"),
    "raised_voice": (Group.QUALITY, "音量突增", "Raised voice"),
    "talk_share": (Group.QUALITY, "话语占比", "Talk share"),
    "abrupt_hangup": (Group.QUALITY, "突然挂断", "Abrupt hang-up"),
    "quiet_hours": (Group.CONTACT, "禁催时段", "Quiet hours"),
    "call_frequency": (Group.CONTACT, "拨打频次", "Call frequency"),
    "third_party_contact": (Group.CONTACT, "联系第三人", "Third-party contact"),
    "contact_after_refusal": (Group.CONTACT, "拒绝后再联系", "Contact after refusal"),
}

SELF_HARM = "self_harm"
"""The one signal that people judge and alerts tell of: it must never get lost."""

# category → what a finding of it says in Chinese and English: of a duty, that it was missed
FOUND: Mapping[str, tuple[str, str]] = {name: (zh, en) for name, (_, zh, en) in CATEGORIES.items()} | {
    "greeting": ("没有问候", "No greeting"),
    "identify_self": ("没有表明身份", "Identity not stated"),
    "recording_notice": ("没有告知录音", "No recording notice"),
    "verify_identity": ("没有核验身份", "Identity not verified"),
    "state_debt": ("没有说明欠款", "Debt not stated"),
    "offer_plan": ("没有提协商方案", "No plan offered"),
    "confirm_promise": ("没有复述确认承诺", "Promise not confirmed"),
    "complaint_channel": ("没有告知投诉渠道", "Complaint channel not named"),
    "courteous_closing": ("没有礼貌结束", "No courteous closing"),
}

RELATIONS = ("self", "guarantor", "co_obligor", "spouse_joint_debt", "contact", "unrelated", "unknown")
Relation = Literal["self", "guarantor", "co_obligor", "spouse_joint_debt", "contact", "unrelated", "unknown"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_LINE, _ID, _NAME = r"^(agent|customer|other|unknown): .+", r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", r"^[a-z][a-z0-9_]*$"
_CLOCK_TIME = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|\$[a-z][a-z0-9_]*)$"
_LIMIT = r"^([0-9]{1,6}|\$[a-z][a-z0-9_]*)$"
_BOUND = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?|\$[a-z][a-z0-9_]*")
FORMS: Mapping[str, str] = {
    _LINE: "每句写成 agent: … 或 customer: …（别人说的写 other: …，不知谁说的写 unknown: …），冒号是半角，后面空一格",
    _ID: "只用小写字母、数字和连字符，以字母开头，例如 ask-for-family-number",
    _NAME: "只用小写字母、数字和下划线，以字母开头，例如 asked_twice",
    _CLOCK_TIME: "写钟点，如 08:00，或 $参数",
    _LIMIT: "写次数，如 3，或 $参数",
}
"""What a text that must follow one of these patterns should look like, in Chinese."""

Line = Annotated[str, StringConstraints(pattern=_LINE)]
RuleId = Annotated[str, StringConstraints(pattern=_ID)]
ConditionName = Annotated[str, StringConstraints(pattern=_NAME)]
ClockTime = Annotated[str, StringConstraints(pattern=_CLOCK_TIME)]
Limit = Annotated[str, StringConstraints(pattern=_LIMIT)]
Terms = Annotated[tuple[Text, ...], Field(min_length=1)]
EntityName = Literal[
    "money", "date", "id_number", "bank_card", "phone", "hotline", "address", "employee_number", "email", "wechat"
]
Speaker = Literal["agent", "customer", "other", "any"]
_SIGNALS = tuple(name for name, (group, *_) in CATEGORIES.items() if group is Group.SIGNAL)
_Signal = Literal[_SIGNALS]  # type: ignore[valid-type]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Strict):
    """The first or last part of a call: a number of turns (of any role) or of seconds, whichever is given."""

    turns: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def one_unit(self) -> Window:
        if self.turns is None and self.seconds is None:
            raise ValueError("写 turns（轮数）或 seconds（秒数），至少一个")
        return self


class Anchor(Strict):
    """Position relative to another, named condition's hit; distance in turns, both ends included."""

    condition: ConditionName
    hit: Literal["first", "last", "any"] | Annotated[int, Field(ge=1)] = "any"
    turns: tuple[int, int] | None = None

    @field_validator("turns")
    @classmethod
    def from_low_to_high(cls, turns: tuple[int, int] | None) -> tuple[int, int] | None:
        if turns and turns[0] > turns[1]:
            raise ValueError(f"先写近的、再写远的：[{turns[1]}, {turns[0]}]")
        return turns


class Measure(Strict):
    """A number taken from the call; `at_least`/`below` are in the measure's own unit."""

    name: Literal[
        "turns", "agent_turns", "customer_turns", "duration_s", "recorded_s", "silence_ms", "reply_ms",
        "overlap_ms", "chars_per_minute", "loudness_db", "agent_share", "hangup_ms",
    ]
    at_least: float | str | None = None
    below: float | str | None = None

    @field_validator("at_least", "below")
    @classmethod
    def a_number(cls, bound: float | str | None) -> float | str | None:
        if isinstance(bound, str) and not _BOUND.fullmatch(bound):
            raise ValueError(f"应是数字或 $参数，这里是 {bound}")
        return bound

    @model_validator(mode="after")
    def bounded(self) -> Measure:
        if self.at_least is None and self.below is None:
            raise ValueError("写 at_least 或 below，至少一个")
        return self


EFFECTIVE_SECONDS, THIRD_PARTY_ATTEMPTS = "effective_call_seconds", "third_party_after_attempts"
"""Parameters of a pack: how long an answered call is to count as effective; after how many vain attempts on the debtor
a third party may be called.
"""

# what a rule counts, and by whom, in Chinese; of the first two every single contact is one too many
EACH: Mapping[str, str] = {
    "third_party_too_early": f"联系第三人之前（不含当天），连续联系不上本人不足 ${THIRD_PARTY_ATTEMPTS} 次",
    "third_party_after_refusal": "第三人要求不再联系以后，又拨打",
}
COUNTED: Mapping[str, str] = {"attempts": "拨打", "unanswered": "未接通拨打", "effective": "有效通话"}
COUNTED_BY: Mapping[str, str] = {"number": "同一号码", "debtor": "同一债务人"}


class Count(Strict):
    """How often, across calls and attempts: `what`, per number or debtor, `more_than` so many within a `window`: a
    calendar day of the debtor, or so many hours. What concerns third parties (`EACH`) takes nothing else.
    """

    what: Literal["attempts", "unanswered", "effective", "third_party_too_early", "third_party_after_refusal"]
    per: Literal["number", "debtor"] | None = None
    more_than: Limit | None = None
    window: Literal["day"] | Annotated[int, Field(ge=1, le=24 * 366)] = "day"

    @model_validator(mode="after")
    def limited(self) -> Count:
        if self.what in EACH and self.model_fields_set != {"what"}:
            raise ValueError(f"what: {self.what} 每一次都算，不写 per、more_than、window")
        if self.what not in EACH and (self.per is None or self.more_than is None):
            raise ValueError(f"what: {self.what} 要写 per（number 或 debtor）和 more_than（次数，或 $参数）")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the pack that it is judged by."""
        read = {"effective": (EFFECTIVE_SECONDS,), "third_party_too_early": (THIRD_PARTY_ATTEMPTS,)}
        limit = (self.more_than[1:],) if self.more_than and self.more_than[0] == "$" else ()
        return (*limit, *read.get(self.what, ()))

    def limit(self, parameters: Mapping[str, str]) -> int:
        """How many there may be at most."""
        most = self.more_than or "0"
        return int(parameters[most[1:]] if most[0] == "$" else most)


class Hour(Strict):
    """Local time of the call within [from, to); may pass midnight."""

    start: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")


class Similar(Strict):
    """A clause close to one of these sentences; score is 1 − normalised edit distance over syllables."""

    sentences: Terms
    score: Annotated[float, Field(gt=0.5, le=1.0)] = 0.75


class Repeated(Strict):
    """The same speaker says the same again: `times` in all, within `turns` turns, each at least `chars` long."""

    times: Annotated[int, Field(ge=2)] = 2
    turns: Annotated[int, Field(ge=1)] = 10
    chars: Annotated[int, Field(ge=2)] = 4


class AnsweredBy(Strict):
    """The next `turns` turns of `role` satisfy any of the conditions."""

    role: Speaker
    turns: Annotated[int, Field(ge=1)] = 2
    any: tuple[Condition, ...] = Field(min_length=1)


def _token(token: dict[str, Any]) -> dict[str, Any]:
    """A word of `tokens`; ValueError where no word could be meant."""
    if extra := token.keys() - {"TEXT", "LENGTH", "OP"}:
        raise ValueError(f"不认识 {'、'.join(sorted(extra))}：每个词只写 TEXT、LENGTH、OP")
    if token.get("OP", "?") not in ("!", "?", "*", "+"):
        raise ValueError("OP 只能是 !、?、*、+ 之一")
    if not re.fullmatch("[1-9][0-9]?", str(token.get("LENGTH", 1))):
        raise ValueError("LENGTH 应是字数，如 2")
    match token.get("TEXT", "字"):
        case str() as word:
            words = [word]
        case ({"IN": [*words], **rest} | {"NOT_IN": [*words], **rest}) if not rest:
            pass
        case _:
            words = []
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError("TEXT 写一个词，或 {IN: [词, 词]}、{NOT_IN: [词, 词]}")
    return token


Token = Annotated[dict[str, Any], AfterValidator(_token)]

OPERATORS = (
    "phrase", "near", "pattern", "tokens", "entity", "similar", "repeated",
    "measure", "relation", "hour", "count", "all", "any", "none", "hit", "signal",
)


class Condition(Strict):
    """One operator and its modifiers. A list of conditions means: any of these.

    Terms starting with `@` name a list of the lexicon (`@family`); values starting with `$` a pack parameter.
    """

    name: ConditionName | None = None
    # operators, exactly one
    phrase: Terms | None = None
    near: tuple[Terms, ...] | None = None
    pattern: Text | None = None
    tokens: Annotated[tuple[Token, ...], Field(min_length=1)] | None = None
    entity: Annotated[tuple[EntityName, ...], Field(min_length=1)] | None = None
    similar: Similar | None = None
    repeated: Repeated | None = None
    measure: Measure | None = None
    relation: Annotated[tuple[Relation, ...], Field(min_length=1)] | None = None
    hour: Hour | None = None
    count: Count | None = None
    all: Annotated[tuple[Condition, ...], Field(min_length=1)] | None = None
    any: Annotated[tuple[Condition, ...], Field(min_length=1)] | None = None
    none: Annotated[tuple[Condition, ...], Field(min_length=1)] | None = None
    hit: ConditionName | None = None  # a named condition of this rule or of the pack
    signal: Annotated[tuple[_Signal, ...], Field(min_length=1)] | None = None  # surely found by another rule
    # modifiers
    within: Annotated[int, Field(ge=0, le=60)] | None = None  # near: largest gap between groups, characters
    ordered: bool = True  # near: groups in this order
    by_sound: bool = False  # phrase, near, pattern: also as misheard
    at_least: Annotated[int, Field(ge=1)] = 1  # so many hits in the call
    role: Speaker | None = None  # default: the rule's role
    scope: Literal["clause", "turn", "call"] | None = None  # all/none: where the parts must stand; unless: reach
    first: Window | None = None
    last: Window | None = None
    before: Anchor | None = None
    after: Anchor | None = None
    around: Anchor | None = None
    answered_by: AnsweredBy | None = None

    @property
    def anchors(self) -> tuple[tuple[Anchor, int], ...]:
        """What its hits must lie before (−1), after (+1) or around (0)."""
        placed = ((self.before, -1), (self.after, 1), (self.around, 0))
        return tuple((anchor, sign) for anchor, sign in placed if anchor)

    @property
    def operator(self) -> str:
        """The one operator that is set."""
        return next(name for name in OPERATORS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def one_operator(self) -> Condition:
        used = [name for name in OPERATORS if getattr(self, name) is not None]
        if len(used) != 1:
            found = "、".join(used) or "没有"
            raise ValueError(f"一个条件只写一个算子（{'、'.join(OPERATORS)}），这里有：{found}")
        if self.near is not None and len(self.near) < 2:
            raise ValueError("near 至少两组，每组至少一个词")
        if self.near is not None and self.within is None:
            raise ValueError("near 要写 within（两组之间最多几个字）")
        if self.near is None and (self.within is not None or not self.ordered):
            raise ValueError("within、ordered 只用于 near")
        if self.by_sound and self.phrase is None and self.near is None and self.pattern is None:
            raise ValueError("by_sound 只用于 phrase、near 和 pattern")
        return self

    @model_validator(mode="after")
    def counts_alone(self) -> Condition:
        answers = self.answered_by.any if self.answered_by else ()
        if any(part.count for part in (*(self.all or ()), *(self.any or ()), *(self.none or ()), *answers)):
            raise ValueError("count 由许多通话一起判，只能单独写在 when 里，不能放进 all、any、none、answered_by")
        if self.count and (more := self.model_dump(exclude_defaults=True).keys() - {"name", "count"}):
            raise ValueError(f"count 由许多通话一起判，不能加 {'、'.join(sorted(more))}")
        return self


class Reference(Strict):
    """The clause a rule rests on; only what stands in a source document, with how sure the reading is."""

    instrument: Text
    clause: Text | None = None
    authority: Literal["law", "regulation", "national_standard", "self_regulation", "company_policy"]
    url: Text | None = None
    confidence: Literal["high", "medium", "low"]


class Example(Strict):
    """A dialogue that must (or must not) be flagged. `turns` are written `agent: …` or `customer: …`.

    `spans` are the words that must be flagged; `relation`, `started_at`, `duration_ms` and `measures` stand for the
    call record; `times` are start and end of each turn in ms, without them no time is known.
    """

    turns: tuple[Line, ...] = Field(min_length=1)
    spans: tuple[Text, ...] = ()
    outcome: Literal["fail", "unsure", "pass", "not_applicable"] | None = None
    relation: Relation | None = None
    started_at: datetime | None = None
    times: tuple[tuple[int, int], ...] = ()
    duration_ms: int | None = None
    measures: dict[str, float] = {}
    why: Text | None = None

    @model_validator(mode="after")
    def every_turn_timed(self) -> Example:
        if self.times and len(self.times) != len(self.turns):
            raise ValueError("times 要么不写，要么每句话写一对 [开始, 结束]（毫秒）")
        return self


class Examples(Strict):
    violations: tuple[Example, ...] = Field(min_length=1)
    clean: tuple[Example, ...] = Field(min_length=1)
    missed: tuple[Example, ...] = ()


class Guard(StrEnum):
    """General reasons why words that match say the opposite (rules/context.py)."""

    NEGATION = "negation"  # 我们不会…
    REPORTED = "reported"  # 您刚才说…, 上次那个人说要…
    WARNING = "warning"  # 如果有人让您…请不要相信
    QUESTION = "question"  # 有没有人…?


class Rule(Strict):
    """One rule, one YAML file; its examples are its tests."""

    id: RuleId
    title: Text
    title_en: Text
    category: Literal[tuple(CATEGORIES)]  # type: ignore[valid-type]
    kind: Literal["forbid", "require", "signal", "limit"]
    role: Speaker = "agent"
    severity: Severity
    status: Literal["draft", "test", "stable", "deprecated"]
    since: Text
    version: Annotated[int, Field(ge=1)] = 1
    references: tuple[Reference, ...] = ()
    why: Text
    needs_case_data: bool = False  # true or false only with the case file at hand: its hits are unsure
    guards: tuple[Guard, ...] | None = None  # default by kind: see rules/context.py
    applies_when: tuple[Condition, ...] = ()  # any of these, else not_applicable
    applies_unless: tuple[Condition, ...] = ()  # any of these: not_applicable
    when: tuple[Condition, ...] = Field(min_length=1)
    unless: tuple[Condition, ...] = ()
    examples: Examples

    @property
    def count(self) -> Count | None:
        """What it counts across calls; None where it judges each call by itself."""
        return self.when[0].count

    @field_validator("applies_when", "applies_unless", "unless")
    @classmethod
    def counts_nothing(cls, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        if any(condition.count for condition in conditions):
            raise ValueError("count 由许多通话一起判，只能单独写在 when 里")
        return conditions

    @model_validator(mode="after")
    def counts_alone(self) -> Rule:
        if not any(condition.count for condition in self.when):
            return self
        if len(self.when) > 1 or self.unless or self.applies_when or self.applies_unless:
            raise ValueError("用 count 的规则由许多通话一起判，除了它不能有别的条件；别的条件请另写一条规则")
        if self.kind in ("require", "signal"):
            raise ValueError("用 count 的规则，kind 要写 limit")
        return self


class Parameter(Strict):
    """A number or a time that an operator of callaudit may set, with where the default comes from."""

    value: Text
    basis: Text
    confidence: Literal["high", "medium", "low"]


class Pack(Strict):
    """pack.yaml. A company's own pack `extends` another and may be one file with `rules` inside."""

    name: RuleId
    title: Text
    version: Text
    extends: RuleId | None = None
    parameters: dict[ConditionName, Parameter] = {}
    conditions: dict[ConditionName, Condition] = {}  # shared by rules: `hit: whole_call`
    disable: tuple[RuleId, ...] = ()
    severity: dict[RuleId, Severity] = {}
    rules: tuple[Rule, ...] = ()

    @field_validator("conditions")
    @classmethod
    def counts_nothing(cls, conditions: dict[str, Condition]) -> dict[str, Condition]:
        if any(condition.count for condition in conditions.values()):
            raise ValueError("count 由许多通话一起判，只能单独写在规则的 when 里，不能共用")
        return conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A pack with everything resolved: lexicon, parameters, layers. `digest` names exactly this content."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    parameters: Mapping[str, str]
    conditions: Mapping[str, Condition]
    lexicon: Mapping[str, tuple[str, ...]]
    digest: str
    sources: Mapping[str, str] = field(default_factory=dict)  # rule id → file, for messages
    extends: str | None = None  # the pack under it

    def words(self, terms: Sequence[str]) -> tuple[str, ...]:
        """Terms with `@lists` of the lexicon replaced by their words. KeyError where there is no such list."""
        return tuple(word for term in terms for word in (self.lexicon[term[1:]] if term[0] == "@" else (term,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What the call record knows and rules may ask; every field may be unknown."""

    call_id: str = ""
    started_at: datetime | None = None  # in the debtor's local time zone
    duration_ms: int | None = None
    callee_relation: str | None = None
    inbound: bool = False  # the other one called
    measures: Mapping[str, float] = field(default_factory=dict)  # as an example states them


_DOUBT_CONFIDENCE = 0.6  # what a doubt leaves of a finding's confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where a rule fired, with everything a reviewer needs to judge it.

    `turn` is the index of the turn; a duty that was not done points at the first turn with an empty span.
    `heard_as` holds the standard word where the match was by sound. `because` is never empty.
    """

    rule_id: str
    rule_version: int
    category: str
    severity: Severity
    result: Result  # fail or unsure
    turn: int
    start: int
    end: int
    start_ms: int
    end_ms: int
    quote: str
    heard_as: str | None
    confidence: float
    because: str

    def doubted(self, doubts: Sequence[str]) -> Finding:
        """The same, left to people for these reasons; itself where there are none."""
        if not doubts:
            return self
        return replace(
            self,
            result=Result.UNSURE,
            confidence=round(self.confidence * _DOUBT_CONFIDENCE, 2),
            because=f"{self.because}。存疑：{'；'.join(doubts)}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that the rules say about one call: findings in order of time, one outcome per rule."""

    findings: tuple[Finding, ...]
    outcomes: Mapping[str, Result]


def role_matches(speaker: Speaker, role: Role) -> bool:
    """Whether a condition for `speaker` may look at a turn of `role`; UNKNOWN may be anyone."""
    return speaker in ("any", role.value) or role is Role.UNKNOWN
