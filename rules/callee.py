"""Who is on the line: from the call record where it says, else from what the two say to each other.

Each turn may hold evidence. The customer's own word weighs most, then what he lets stand when the agent asks, then
how the agent speaks to him; a mere yes to a name weighs least, since contacts too are asked for by their name.

Few say who they are: so a table (callee.npz, learned by benchmarks/callee.py from the corpus's open half) tells by all
words of both how much a call sounds as if somebody else than a debtor answered. It finds whom no evidence shows, also
on the debtor's own telephone, and contradicts evidence; what it finds alone is in doubt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rules.grams import CHARACTERS
from rules.text import TURN_END, NormalText
from transcribe.log_odds import pieces, read_log_odds
from transcribe.model import Role

if TYPE_CHECKING:
    from rules.call import Call

CALLEE = Path(__file__).with_name("callee.npz")

# Log odds of somebody else than a debtor. On files that were held out, above the first lie 35 of 68 such calls in which
# nothing else tells and 1 of 375 of debtors; below the last 3 of 81 that words take for somebody else's, and 19 of 21
# of debtors that they do. A record that names the debtor is contradicted only by what is plain: 11 of 15, 2 of 477.
_SOMEBODY_ELSE, _PLAINLY, _DEBTOR = 3.0, 5.0, -2.0
_FIRST = 6  # turns of a call that count twice where the customer speaks

_KIN = (
    "爸爸?|妈妈?|父亲|母亲|老爸|老妈|爹|娘|姐姐?|哥哥?|亲哥|亲姐|亲弟|亲妹|弟弟?|妹妹?|妹子|家姐|姐夫|妹夫|嫂子?|老婆|老公|爱人|媳妇|妻子|"
    "丈夫|男人|婆娘|婆姨|堂客|对象|女朋友|男朋友|前妻|前夫|儿子|女儿|闺女|崽|孙子|叔叔?|婶婶?|二?舅舅?|舅妈|姑姑?|姑父|姨妈?|二姨|大姨|大伯|"
    "二叔|伯父|伯母|爷爷|奶奶|外公|外婆|公公|婆婆|岳父|岳母|丈母娘|亲戚|家里?人|家属|侄子|侄儿|外甥|表哥|表姐|表弟|表妹|堂哥|堂姐|堂弟|堂妹|"
    "兄弟|老汉儿?|保姆"
)
_OTHERS = (
    "同事|领导|老板|主管|经理|朋友|同学|室友|舍友|邻居|房东|店长|班长|班主任|老师|中学老师|辅导员|导师|老乡|战友|合伙人|人事|会计|前台|保安|门卫|房客|"
    "工友|徒弟|师傅|闺蜜|哥们儿?|发小|联系人|紧急联系人"
)
_RELATED = f"(?:{_KIN}|{_OTHERS})"
_HIM = "(?:他|她|佢|伊|人家|孩子|小[\u4e00-\u9fff])"

# The customer's words
_SAYS_RELATED = re.compile(
    rf"(?:我|俺|阿拉|我们|咱)(?:就|只|也|可)?(?:是|系){_HIM}(?:的|家)?(?:亲)?{_RELATED}|(?:我|俺)(?:就|只)是(?:个|一个)?(?:紧急)?联系人|我{_HIM}(?:的)?(?:{_KIN})|(?:我|俺)(?:就|只)?是(?:个)?(?:保安|门卫|前台|房东|班主任|保姆)|"
    rf"(?<!不)(?:他|她|佢)是(?:我|俺)(?:们)?(?:的)?(?:男人|{_RELATED})|(?:我|俺)不是(?:他|她)(?!们)|不是(?:他|她)(?:本人)|"
    rf"(?:我|俺)(?:不是|是)[\u4e00-\u9fff]{{2,3}}(?:的)(?:{_KIN}|{_OTHERS})"
)
_SPEAKS_OF_HIM = re.compile(
    rf"(?:^|。|？|喂|啊|哦){_HIM}(?:人)?(?:现在|上个月|早就?|去年|前阵子|都)?(?:不在|出去|上班去|去上班|在外地|出差|离职|辞职|走了|去世|住院|没在|在车间|不住)|"
    rf"(?:你们?|恁)(?:直接|自己|去)?(?:找|打给|打|跟){_HIM}(?:本人|自己|去|啊|呀|吧|说|要|讲|$|。|？)|(?:我|俺)(?:会)?(?:帮|替){_HIM}转|(?:我)?(?:会)?转告{_HIM}|"
    rf"{_HIM}(?:是不是)?(?:又)?(?:在外[面头])?(?:欠|借)(?:了|的|你|多少|好多|钱)|{_HIM}(?:自己)?的(?:事|账|债)|(?:跟|和){_HIM}(?:不熟|没联系|分手|离婚|早就|好久)|"
    rf"{_HIM}(?:怎么|咋)(?:了|啦)|{_HIM}没(?:跟|和)我(?:说|讲)|联系不(?:上|到){_HIM}"
)
_STRANGER = re.compile(
    r"打错(?:了|电话|号|人|啦|$)|找错人|(?:根本|压根|我|都)?不认(?:识|得)|没听说过|不是本人|我不是(?:你(?:要)?找|[张王李刘陈杨赵黄周吴徐孙马朱胡林郭何高罗]|什么|机主)|不是我(?:本人|的号)|"
    r"(?:号码?|号|卡|number)(?:我)?(?:是)?(?:上个月|刚|新|才|去年|转)(?:[^。？]{0,3})(?:办|买|换|转|用)|转咗手|换(?:过)?(?:主人|机主)|我们?这(?:里|儿)?是(?:单位|学校|公司|店|饭店|厂)"
)
_SAYS_SELF = re.compile(
    r"(?:我是|是我)本人|我就是本人|本人(?:在|就是我)|我就是(?!说|想|不|没|他|她|这|那|觉得|个|来|问)|"
    r"我(?:这个月|最近|现在|目前)?(?:真的|实在|确实|暂时)?(?:没钱(?!给他|借)|还不起|失业|还不上|周转不)|我(?:会|一定|肯定|先|明天|月底|下周|发了工资)(?:就|再)?(?:还|存|转)|"
    r"我(?:欠|借)(?:的|了)(?:多少|你们|钱|那)|我(?:那|这)(?:笔|张|个)(?:贷款|卡|钱|账|车贷)|我(?:下|这)?(?:周|个月|月).{0,6}还"
)
_ADMITS = re.compile(r"算了(?:是我|我就是|就是我)|^(?:我就是|是我)本人")
_SAID_BY_CUSTOMER = (
    ("admits", _ADMITS), ("says_related", _SAYS_RELATED), ("stranger", _STRANGER), ("speaks_of_him", _SPEAKS_OF_HIM),
    ("says_self", _SAYS_SELF),
)  # fmt: skip
_YES = re.compile(r"^(?:喂|啊|哎|嗯|唉|哦)*(?:对|是的?|是我|系|我是|我就是|没错|就是|在的|准时|晓得|知道)")
_NO = re.compile(r"^(?:喂|啊|哎|嗯|唉|哦)*(?:不是|不对|没有|打错|谁)")

# The agent's words
_ASKS_SELF = re.compile(
    r"本人(?:吗|是吧|对吧|吧|？|$)|(?:请问|您|你)是[^。？]{1,8}(?:先生|女士|小姐|吗)|身份证(?:号)?(?:的)?后[四4六6]位"
)
_ASKS_RELATED = re.compile(
    rf"(?:您|你)(?:就)?是(?:他|她|[\u4e00-\u9fff]{{2,4}})的?(?:亲)?{_RELATED}|(?:您|你)认识[^。？]{{2,10}}(?:吗|不|么|先生|女士)|"
    r"(?:您|你)(?:跟|和|同)[^。？]{2,8}(?:是|一个|合租|一起)(?:[^。？]{0,4})(?:朋友|同事|亲戚|班组|户口本|同学|合租|的)|"
    r"^(?:您好)?(?:房东|门卫|保安|前台|班主任)(?:师傅)?(?:您好|你好|是吧|是吗)|是(?:hr|人事|前台)(?:吧|吗)|的(?:邻居|房东|老师|领导)吧"
)
_ADDRESSES_RELATED = re.compile(
    rf"(?:您|你)(?:的|那个|家|班上|单位|公司|们|这儿|这里)?(?:的)?(?:有位|有个)?(?:{_KIN}|同事|员工|学生|朋友|租户|租客)[^。？]{{0,12}}"
    r"(?:在我们|在我行|欠|逾期|借了|贷了|没还)|(?:您|你)班上|(?:转告|转达|带个话|捎个话|捎句话)(?:一下)?(?:他|她|[\u4e00-\u9fff]{2,3}(?:先生|女士))|"
    r"(?:让|叫|请)(?:他|她)(?:本人)?(?:给我们)?(?:回个?电|联系我们)|联系(?:得|不)?(?:上|到)(?:他|她|[\u4e00-\u9fff]{2,3}(?:先生|女士))|"
    r"(?:留|填|写|登记)(?:了|的|咗)?(?:是)?(?:您|你)(?:的)?(?:电话|号码|做|当|作|为|联系人|紧急联系人)|(?:您|你)是(?:他|她)(?:的)?(?:紧急)?联系人"
)
_GUARANTOR = re.compile(
    r"(?:您|你)(?:是|作为)(?:[^。？]{0,6})(?:担保人|保证人)|(?:您|你)(?:[^。？]{0,12})(?:签(?:过|了|的)(?:[^。？]{0,6})(?:担保|保证)|做(?:的)?保)|保证人也有|连带保证"
)
_CO_OBLIGOR = re.compile(
    r"共同借款人|共同还款人|共借人|(?:您|你)(?:也)?在合同上(?:也)?签|(?:您|你)跟[^。？]{1,8}(?:一起|共同)(?:申请|借|签)|两个人都签"
)
_NAMED_FALSELY = re.compile(r"填(?:了|的)?(?:您|你)|留(?:了|的)?(?:您|你)|就是担保|等于担保|按担保人")

# Evidence, strongest first; the first kind that occurs decides.
_RANKS = (
    "admits", "says_related", "guarantor", "co_obligor", "stranger", "speaks_of_him", "asked_related", "says_self",
    "addressed", "asked_self",
)  # fmt: skip
_VALUE = {
    "says_related": "contact", "speaks_of_him": "contact", "asked_related": "contact", "addressed": "contact",
    "guarantor": "guarantor", "co_obligor": "co_obligor", "stranger": "unrelated",
    "admits": "self", "says_self": "self", "asked_self": "self",
}  # fmt: skip
_OUTSIDERS = ("contact", "unrelated")
_RECORDED = {
    "self": "本人", "guarantor": "担保人", "co_obligor": "共同债务人", "spouse_joint_debt": "配偶（共同债务）",
    "contact": "联系人", "unrelated": "无关第三人",
}  # fmt: skip
_BY_AGENT = "坐席说“{}”"
_BECAUSE = {
    "asked_related": "对方没有否认“{}”", "addressed": _BY_AGENT, "guarantor": _BY_AGENT, "co_obligor": _BY_AGENT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RelationFound:
    """`value` as in the call record; `doubt` says that it was inferred; `because` is for the reader."""

    value: str
    because: str
    doubt: str = ""


_UNKNOWN = RelationFound("unknown", "未知", "接听人身份未知")
_HEARD = "接听人是谁，是从整通电话的话里听出来的"


def relation_of(call: Call) -> RelationFound:
    """The callee's relation to the debtor; `unknown` where neither record nor words tell."""
    recorded = call.facts.callee_relation
    if not recorded or recorded == "unknown":
        return _inferred(call)
    if recorded == "self" and _odds(call) > (0 if _told(call).value in _OUTSIDERS else _PLAINLY):
        return RelationFound("contact", "通话记录写明为本人，但听起来是别人接的", _HEARD)
    return RelationFound(recorded, f"通话记录写明为{_RECORDED[recorded]}")


def call_pieces(normal: NormalText, roles: Sequence[Role]) -> set[str]:
    """The pieces of what is said, each marked with its speaker; twice those of the customer's first answers."""
    turns = {role: [n for n, speaker in enumerate(roles) if speaker is role] for role in (Role.AGENT, Role.CUSTOMER)}
    at_first = [n for n in turns[Role.CUSTOMER] if n < _FIRST]
    found: set[str] = set()
    for mark, spoken in (("a", turns[Role.AGENT]), ("c", turns[Role.CUSTOMER]), ("C", at_first)):
        found.update(map(mark.__add__, pieces(TURN_END.join([normal.turn_text(n)[:CHARACTERS] for n in spoken]))))
    return found


def _odds(call: Call) -> float:
    return read_log_odds(CALLEE).of_pieces(call_pieces(call.normal, call.roles))


def _inferred(call: Call) -> RelationFound:
    told, odds = _told(call), _odds(call)
    if odds > {"unknown": _SOMEBODY_ELSE, "self": _PLAINLY}.get(told.value, math.inf):
        return RelationFound("contact", "听起来接电话的不是债务人", _HEARD)
    if told.value in _OUTSIDERS and odds < _DEBTOR:
        return _UNKNOWN
    return told


def _told(call: Call) -> RelationFound:
    """Who is on the line by what one of them says."""
    found: dict[str, str] = {}
    for kind, words in _evidence(call):
        found.setdefault(kind, words)
    for kind in _RANKS:
        if kind in found:
            because = _BECAUSE.get(kind, "对方说“{}”").format(found[kind])
            doubt = "接听人不是由通话记录确认的" if kind == "addressed" else ""
            return RelationFound(_VALUE[kind], because, doubt)
    return _UNKNOWN


def _evidence(call: Call) -> Iterator[tuple[str, str]]:
    """(kind, words) for whatever tells who is on the line, in the order of the call."""
    asked: list[tuple[str, str]] = []
    for turn, role in enumerate(call.roles):
        words = call.normal.turn_text(turn)
        if role is Role.AGENT:
            yield from _agent_evidence(words)
            asked = [(kind, hit.group()) for kind, hit in _questions(words) if hit]
        elif role is Role.CUSTOMER:
            yield from _customer_evidence(words)
            if asked and not _NO.search(words):
                yield from ((kind, hit) for kind, hit in asked if kind == "asked_related" or _YES.search(words))
            asked = []


def _questions(words: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    yield "asked_related", _ASKS_RELATED.search(words)
    yield "asked_self", _ASKS_SELF.search(words)


def _agent_evidence(words: str) -> Iterator[tuple[str, str]]:
    if (hit := _GUARANTOR.search(words)) and not _NAMED_FALSELY.search(words):
        yield "guarantor", hit.group()
    if hit := _CO_OBLIGOR.search(words):
        yield "co_obligor", hit.group()
    if hit := _ADDRESSES_RELATED.search(words):
        yield "addressed", hit.group()


def _customer_evidence(words: str) -> Iterator[tuple[str, str]]:
    for kind, expression in _SAID_BY_CUSTOMER:
        if hit := expression.search(words):
            yield kind, hit.group()
