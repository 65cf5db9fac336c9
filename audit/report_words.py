"""Every word that a report prints by itself, Chinese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from audit.complaint_clock import BEIJING
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CAUSES, CHANNELS
from audit.score import PASS_MARK, POINTS
from rules.model import FOUND, Severity

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("催收通话合规审计报告", "Collection call compliance audit"),
    "period": ("审计期间", "Period"),
    "to": (" 至 ", " to "),
    "whole_period": ("未注明日期", "no dates known"),
    "store": ("数据库", "Store"),
    "ruleset": ("规则包", "Rule pack"),
    "digest": ("摘要", "digest"),
    "ruleset_digest": ("规则包摘要", "Rule pack digest"),
    "engine": ("识别引擎", "Recogniser"),
    "model": ("模型", "model"),
    "tool": ("工具", "Tool"),
    "audited_at": ("审计完成", "Audited"),
    "beijing": ("北京时间", "UTC+8"),
    "at_beijing": ("{what}（北京时间）", "{what} (UTC+8)"),
    "nav": ("目录", "Contents"),
    "summary": ("概览", "Summary"),
    "findings": ("问题明细", "Findings"),
    "calls_sheet": ("通话", "Calls"),
    "flagged": ("问题通话", "Flagged calls"),
    "index": ("问题通话一览", "Flagged calls at a glance"),
    "failures": ("失败", "Failures"),
    "failures_title": ("未能审计的录音", "Recordings that could not be audited"),
    "method": ("口径说明", "How this was counted"),
    "by_collector": ("催收员", "Collectors"),
    "by_team": ("小组", "Teams"),
    "by_rule": ("规则", "Rules"),
    "calls": ("通话", "Calls"),
    "in_calls": ("涉及 {n} 通", "in {n} calls"),
    "see_list": ("查看清单", "see the list"),
    "audio": ("录音时长", "Audio"),
    "hours_unit": ("小时", "h"),
    "violations": ("机器判定", "By machine"),
    "unsure": ("存疑", "Unsure"),
    "share": ("机器判定有违规的通话", "Calls the machine faults"),
    "interval": ("95% 置信区间", "95% interval"),
    "duties": ("规定动作完成率", "Duties kept"),
    "duties_short": ("规定动作", "Duties"),
    "not_counted": ("不计入违规", "not counted as violations"),
    "no_sample": ("无样本", "no sample"),
    "severity": ("级别", "Severity"),
    "category": ("类别", "Category"),
    "calls_with": ("涉及通话", "In calls"),
    "verdicts": ("结论", "Verdicts"),
    "verdict": ("结论", "Verdict"),
    "signals": ("客户信号", "Customer signals"),
    "signal": ("客户信号", "Customer signal"),
    "name": ("姓名", "Name"),
    "agent_id": ("工号", "ID"),
    "team": ("小组", "Team"),
    "rule": ("规则", "Rule"),
    "rule_version": ("版本", "version"),
    "hours": ("时长（小时）", "Hours"),
    "per_100": ("每百通机器判定", "By machine per 100 calls"),
    "score": ("得分", "Score"),
    "mean_score": ("平均分", "Mean score"),
    "call_id": ("通话编号", "Call ID"),
    "started_at": ("通话时间", "Started"),
    "duration": ("时长", "Duration"),
    "relation": ("与债务人关系", "Relation to debtor"),
    "debtor_id": ("客户编号", "Debtor ID"),
    "case_id": ("案件编号", "Case ID"),
    "product": ("产品", "Product"),
    "days_overdue": ("逾期天数", "Days overdue"),
    "direction": ("方向", "Direction"),
    "recording": ("录音", "Recording"),
    "notes": ("备注", "Notes"),
    "role_confidence": ("角色判定置信度", "Role confidence"),
    "role_doubt": (
        "说话人角色判定把握不足，涉及“谁说的”一律按待复核处理",
        "Speaker roles are uncertain: whatever depends on who spoke is left to review",
    ),
    "dialogue": ("通话文字", "Transcript"),
    "not_scored": (
        "未评分：没有识别出任何话语，不计入平均分、占比和每百通的数，请抽听",
        "Not scored: nobody was heard to speak. In no mean, share or rate; listen to some",
    ),
    "colon": ("：", ": "),
    "comma": ("、", ", "),
    "and_more": ("等 {n} 通，全部见 Excel", "and others, {n} in all: see the workbook"),
    "silent": ("没有识别出任何话语", "No speech was recognised"),
    "as_heard": ("原话", "Quote"),
    "heard_as": ("按读音理解为", "Taken by sound as"),
    "reading": ("同音改读", "Likely words"),
    "because": ("判定理由", "Because"),
    "conduct": ("跨通话问题", "Across calls"),
    "day": ("日期", "Day"),
    "whom": ("号码或债务人", "Number or debtor"),
    "clause": ("依据条款", "Clause"),
    "no_clause": ("本规则未引用条款", "This rule cites no clause"),
    "source": ("原文", "source"),
    "clause_confidence": ("条款核对", "reading"),
    "clause_kind": ("（{authority}，条款核对 {sure}）", " ({authority}, reading {sure})"),
    "confidence": ("置信度", "Confidence"),
    "time": ("时间", "Time"),
    "place": ("处", "place"),
    "play": ("播放证据", "Play evidence"),
    "stop": ("停止", "Stop"),
    "no_clip": ("证据音频不可用", "No evidence audio"),
    "clip_limit": (
        "本通片段已达上限，请按时间在原录音中听取",
        "this call has reached its number of clips; listen in the recording",
    ),
    "never_said": ("应说未说，无对应片段", "Was to be said and was not, so there is no clip"),
    "from_record": ("依据通话记录判定，无对应片段", "Judged by the call record, so there is no clip"),
    "skipped": ("省略 {n} 轮", "{n} turns left out"),
    "turn": ("轮次", "Turn"),
    "outcome": ("判定", "Outcome"),
    "path": ("文件", "File"),
    "reason": ("原因", "Reason"),
    "failed_at": ("失败时间", "Failed at"),
    "tries": ("尝试次数", "Tries"),
    "authority": ("效力", "Authority"),
    "rule_title": ("问题", "Finding"),
    "item": ("项目", "Item"),
    "value": ("数值", "Value"),
    "group": ("分组", "Group"),
    "unknown_agent": ("未登记", "not recorded"),
    "selection": ("筛选", "Selection"),
    "masked": ("个人信息已遮盖：姓名、号码、地址以 * 代替，片段中以提示音代替",
               "Personal data is covered: * in words, a tone in clips"),
    "unmasked": ("未遮盖：含个人信息，请按权限保管", "Not masked: holds personal data, keep it safe"),
    "privacy": ("个人信息", "Personal data"),
    "human": ("人工结论", "Human verdict"),
    "confirmed": ("人工确认", "Confirmed"),
    "dismissed": ("人工驳回", "Dismissed"),
    "not_reviewed": ("未复核", "Not reviewed"),
    "confirmed_share": ("有确认违规的通话", "Calls with confirmed violations"),
    "confirmed_per_100": ("每百通确认违规", "Confirmed per 100 calls"),
    "reviewed_by": ("复核人", "Reviewer"),
    "reviewed_at": ("复核时间", "Reviewed at"),
    "finding_key": ("问题编号", "Finding key"),
    "added_by_people": ("人工补充", "Added by people"),
    "promises_sheet": ("还款承诺", "Promises"),
    "complaints_sheet": ("投诉", "Complaints"),
    "due": ("约定日期", "Due"),
    "standing": ("结果", "Standing"),
    "promised": ("承诺金额（元）", "Promised (yuan)"),
    "paid": ("期限内已还（元）", "Paid in time (yuan)"),
    "stage": ("逾期阶段", "Stage"),
    "firmness": ("态度", "Firmness"),
    "repeated_back": ("已复述", "Repeated back"),
    "made_at": ("承诺时间", "Promised at"),
    "words": ("原话", "Words"),
    "complaint_id": ("投诉编号", "Complaint"),
    "received": ("收到日期", "Received"),
    "channel": ("渠道", "Channel"),
    "complainant": ("投诉人", "Complainant"),
    "status": ("状态", "Status"),
    "answer_by": ("答复期限", "Answer by"),
    "answered": ("答复日期", "Answered"),
    "late": ("超期答复", "Late"),
    "upheld": ("结论", "Decision"),
    "cause": ("原因", "Cause"),
    "remedy": ("整改措施", "Remedy"),
    "complaint_text": ("内容", "Text"),
    "yes": ("是", "yes"),
    "no_calls": ("所选范围内没有已审计的通话。", "There are no audited calls in this selection."),
    "no_findings": (
        "所选通话未发现违规、待复核或需要关注的客户信号。",
        "No violation, doubt or grave customer signal was found in these calls.",
    ),
    "no_failures": ("没有失败的录音。", "No recording failed."),
    "more_calls": (
        "另有 {n} 通问题通话未在本页展开（本页列出最严重的 {shown} 通），完整清单见同一范围的 Excel 报告。",
        "{n} more flagged calls are not shown here (the worst {shown} are); the Excel report lists them all.",
    ),
    "back": ("返回目录", "Back to contents"),
}

_SEVERITY = {
    Severity.CRITICAL: ("一票否决", "Critical"),
    Severity.HIGH: ("高", "High"),
    Severity.MEDIUM: ("中", "Medium"),
    Severity.LOW: ("低", "Low"),
    Severity.INFO: ("提示", "Info"),
}
_OUTCOME = {
    "fail": ("违规", "Violation"),
    "unsure": ("待复核", "To review"),
    "signal": ("客户信号", "Signal"),
    "pass": ("通过", "Pass"),
    "not_applicable": ("不适用", "Not applicable"),
}
# What the machine made of words; beside it stands what people said, so it must not read like their state.
_MACHINE = _OUTCOME | {"unsure": ("存疑", "Unsure")}
_VERDICT = {"pass": ("合格", "Pass"), "fail": ("不合格", "Fail"), "review": ("待复核", "To review"),
            "not_scored": ("未评分", "Not scored")}
_ROLE = {
    "agent": ("催收员", "Agent"),
    "customer": ("客户", "Customer"),
    "other": ("其他人", "Other"),
    "unknown": ("未知", "Unknown"),
}
_RELATION = {
    "self": ("本人", "Debtor"),
    "guarantor": ("担保人", "Guarantor"),
    "co_obligor": ("共同债务人", "Co-obligor"),
    "spouse_joint_debt": ("配偶（共同债务）", "Spouse (joint debt)"),
    "contact": ("联系人", "Contact"),
    "unrelated": ("无关第三人", "Unrelated person"),
    "unknown": ("不明", "Unknown"),
}
_DIRECTION = {"outbound": ("呼出", "Outbound"), "inbound": ("呼入", "Inbound")}
_AUTHORITY = {
    "law": ("法律", "Law"),
    "regulation": ("监管规定", "Regulation"),
    "national_standard": ("国家标准", "National standard"),
    "self_regulation": ("行业自律", "Self-regulation"),
    "company_policy": ("公司制度", "Company policy"),
}
_SURE = {
    "high": ("已核实", "verified"),
    "medium": ("基本核实", "mostly verified"),
    "low": ("待核实", "unverified"),
}
_STATE = {
    "waiting": ("未复核", "Not reviewed"),
    "second": ("待第二人复核", "Needs a second reviewer"),
    "confirmed": ("已确认", "Confirmed"),
    "partial": ("部分成立", "Partly confirmed"),
    "dismissed": ("已驳回", "Dismissed"),
    "appealed": ("已确认，申诉中", "Confirmed, under appeal"),
}
_STANDING = {
    "kept": ("已兑现", "Kept"),
    "partly": ("部分兑现", "Partly kept"),
    "broken": ("未兑现", "Broken"),
    "open": ("待到期", "Open"),
    "unknown": ("无法判断", "Unknown"),
}
_FIRMNESS = {"firm": ("确定", "Firm"), "weak": ("含糊", "Weak")}
_STATUS = {
    "received": ("已受理", "Received"),
    "investigating": ("调查中", "Investigating"),
    "answered": ("已答复", "Answered"),
    "closed": ("已办结", "Closed"),
}
_DECISION = {"upheld": ("属实", "Upheld"), "partial": ("部分属实", "Partly upheld"), "rejected": ("不属实", "Rejected")}
_TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "severity": {severity.value: words for severity, words in _SEVERITY.items()},
    "outcome": _OUTCOME,
    "machine": _MACHINE,
    "verdict": _VERDICT,
    "role": _ROLE,
    "relation": _RELATION,
    "direction": _DIRECTION,
    "authority": _AUTHORITY,
    "sure": _SURE,
    "state": _STATE,
    "standing": _STANDING,
    "firmness": _FIRMNESS,
    "status": _STATUS,
    "decision": _DECISION,
    "channel": CHANNELS,
    "cause": CAUSES,
    "complaint_category": CATEGORIES_OF_COMPLAINTS,
    "category": FOUND,
}


class Words:
    """Words of one language: `words["title"]`, and `words.of("severity", "high")` for coded values."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        self._at = LANGUAGES.index(lang)

    def __getitem__(self, key: str) -> str:
        return _WORDS[key][self._at]

    def of(self, table: str, code: str | None) -> str:
        """The word for a coded value; a value that a call list brought and we don't know stays as it is."""
        if not code:
            return ""
        words = _TABLES[table].get(code)
        return code if words is None else words[self._at]

    def method(self) -> tuple[str, ...]:
        """How the figures came about, a sentence each."""
        points = {severity.value: POINTS[severity] for severity in Severity}
        return tuple(sentence.format(mark=PASS_MARK, **points) for sentence in _METHOD[self._at])


_METHOD = (
    (
        "一通电话中同一条规则无论出现几处，只计一项违规；各处均作为证据列出。",
        "“存疑”指识别把握不足、说话人不明、仅读音相近或须对照案件资料，交由人工判断，不扣分、不计入违规率。",
        "“客户信号”是客户自己的表述（如投诉意向、特殊困难），不是催收员的违规。",
        "没有识别出任何话语的通话不评分，不计入平均分、占比和每百通的数。",
        "得分满分 100：一票否决项扣 {critical} 分，高 {high} 分，中 {medium} 分，低 {low} 分；低于 {mark} 分为不合格。"
        "同一句话被同一类的几条规则命中，只按最重的一条扣分。",
        "占比的区间为 Wilson 95% 置信区间；每百通的数旁注明样本通数，样本少时请谨慎比较。",
        "规定动作完成率 = 已做到 ÷（已做到 + 未做到），不适用与存疑不计。",
        "“机器判定”是规则对机器转写文字的自动判定，转写可能有误，未经复核不算违规；“人工确认”是复核人听取证据后的结论（含部分成立和申诉中），"
        "只有它计入个人；“人工驳回”是复核人认为不成立的。两者并列，互不改写。",
        "“未复核”和各项违规一样按每通电话、每条规则计一次；看板的“待复核”按处计并含自伤轻生的信号，所以更多。",
    ),
    (
        "However often one rule was broken in a call it counts as one violation; every place is listed.",
        "Unsure means poor recognition, an unknown speaker, likeness of sound only, or a need for the "
        "case file. It is for people to decide, costs no points and enters no rate.",
        "A customer signal is what customers say of themselves, not a violation by the collector.",
        "Calls in which nobody was heard to speak have no score and are in no mean, share or rate.",
        "The score starts at 100: critical costs {critical}, high {high}, medium {medium}, low {low}; "
        "below {mark} the call fails. Words that several rules of a category condemn cost what the gravest does.",
        "Shares come with Wilson's 95% interval, rates with their sample; small samples compare poorly.",
        "Duties kept = done ÷ (done + not done); not applicable and unsure ones are left out.",
        "By machine is what rules made of machine transcripts, which may be wrong: no violation yet. Confirmed is "
        "what a reviewer said after listening (partly confirmed and under appeal included); it alone counts "
        "against a person. Dismissed is what a reviewer refused. Both stand side by side; neither rewrites the other.",
        "Not reviewed counts once per call and rule, as violations do; the dashboard counts places to review, signals "
        "of self-harm included, and so has more.",
    ),
)


def beijing(moment: datetime) -> datetime:
    """A moment that carries its offset, on China's clock."""
    return moment.astimezone(BEIJING)
