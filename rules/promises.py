"""Promises to pay in a call: how much, when, how firmly, and whether the agent repeated them back.

A promise is the customer's: their own statement (下周五还两千), their answer to the agent's question (什么时候能还?
下周五吧), or their yes to the agent's figures (那您十五号还三千? 好). 能不能 and 行不行 only ask; 尽量 and 争取 make it
weak; 还不了, 没还 and 已经还了 are none. Of several promises the later one counts unless it says less.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from rules.amounts import may_name_sum
from rules.dates import may_name_day
from rules.entities import LONGEST_READ, Entity, EntityKind, find_entities
from rules.everyday import is_everyday
from rules.numerals import small_number
from rules.text import normal_text
from transcribe.model import Role, Turn


class Firmness(StrEnum):
    """How firmly a customer promised. ASKED is a question, no promise; it is kept for people to see."""

    FIRM = "firm"
    WEAK = "weak"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promise to pay; `turn` is the position in the sequence given, `start`/`end` a half-open span of its text.

    `amount` is yuan (per instalment where `instalments` is set), `amount_text` what was said (两千, 最低还款);
    `date` is ISO, `date_text` what was said; each None where nothing was. `repeated_back`: the agent named every
    amount and date of it afterwards. `confidence` is 0 to 1, lower where the speaker is unknown.
    """

    turn: int
    start: int
    end: int
    text: str
    amount: Decimal | None
    amount_text: str | None
    date: str | None
    date_text: str | None
    firmness: Firmness
    repeated_back: bool
    instalments: int | None
    confidence: float


_PAY = re.compile(
    r"还(?![没是有在不想未需好敢挺算差剩珍魂俗真早什怎为压体])|打(?:过去|给你|进去|上|到(?=[卡账你]))|"
    r"转(?:过去|给你|你|过来|进去|上|$|(?=[,，0-9一二两三四五六七八九]))|给你们?(?:转|打|弄|存|交|汇|结|$|(?=[,，]))|畀你|"
    r"存(?:进|上|到|钱|$|(?=[,，])|[0-9一二两三四五六七八九])|[去来]存|结清|付(?!不)|交(?:上|了|清|钱|进|给你|$|(?=[,，]))|"
    r"弄(?:上|好|过去)|清(?:掉|了)|补上|凑(?:齐|够|给|个|[0-9一二两三四五六七八九几])|处理(?!不)|去(?:一?趟)?银行|搞定|一把清|(?<!没)(?<!有)到账(?!了)|进你们?账|"
    r"给(?:你们?|您)(?=[0-9一二两三四五六七八九十几])|整利索|先换(?=[0-9一二两三四五六七八九几])|(?:先|我|拉|能)(?:拿|整|打)(?=[0-9一二两三四五六七八九几][百千万0-9])|"
    r"我(?:拿|扫|补)(?=[0-9一二两三四五六七八九几][百千万0-9])"
)
_ABOUT_PAYING = re.compile(  # of the agent's words only
    rf"{_PAY.pattern}|方便|最晚|定在|登记|安排|约定|(?:大概|最快|具体|那您|您说)[^，,。]{{0,3}}(?:哪天|几号|什么时候)[？?吧呢]?$"
)
_EFFORT = re.compile(r"(?:尽量|争取|尽力)(?=[^，,。]{0,6}[天周月号底初晚])")
_SPEAKS_OF_PAYING = re.compile(rf"{_PAY.pattern}|{_EFFORT.pattern}")
_ASKED_ABILITY = re.compile(r"能不能|可不可以|行不行|好不好|成不成|要不|不行的?话")
# 还 as hái: 还要上班, 还能怎样, 还有. Where huán follows in the same clause it is found by itself.
_NOT_PAY = re.compile(
    r"我还的|还我(?!的|这|来|先|自己|去|会|把|明|今)|还得(?![起上清完])|还(?:要|能|会|可以|说|给我|叫|让|催|原|价|手|去)|"
    r"还(?:当是|以为)|还来(?:找|闹|催)|还行(?!款)|还打(?![到进过])|越还越|够还|还款(?:日|码|方式|按钮|链接|计划|记录|能力|截图|渠道)"
)
_NO = re.compile(
    r"不了|(?<!扣)不上|不起|不清|不出|不能(?!不)|不会|不还|不给|不付|不交|不想|不可能|不打算|没法|没钱|没有钱|没能力|"
    r"没办法|没还|没有还|没得还|办不到|做不到|"
    r"还没|(?:肯定|真|就是|确实)没有|无力|别想|凭什么|屁|拿什么|怎么还|哪有|哪来|哪儿有|不行(?!的?话)|上哪|不记得|不欠|没借|下辈子|来世|不认|用不着|不是我"
)
_DONE = re.compile(
    r"已经?(?:[^，。]{0,6})(?:还|付|交|转|结清)|早就?(?:还|结清|转|付)|刚(?:才|刚)?[^，。]{0,4}(?:还|转|付|交|打)|"
    r"(?:还|付|交|转)过(?![去来])|(?<![会能定要得必])(?:还|付|交|转|存|打)的(?=$|[,，。])|"
    r"^.{0,3}(?:(?<![晚早])上个?(?:周|月|礼拜|星期|次|回)|昨|前[天儿]|去年|之前|以前)|"
    r"(?:还|付|交|转|存|打)(?:清|完|上|款|钱|掉|进去|过去)*了(?!就|再|以后|之后|吧|行|好|把)"
)
_LONG_DONE = re.compile(
    r"(?:昨[天儿]|前[天儿]|上次|上回)[^,，。]{0,4}(?:说|答应|讲|约)|"
    r"(?<![晚早])上个?(?:周|月|礼拜|星期|次|回)[^,，。]{0,4}[还转付交存打][^,，。]{0,3}了"
)
_TO_BE_DONE = re.compile(
    r"前[^，。]{0,2}把[^，。]{1,10}[还付交转存打](?:清|完)?了$|"
    r"(?:^|我|那个)(?:就|全|都)?全(?:部)?还了$|那我[^，。]{0,16}还了$"
)
_ASK = re.compile(
    r"能不能|可不可以|可以不|(?<=[去款清钱千百万块上了])(?:行|成|可以)吧$|行不行|行不|成不成|好不好|是不是|能否|可否|[行成好可以]+[吗么嘛]|[吗么嘛][？?]?$|"
    r"[？?]$|怎么样$|如何$|有没有|会怎|多少$"
)
_ASKS_A_PLAN = re.compile(  # wishes and conditions of the customer's own: nothing is settled before the agent answers
    r"(?<!不)想(?:就)?(?:从|着要不要|先还(?:本金|利息|个)|只还|分|一个月|每个?月|先还[^，。]{1,6}剩)|只能(?:一个月|每个?月)|要是只还|"
    r"分[^，。]{1,4}[年期][^，。]{0,4}(?:还得起|才|我就)|能分期|一个月能还"
)
_NODDED = re.compile(r"(?:行不行|[行成中]不?|可以吗?|[行成]吗|行了?吧|[行成]不成)$")
_PLEADS = re.compile(
    r"能不能|可不可以|可唔可以|能否|要是|如果|每个?月|一个月|分[成个]?[0-9一二两三四五六七八九十]{1,3}[期次个笔]"
)
_WEAK = re.compile(
    r"尽量|尽力|尽快|争取|应该|大概|看看|看情况|可能|差不多|估计|也许|或许|试试|想想?办法|想法子|到时候|再说|"
    r"不一定|不敢保证|不保证|没准|"
    r"说不准|不好说|恐怕|要是|如果|万一|的话|等他|等他们|卖了|拿到|凑到|凑够|借到|有钱|有了|考虑|吧$"
)
_SURE = re.compile(
    r"一定|肯定|保证|绝对|百分百|必须|说到做到|会(?:的|还)?|马上|立刻|立马|现在就|这就|就还|先还|尽|争取|想办法|"
    r"慢慢"
)
_AT_ONCE = re.compile(
    r"马上|立刻|立马|现在|这就|待会|等会|等下|一会儿?|(?<!天)(?<!儿)(?:下午|晚上|中午|晚点)|(?:办|弄|忙)完就"
)
_OTHERS = re.compile(
    r"^(?:[^我]{0,8})(?:[他她](?:们)?|借款人|本人|老板|对方)[^我]{0,8}(?:还|处理)|[让叫][他她][^，。]{0,8}[打回]|[让叫要催逼喊](?:我|他|"
    r"她)[^，。]{0,10}还|(?:说|答应)[^，。]{0,6}[替帮]我[^，。]{0,2}(?:还|转|付|交|出)|你[们]?(?:说|让|要(?!是)|叫|先|自己|怎么)"
)
_RESTATED = re.compile(r"不是[^，。]{0,6}说[^，。]{0,12}[吗嘛么]")
_REST = re.compile(r"^(?:剩下|剩余|余下|其余|其他|后面|另外|下剩)")
_RETRACT = re.compile(r"(?:一分(?:钱)?也?都?不|我?(?:就是)?不(?:打算)?还了|反悔|(?:不|没)打算还)")
_ASSENT = re.compile(
    r"^(?:嗯+|啊|哦|噢|那|就)*[，,]?(?:好|行|可以|对|是的|是$|没问题|没事|成$|成吧|成交|中$|中吧|OK|ok|能|会|"
    r"那就这样|就这样|就这么|我?知道了|一定|肯定|没错|同意|答应|听你的|按你)"
)
_SOME_DAY = re.compile(r"有钱|自然会|迟早|早晚会|总会")
_SETTLES = re.compile(r"最[迟晚]|那就|就定|说定")
_ERRAND = re.compile(
    r"材料|申请|工单|投诉|异议|争议|核[对查实]|回电|回话|再给(?:您|你)打|再打|联系(?:您|你)|生效|停拨|拨打|上传|审批|答复|面谈|见面|登记(?:非|停|不)|上门|发给|客服"
)
_PAYS_THEN = re.compile(
    r"[号天日周月底晚午前][^，。]{0,8}(?:还|存|付|转|打进|入账)|先(?:还|存|付|拿)[^，。]{0,4}[0-9一二两三四五六七八九几]"
)
_THINKS_OVER = re.compile(r"想想(?!办法)|想一想|想一下|考虑|商量|再看|看看吧")
_PUTS_IT = re.compile(r"[吗吧呢不？?][。！!]?$|行不行|对不对|是不是")
_HUM = re.compile(r"^(?:嗯|啊|哦|噢|唔|[，,。\s])+$")
_ACCEPT = re.compile(r"^(?:嗯|啊|那)*[，,]?(?:好|行|可以|没问题|成|中|OK|ok)(?!好|不)")
_QUESTION_OF_PAY = re.compile(
    r"什么时候|啥时候|几号|哪天|多久|何时|多少|几点|能还|打算|怎么安排|怎么处理|能不能|可以还|具体"
)
_AGENT_THREAT = re.compile(r"否则|不然|不还|要不然|起诉|逾期了|已经|没还|未还|后果")
_DEBT = re.compile(r"欠|逾期|应还|本期|账单|本金|利息|违约金|滞纳金|一共|总共|减免")
_CLAUSE = re.compile(r"[^，,。！!？?；;\s\n]+[，,。！!？?；;\s\n]*")
_INSTALMENTS = re.compile(r"分(?:成|个)?([0-9]{1,2}|[一二两三四五六七八九十]{1,3})(?:个月|期|次|笔)")
_MONTHLY = re.compile(r"每个?月|一个月|月月|一期|每期")


class _Said:
    """A turn, and its entities when they are first asked for: most turns never are."""

    def __init__(self, index: int, role: Role, text: str, call_date: date | None) -> None:
        self.index = index
        self.role = role
        self.text = text[:LONGEST_READ]  # sums and days are read no further
        self._call_date = call_date

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        return find_entities(self.text, call_date=self._call_date)

    @cached_property
    def may_name_day(self) -> bool:
        """A quick look: False where surely no day is named."""
        return may_name_day(self.text)

    @cached_property
    def may_name_sum(self) -> bool:
        """A quick look: False where surely no sum is named."""
        return may_name_sum(self.text)

    def may_name(self, kind: EntityKind) -> bool:
        """A quick look: False where surely no day, or no sum, is named."""
        return self.may_name_day if kind is EntityKind.DATE else self.may_name_sum

    @property
    def may_name_terms(self) -> bool:
        """A quick look: False where surely neither a day nor a sum is named."""
        return self.may_name_day or self.may_name_sum

    def between(self, start: int, end: int) -> tuple[Entity, ...]:
        """The entities that begin in a stretch of the turn."""
        low = bisect_left(self.entities, start, key=_start)
        return self.entities[low : bisect_left(self.entities, end, lo=low, key=_start)]


_start = attrgetter("start")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    """A stretch of a turn."""

    start: int
    end: int
    text: str
    said: _Said

    def of(self, kind: EntityKind) -> tuple[Entity, ...]:
        entities = self.said.between(self.start, self.end) if self.said.may_name(kind) else ()
        return tuple(entity for entity in entities if entity.kind is kind)


_ROLES = frozenset(role.value for role in Role)
_LONGEST_BARE = 24  # characters: a day, a sum and six more
_BESIDE_BARE = 6
_LONGEST_ANSWER = 30
_SAID_BACK_WITHIN = 40  # characters of the agent's reply

_Terms = tuple[Entity | None, Entity | None]  # day and amount


def find_promise(turns: Sequence[Turn | tuple[str, str]], *, call_date: date | None = None) -> Promise | None:
    """The promise to pay of a call, None without one or where nobody talks as if about a debt; `turns` are turns or
    pairs of role and text.
    """
    said = [_said(index, turn, call_date) for index, turn in enumerate(turns)]
    promise: Promise | None = None
    for turn in said:
        if turn.role in (Role.AGENT, Role.OTHER):
            continue
        if promise is not None and _RETRACT.search(turn.text):
            promise = None
        promise = _merged(promise, _promised(said, turn, promise, call_date))
    if promise is None or is_everyday(normal_text(tuple([turn.text for turn in said]))):
        return None
    promise = _accepted(said, promise)
    return replace(promise, repeated_back=_repeated_back(said, promise))


def _said(index: int, turn: Turn | tuple[str, str], call_date: date | None) -> _Said:
    if isinstance(turn, Turn):
        return _Said(index, turn.role, turn.text, call_date)
    role, text = turn
    return _Said(index, Role(role) if role in _ROLES else Role.UNKNOWN, text, call_date)


def _promised(said: list[_Said], turn: _Said, promise: Promise | None, call_date: date | None) -> Promise | None:
    """What this turn promises: by its own words, else as an answer, else by a yes to the agent's figures."""
    stated = _stated(turn, call_date)
    if stated is not None:
        return stated
    before = _agent_before(said, turn.index)
    if before is None:
        return None
    return (
        _answered(turn, before, call_date)
        or _assented(turn, before, promise, call_date)
        or _said_back(said, turn, call_date)
    )


def _agent_before(said: list[_Said], index: int) -> _Said | None:
    return said[index - 1] if index > 0 and said[index - 1].role in (Role.AGENT, Role.UNKNOWN) else None


def _clauses(turn: _Said) -> list[_Clause]:
    found = _CLAUSE.finditer(turn.text)
    return [_Clause(start=match.start(), end=match.end(), text=match[0], said=turn) for match in found]


def _stated(turn: _Said, call_date: date | None) -> Promise | None:
    if not _SPEAKS_OF_PAYING.search(turn.text):
        return _bare(turn, call_date)
    clauses = _clauses(turn)
    found: Promise | None = None
    for index, clause in enumerate(clauses):
        if _promises(clause, call_date) and not (found and _REST.match(clause.text)):
            found = _merged(found, _from_clause(turn, clauses, index, call_date))
    return found


def _bare(turn: _Said, call_date: date | None) -> Promise | None:
    """后天，一千七 or 最迟二十号: a day with a sum or a settling word and next to nothing else is an offer."""
    if len(turn.text) > _LONGEST_BARE or not turn.may_name_day:
        return None
    text = turn.text.strip("，,。！!；; \n")
    if not (turn.may_name_sum or _SETTLES.search(text)):
        return None
    if _NO.search(turn.text) or _DONE.search(turn.text) or _ASK.search(text) or _OTHERS.search(text):
        return None
    clause = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    amount = _first([clause.of(EntityKind.MONEY)])
    day = _first([_coming(clause, call_date)])
    if day is None or not ((amount and amount.value is not None) or _SETTLES.search(text)):
        return None
    named = [entity for entity in (day, amount) if entity]
    if len(turn.text) - sum(len(entity.text) for entity in named) > _BESIDE_BARE:
        return None
    span = min(entity.start for entity in named), max(entity.end for entity in named)
    return _promise(turn, span, (day, amount), Firmness.WEAK if _WEAK.search(text) else Firmness.FIRM, call_date)


def _promises(clause: _Clause, call_date: date | None) -> bool:
    text = clause.text.rstrip("，,。！!；; \n")
    if _OTHERS.search(text) or not (_PAY.search(_NOT_PAY.sub("", text)) or _implied(clause)):
        return False
    if _NO.search(_ASKED_ABILITY.sub("", text)):
        return False
    done = _DONE.search(text) and not _TO_BE_DONE.search(text)
    if _LONG_DONE.search(text) or (done and not _near(_coming(clause, call_date), call_date)):
        return False
    return not re.search(r"什么时候|多久|多少(?!还|都)|本来|是想还|为什么|为啥|凭啥|咋|干嘛|哪天|几号", text)


def _implied(clause: _Clause) -> bool:
    """争取月底前, or 明天早上行吗 after a word of paying: a day is named, paying is understood."""
    said = _EFFORT.search(clause.text) or _ASK.search(clause.text.rstrip("，,。 "))
    return bool(said and clause.of(EntityKind.DATE))


def _near(days: tuple[Entity, ...], call_date: date | None) -> bool:
    """十七号就转了 on the 19th tells of two days ago, not of next month."""
    if call_date is None:
        return bool(days)
    latest = (call_date + timedelta(days=20)).isoformat()
    return any(day.value is None or str(day.value) <= latest for day in days)


def _coming(clause: _Clause, call_date: date | None) -> tuple[Entity, ...]:
    """The days of a clause that are not past; without a call date all but 昨天, 上周 and the like."""
    days = clause.of(EntityKind.DATE)
    if call_date is None:
        return tuple(day for day in days if not re.match(r"昨|前天|大前天|上|去年", day.text))
    return tuple(day for day in days if day.value is None or str(day.value) >= call_date.isoformat())


def _from_clause(turn: _Said, clauses: list[_Clause], index: int, call_date: date | None) -> Promise | None:
    near = _context(clauses, index)
    day = _first([_coming(clause, call_date) for clause in near])
    amount = _first([clause.of(EntityKind.MONEY) for clause in near])
    text = clauses[index].text.rstrip("，,。！!；; \n")
    hints = (_SURE, _WEAK, _AT_ONCE, _INSTALMENTS)
    if day is None and amount is None and (_SOME_DAY.search(text) or not any(words.search(text) for words in hints)):
        return None
    following = clauses[index : index + 2]
    if len(following) > 1 and _REST.match(following[1].text):
        following = following[:1]  # 剩下的下个月行不行 asks about the rest alone
    elif len(clauses) <= 2:
        following = clauses
    whole = "".join(clause.text for clause in following)
    used = [clauses[index].start, clauses[index].start + len(text)]
    used += [place for entity in (day, amount) if entity for place in (entity.start, entity.end)]
    firmness = _firmness(text, whole, (day, amount), call_date)
    return _promise(turn, (min(used), max(used)), (day, amount), firmness, call_date)


def _context(clauses: list[_Clause], index: int) -> list[_Clause]:
    """The clause, then its neighbours in the same turn, as far as they deny nothing and speak of no rest."""
    near = [clauses[index]]
    for neighbour in (index - 1, index + 1, index - 2):
        if 0 <= neighbour < len(clauses):
            clause = clauses[neighbour]
            if not (_NO.search(clause.text) or _REST.match(clause.text) or _DONE.search(clause.text)):
                near.append(clause)
    return near


def _first(groups: list[tuple[Entity, ...]]) -> Entity | None:
    found = [entity for group in groups for entity in group]
    return next((entity for entity in found if entity.value is not None), found[0] if found else None)


def _firmness(text: str, whole: str, terms: _Terms, call_date: date | None) -> Firmness:
    day, amount = terms
    tail = whole.strip("，,。！!；; \n")
    if _ASKS_A_PLAN.search(whole):
        return Firmness.ASKED
    if _ASK.search(tail) and not _RESTATED.search(whole):
        settled = day is not None and amount is not None and _NODDED.search(tail) and not _PLEADS.search(whole)
        return Firmness.WEAK if settled else Firmness.ASKED
    detailed = day is not None or amount is not None or bool(_AT_ONCE.search(text))
    vague_day = day is not None and day.value is None and call_date is not None and amount is None
    if _WEAK.search(text) or not detailed or vague_day:
        return Firmness.WEAK
    return Firmness.FIRM


def _promise(turn: _Said, span: tuple[int, int], terms: _Terms, firmness: Firmness, call_date: date | None) -> Promise:
    start, end = span
    day, amount = terms
    value = amount.value if amount and isinstance(amount.value, Decimal) else None
    at_once = _AT_ONCE.search(turn.text, start, end) if day is None and call_date else None
    spoken_day = str(day.value) if day and day.value else call_date.isoformat() if at_once and call_date else None
    parts = _INSTALMENTS.search(turn.text)
    return Promise(
        turn=turn.index, start=start, end=end, text=turn.text[start:end], amount=value,
        amount_text=amount.text if amount else None, date=spoken_day,
        date_text=day.text if day else at_once[0] if at_once else None, firmness=firmness, repeated_back=False,
        instalments=small_number(parts[1]) if parts else None, confidence=_confidence(turn, day, amount),
    )  # fmt: skip


def _confidence(turn: _Said, day: Entity | None, amount: Entity | None) -> float:
    known = 1.0 if turn.role is Role.CUSTOMER else 0.5
    return round(known * min([0.95, *(entity.confidence for entity in (day, amount) if entity)]), 2)


def _answered(turn: _Said, before: _Said, call_date: date | None) -> Promise | None:
    """什么时候能还? 下周五吧: a bare day or sum answers a question about paying."""
    if len(turn.text) > _LONGEST_ANSWER or not turn.may_name_terms:
        return None
    asks = _ABOUT_PAYING.search(before.text) and _QUESTION_OF_PAY.search(before.text) and not _DONE.search(before.text)
    if not asks or _NO.search(turn.text) or _DONE.search(turn.text):
        return None
    clause = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    day, amount = _first([_coming(clause, call_date)]), _first([clause.of(EntityKind.MONEY)])
    if day is None and amount is None:
        return None
    places = [place for entity in (day, amount) if entity for place in (entity.start, entity.end)]
    text = turn.text.rstrip("吧。，,！! ")
    firmness = _firmness(text, text, (day, amount), call_date)
    return _promise(turn, (min(places), max(places)), (day, amount), firmness, call_date)


def _assented(turn: _Said, before: _Said, promise: Promise | None, call_date: date | None) -> Promise | None:
    """The customer's yes to the agent's figures."""
    hum = bool(_HUM.match(turn.text)) and bool(_PUTS_IT.search(before.text))
    if not (hum or _ASSENT.match(turn.text)) or _THINKS_OVER.search(turn.text) or not before.may_name_terms:
        return None
    if _NO.search(turn.text) or _ASK.search(turn.text.strip("。，, ")):
        return None
    day, amount = _proposal(before, call_date)
    if day is None and amount is None:
        return None
    weak = hum or bool(_WEAK.search(turn.text.rstrip("吧。，, ")))
    end = len(turn.text.rstrip("。，,！! \n"))
    agreed = _promise(turn, (0, end), (day, amount), Firmness.WEAK if weak else Firmness.FIRM, None)
    if promise is not None and _same(promise, agreed):
        firmer = promise.firmness is not Firmness.FIRM and not weak
        return replace(promise, firmness=Firmness.FIRM) if firmer else None
    return agreed


def _said_back(said: list[_Said], turn: _Said, call_date: date | None) -> Promise | None:
    """礼拜六，六百八 and the agent's 好，礼拜六六百八: who is not said back a sum and a day promised none."""
    after = said[turn.index + 1] if turn.index + 1 < len(said) else None
    if after is None or after.role is not Role.AGENT or not turn.may_name_terms:
        return None
    text = turn.text.strip("，,。！!；; \n")
    if _PLEADS.search(text) or _DONE.search(text) or _ASKS_A_PLAN.search(text) or _PUTS_IT.search(text):
        return None
    whole = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    reply = _Clause(start=0, end=min(len(after.text), _SAID_BACK_WITHIN), text=after.text, said=after)
    if _ERRAND.search(after.text[: reply.end]):
        return None
    day, amount = _first([_coming(whole, call_date)]), _first([whole.of(EntityKind.MONEY)])
    their_day, their_amount = _first([_coming(reply, call_date)]), _first([reply.of(EntityKind.MONEY)])
    if their_day is None or their_amount is None or not (_equal(day, their_day) or _equal(amount, their_amount)):
        return None
    named = [entity for entity in (day, amount) if entity]
    span = min(entity.start for entity in named), max(entity.end for entity in named)
    terms = (day if _equal(day, their_day) else their_day, amount or their_amount)
    return _promise(turn, span, terms, Firmness.FIRM, call_date)


def _equal(one: Entity | None, other: Entity) -> bool:
    return one is not None and (one.text == other.text or (one.value is not None and one.value == other.value))


def _proposal(before: _Said, call_date: date | None) -> _Terms:
    """Day and sum that the agent proposed; what follows 不然 or tells of the debt is none."""
    day: Entity | None = None
    amount: Entity | None = None
    if not _ABOUT_PAYING.search(_NOT_PAY.sub("", before.text)):
        return None, None
    if _ERRAND.search(before.text) and not _PAYS_THEN.search(before.text):
        return None, None
    for clause in _clauses(before):
        if _AGENT_THREAT.search(clause.text) or _DEBT.search(clause.text):
            continue
        day = day or _first([_coming(clause, call_date)])
        amount = amount or _first([clause.of(EntityKind.MONEY)])
    return day, amount


def _same(old: Promise, new: Promise) -> bool:
    """The agent's figures are those already promised (or fewer)."""
    return (new.date is None or new.date == old.date) and (new.amount is None or new.amount == old.amount)


def _details(promise: Promise) -> tuple[bool, int]:
    named = (promise.amount_text is not None) + (promise.date_text is not None)
    return promise.firmness is not Firmness.ASKED or named == 2, named


def _merged(old: Promise | None, new: Promise | None) -> Promise | None:
    """The later promise unless it says less; what it leaves open it takes from the earlier one."""
    if old is None or new is None:
        return new or old
    if new.firmness is Firmness.ASKED and old.firmness is not Firmness.ASKED:
        return old
    if new.amount_text is None and new.date_text is None:
        return old
    complements = new.amount_text is None or new.date_text is None
    if not complements or (new.turn == old.turn and _details(new) < _details(old)):
        return new if not complements else old
    still_weak = old.firmness is Firmness.WEAK and new.firmness is Firmness.FIRM and new.date_text is None
    firmness = old.firmness if still_weak else new.firmness
    return replace(
        new, firmness=firmness, instalments=new.instalments or old.instalments,
        amount=new.amount if new.amount_text else old.amount, amount_text=new.amount_text or old.amount_text,
        date=new.date if new.date_text else old.date, date_text=new.date_text or old.date_text,
    )  # fmt: skip


def _accepted(said: list[_Said], promise: Promise) -> Promise:
    """An asked-for arrangement becomes firm when the agent accepts it and the customer says yes to that."""
    following = said[promise.turn + 1 : promise.turn + 3]
    if promise.firmness is not Firmness.ASKED or len(following) < 2:
        return promise
    agent, customer = following
    accepted = agent.role is Role.AGENT and _ACCEPT.match(agent.text) and not re.search(r"不行|不能|不可以", agent.text)
    if accepted and customer.role is Role.CUSTOMER and _ASSENT.match(customer.text):
        return replace(promise, firmness=Firmness.FIRM)
    return promise


def _repeated_back(said: list[_Said], promise: Promise) -> bool:
    if promise.amount_text is None and promise.date_text is None:
        return False
    later = [turn for turn in said[promise.turn + 1 :] if turn.role is Role.AGENT]
    return _names(later, EntityKind.MONEY, promise.amount, promise.amount_text) and _names(
        later, EntityKind.DATE, promise.date, promise.date_text
    )


def _names(said: list[_Said], kind: EntityKind, value: Decimal | str | None, text: str | None) -> bool:
    """Whether `text` was said again, by its value or, where it has none, by its words."""
    if text is None:
        return True
    return any(
        entity.kind is kind and ((value is not None and entity.value == value) or entity.text.startswith(text[:2]))
        for turn in said
        if turn.may_name(kind)
        for entity in turn.entities
    )
