"""Why words that match may say the opposite: negation, reported speech, warnings, questions.

All of it is about the surroundings of a hit in normalised text. What is found here takes a hit away; it is the
same for all rules, so that 'we will not call your family' is understood once and not in every rule.
"""

from __future__ import annotations

import re

from rules.model import Guard
from rules.prefilter import gate
from rules.text import NormalText

_REACH = 12  # characters that a negation reaches forward, a pause ends it
_REACH_BACK = 24  # … and back from what follows a hit
_REPORT_REACH = 26  # 您上次投诉说我们有位同事扬言要…

# Modal negations only: 你再不还就…, 没钱, 不接电话 are what a debtor does, no negation of what follows.
_NEGATION = re.compile(
    r"(?<![你您要])"
    r"(?<!能(?=不能))(?<!会(?=不会))(?<!可(?=不可以))(?<!敢(?=不敢))(?<!该(?=不该))(?<!用(?=不用))(?:"  # 能不能 asks
    r"(?:绝对|肯定|从来|一定|根本|也|都|并|永远|更|可)?不会(?!不|想|希望|愿意|以为|觉得|善罢|放过|跟你客气|手软|停|罢)"
    r"|不可能(?!不)|不能(?!不|再|让你)|不得(?!不)|不许|不准|不允许|不应该|不应(?!不)|从不|从来不|从来没有?|从未|从没"
    r"|绝不(?!会放|放|手软|罢)|决不(?!放|罢)|严禁|禁止|不可以(?!不|再)|不用(?!说)|不必|无权|没有权|没权|没资格|并非|不代表|不存在|不至于"
    r"|没有?(?=法院|法律|人|说|讲|要|想|在|让|打|联系|给[您你他]|去|跟|把|安排|打算|任何|通知|告诉|透露|泄露|威胁|骂|派|叫人|找人|带人|上门|动手|对[您你]|吓|逼|看不起|瞧不起|笑话|侮辱|冒犯|嫌)"
    r"|不是(?!不|跟你|和你|开玩笑|吓唬|闹着玩|没|想|要吗|吗|嘛)|(?<!以为我)(?<!以为我们)(?<!当我)不敢|不该|杜绝|请勿|切勿|千万别|千万不要|请不要|不要(?=相信|听信|轻信|理)"
    r"|(?<![要想让叫求果])我们?(?:这边|也|都|是|一般|平时|并)?不(?=联系|通知|告诉|透露|公开|惊动|打扰)"
    r"|(?:未|无)(?=发生|采取|收取|要求)|不(?=收|涉及|向|要求|支持|提倡|建议|鼓励|主张|威胁|骂|上门|泄露|透露|对外|跟别人)"
    r")"
)
_YOUR_PROSPECT = re.compile(
    r"[您你](?:这边|放心)?(?:绝对|肯定|也|是|并|就)?(?:不会|不用|不至于|不可能)(?!不|想|希望|愿意|以为|觉得|希望看)"
)
_NEGATED_AFTER = re.compile(
    r"^(?:了|的|啥的|之类的?|什么的)?(?:这种|这样|这些|那种|那样)?(?:的)?(?:事情?|行为|做法|情况|话|方式|手段|说法)?(?:呢)?"
    r"(?:我们|我|咱们|公司|银行|这边)?(?:这边|公司|平台)?(?:也|都|是|可|就)?(?:绝对|肯定|从来|一律|坚决)?(?:都)?"
    r"(?:不会(?:做|干|有|的|发生|出现)|不允许|不可能的|不能(?:做|干|说|有)|没有的事|不存在|严禁|禁止|不合规|违规|违法|是违规|是违法|不对的|从来没)"
    r"|^[^。？]{0,4}(?:没(?:有|得)?(?:什么|啥|半点|一点|任何)?(?:关系|关联|干系)|无关|不沾边|沾不上边|挨不着边?|扯不上|不搭界|两码事|两回事|不是一回事)"
)
_REPORTED = re.compile(
    r"(?:(?<![跟和对给同])(?:您|你|客户|客人|有人|别人|人家|网上|骗子|那个人|那个女的|那个男的|别的(?:平台|公司)|其他(?:平台|公司)|对方|之前的同事|"
    r"前面(?:的|那个)?(?:同事|人)|上一个(?:同事|人)|上次那个?(?:人|同事)?|我听说|新闻里?|电视里?)"
    r"(?:(?:刚才|刚刚|上次|之前|前面|昨天|前几天|那天|电话里|老是|是|也|就|都|一直|有|曾经|可能|如果|要|投诉里?|来电|这边|们|担心|怀疑|觉得|问){0,4}"
    r"(?:说|讲|反映|反馈|投诉(?=说|的|里|过|称|中)|提到|提过|声称|自称|冒充|打电话|发短信|威胁|骂|举报(?=说|的|里|过|称|中)|描述|所说|转述|留言)|(?:担心|怀疑|(?<=是不是)怕)))"
    r"(?:的|过|了|是|我们|我|他|她|那位|有位?|同事|催收员?|的人|要|会|您|你|这边|那边|什么|这种|那种|话|一个|有人|公司|扬言)*"
)
_RECOUNTED = re.compile(r"复述|(?:反映|反馈|投诉|举报)的(?:是|情况|内容|问题|事)?")
_ADVICE_ASKED = re.compile(r"你(?:就)?说(?:说|吧|我|呢|要不要|该不该)|你说(?!的|过|了|我们)")
_WARNING = re.compile(
    r"(?:谨防|当心|小心|警惕|注意防范|防止|请不要|请勿|切勿|千万别|千万不要|不要相信|别相信|别信|不要听信|不要轻信|"
    r"(?:如果|要是|若|假如|假设|凡是|任何|万一|一旦)(?:您|你)?(?:有|接到|遇到|碰到|收到|发现|任何|别|其他)?(?:什么)?(?:人|员工|同事|电话|短信|自称|工作人员|催收员?|方式)?"
    r"(?:跟您|跟你|向您|给您|让您|叫您|要求您|打着|以|自称|冒充|说是|说))"
)
_WARNING_AFTER = re.compile(
    r"诈骗|骗子|不要相信|别相信|别信|假的|及时报警|立即报警|可以报警|请报警|可以投诉|请投诉|可以举报|不要理|别理|不是我们|核实|谨防|上当"
)
_WARNING_BEFORE = re.compile(
    r"谨防|当心|小心|警惕|防范|防止|请不要|请勿|切勿|千万别|千万不要|不要相信|别相信|别信|不要听信|不要轻信"
)
_ASKING = re.compile(
    r"有没有(?:人|谁|哪个|催收|我们|同事)|是不是有(?:人|谁)|有人(?:跟|对|向|给|让|要求)?[您你].{0,14}(?:吗|没有|过吗)|是谁(?:说|讲|让|给|告诉|威胁|骂|打|跟|对|联系|要)|哪个(?:人|同事|工号).{0,6}(?:说|跟|对)|谁(?!让[你您](?:欠|借|不还|逾期|拖|没))(?:跟|对|让|给|告诉|威胁|骂)[您你]"
)

_MAY_NEGATE = gate(_NEGATION.pattern, _YOUR_PROSPECT.pattern)
_MAY_NEGATE_AFTER = gate(_NEGATED_AFTER.pattern)
_MAY_REPORT = gate(_REPORTED.pattern, _RECOUNTED.pattern)
_MAY_WARN = gate(_WARNING.pattern, _WARNING_BEFORE.pattern)
_MAY_ASK = gate(_ASKING.pattern)

DEFAULT_GUARDS = (Guard.NEGATION, Guard.REPORTED, Guard.WARNING, Guard.QUESTION)


def guard_of(text: NormalText, start: int, end: int, guards: tuple[Guard, ...]) -> Guard | None:
    """The first of `guards` that turns the hit at [start, end) into its opposite, or None."""
    return next((guard for guard in guards if _CHECKS[guard](text, start, end)), None)


def _negated(text: NormalText, start: int, end: int) -> bool:
    if _MAY_NEGATE.search(text.text, max(0, start - _REACH), end) and _negated_before(text, start, end):
        return True
    if not _MAY_NEGATE_AFTER.search(text.text, end, end + _REACH_BACK):
        return False
    _, sentence_end = text.sentence(start, end)
    return bool(_NEGATED_AFTER.search(text.text[end : min(end + _REACH_BACK, sentence_end)]))


def _negated_before(text: NormalText, start: int, end: int) -> bool:
    clause_start, _ = text.clause(start, end)
    low = max(clause_start, start - _REACH)
    # searched beyond the start: a hit may begin with the 会 of 不会, or with the word that 没 looks for
    negations = (found for found in _NEGATION.finditer(text.text, low, end) if found.start() < start)
    if any(_reaches(text.text[found.end() : start]) for found in negations):
        return True
    return bool(_YOUR_PROSPECT.search(text.text[low:start]))


def _reaches(between: str) -> bool:
    """Whether a negation still governs what follows `between`: not past a turn such as 而是, 但, 否则."""
    return not re.search(r"而是|但|不过|只是|否则|不然|除非|可是", between)


def _reported(text: NormalText, start: int, end: int) -> bool:
    if not _MAY_REPORT.search(text.text, max(0, start - _REPORT_REACH), start):
        return False
    low, _ = text.sentence(start, end)
    before = text.text[max(low, start - _REPORT_REACH) : start]
    found = [match for match in _REPORTED.finditer(before) if len(before) - match.end() <= 8]
    return bool(found or _RECOUNTED.search(before)) and not _ADVICE_ASKED.search(before)


def _warned(text: NormalText, start: int, end: int) -> bool:
    if not _MAY_WARN.search(text.text, max(0, start - 24), start):
        return False
    low, high = text.sentence(start, end)
    before = text.text[max(low, start - 24) : start]
    if _WARNING_BEFORE.search(before[-18:]):
        return True
    turn_end = text.ends[text.turn_at(start)]
    return bool(_WARNING.search(before)) and bool(
        _WARNING_AFTER.search(text.text[end : min(end + 40, turn_end, max(high, end) + 40)])
    )


def _asked(text: NormalText, start: int, end: int) -> bool:
    if not _MAY_ASK.search(text.text, max(0, start - 16), end + 6):
        return False
    low, high = text.sentence(start, end)
    return bool(_ASKING.search(text.text[max(low, start - 16) : min(high, end + 6)]))


_CHECKS = {
    Guard.NEGATION: _negated,
    Guard.REPORTED: _reported,
    Guard.WARNING: _warned,
    Guard.QUESTION: _asked,
}
