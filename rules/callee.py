"""Who is on the line: from the call record where it says, else from what the two say to each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transcribe.model import Role

if TYPE_CHECKING:
    from rules.call import Call

_KIN = (
    "爸爸?|妈妈?|父亲|母亲|老爸|老妈|爹|娘|姐姐?|哥哥?|弟弟?|妹妹?|姐夫|嫂子?|老婆|老公|爱人|媳妇|妻子|丈夫|对象|女朋友|男朋友|前妻|前夫|"
    "儿子|女儿|闺女|叔叔?|婶婶?|舅舅?|舅妈|姑姑?|姑父|姨妈?|伯父|伯母|爷爷|奶奶|外公|外婆|公公|婆婆|岳父|岳母|丈母娘|亲戚|家里?人|家属|"
    "表哥|表姐|表弟|表妹|堂哥|堂姐|堂弟|堂妹|侄子|外甥|二姨|大姨|大伯|二叔"
)
_OTHERS = (
    "同事|领导|老板|主管|经理|朋友|同学|室友|舍友|邻居|房东|店长|班长|老师|辅导员|导师|老乡|战友|合伙人|人事|会计|前台|保安|门卫|单位的?|公司的?|房客"
)
_SELF = re.compile(
    r"我就是(?!说|想|不|没|他|她|这|那|觉得)|(?:我是|是我)本人|^(?:对|嗯|哎|啊|是|喂)*(?:我是|是我|就是我|是本人)(?:的|啊|呀|吧|，|。|$)|"
    r"我(?:这个月|最近|现在)?(?:真的|实在|确实)?(?:没钱|还不起|失业|会还|一定还|肯定还|先还|明天还|月底还|还不上)|"
    r"我(?:欠|借)(?:的|了)|我(?:下|这)?(?:周|个月|月).{0,6}还"
)
_CONTACT = re.compile(
    rf"我(?:就)?是(?:他|她|[\u4e00-\u9fff]{{2,3}})的?(?:{_KIN}|{_OTHERS})|(?:他|她|[\u4e00-\u9fff]{{2,3}})是我(?:的|们)?(?:{_KIN}|{_OTHERS})|"
    r"(?:他|她)(?:人)?(?:现在)?(?:不在|出去|上班去|去上班|没在|在外地|出差|离职|辞职|走了|早就?(?:不|没)|去世|住院)|"
    rf"你(?:们)?找(?:他|她|我(?:{_KIN}))|我(?:帮|替)(?:他|她)转|我转告|转告(?:他|她)|我不是(?:他|她)(?!们)|(?:他|她)欠(?:的)?钱|(?:他|她)(?:自己)?的(?:事|账|债)"
)
_UNRELATED = re.compile(
    r"打错|找错人|不认识|没听说过|不是本人|我不是(?:你(?:要)?找|张|王|李|刘|陈|杨|赵|黄|周|吴|什么)|不是我(?:本人|的号)|这(?:个)?(?:号码?|号)(?:我)?(?:是)?(?:刚|新|才)(?:办|买|换)|换(?:过)?(?:主人|机主)"
)
_ASKED_SELF = re.compile(r"本人(?:吗|是吧|对吧|吧|？|$)|(?:请问|您)是.{1,8}(?:先生|女士|小姐|本人|吗)")
_AGREED = re.compile(r"^(?:喂|啊|哎|嗯|唉)*(?:对|是的?|是我|我是|嗯|没错|就是|在的|我就是)")
_ASKED_KIN = re.compile(rf"(?:您|你)是(?:他|她|[\u4e00-\u9fff]{{2,4}})的?(?:{_KIN}|{_OTHERS})")
_SPOKEN_TO_KIN = re.compile(rf"(?:您|你)(?:的)?(?:{_KIN}|{_OTHERS}).{{0,10}}(?:在我们|在我行|欠|逾期|借了|贷了)|(?:麻烦|请)(?:您|你)?.{{0,6}}(?:转告|通知|转达|带个话)")


@dataclass(frozen=True, slots=True)
class RelationFound:
    """`value` as in the call record; `doubt` says that it was inferred; `because` is for the reader."""

    value: str
    because: str
    doubt: str = ""


def relation_of(call: Call) -> RelationFound:
    """The callee's relation to the debtor; `unknown` where neither record nor words tell."""
    recorded = call.facts.callee_relation
    if recorded and recorded != "unknown":
        return RelationFound(recorded, f"通话记录写明为 {recorded}")
    return _inferred(call)


def _inferred(call: Call) -> RelationFound:
    asked_self = asked_kin = False
    for turn, role in enumerate(call.roles):
        words = call.normal.turn_text(turn)
        if role is Role.AGENT:
            asked_self, asked_kin = bool(_ASKED_SELF.search(words)), bool(_ASKED_KIN.search(words))
            continue
        if role is not Role.CUSTOMER:
            continue
        if found := _CONTACT.search(words):
            return RelationFound("contact", f"对方说“{found.group()}”")
        if found := _UNRELATED.search(words):
            return RelationFound("unrelated", f"对方说“{found.group()}”")
        if asked_kin and _AGREED.search(words):
            return RelationFound("contact", "对方承认是联系人")
        if (asked_self and _AGREED.search(words)) or _SELF.search(words):
            return RelationFound("self", "对方确认是本人")
    return _by_address(call)


def _by_address(call: Call) -> RelationFound:
    """Nobody said who they are: an agent who asks to pass a message on speaks to somebody else."""
    for turn, role in enumerate(call.roles):
        if role is Role.AGENT and (found := _SPOKEN_TO_KIN.search(call.normal.turn_text(turn))):
            return RelationFound("contact", f"坐席说“{found.group()}”", "接听人不是由通话记录确认的")
    return RelationFound("unknown", "未知", "接听人身份未知")
