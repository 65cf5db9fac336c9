"""The page 申诉."""

from __future__ import annotations

WORDS = {
    "title": ("申诉", "Appeals"),
    "to_decide": ("待处理（{n}）", "To decide ({n})"),
    "decided": ("已处理", "Decided"),
    "none_open": ("没有待处理的申诉。", "No appeal waits."),
    "none_decided": ("还没有处理过申诉。", "No appeal has been decided yet."),
    "rule": (
        "催收员对已确认的违规可在 {days} 天内申诉一次，由没有判过这一条的复核人处理，结果是最终的。",
        "A collector may appeal once against a confirmed finding within {days} days. A reviewer who did not judge it "
        "decides; that is final.",
    ),
    "number": ("第 {n} 号", "No. {n}"),
    "filed": ("{who} 于 {at} 申诉", "{who} appealed on {at}"),
    "says": ("申诉理由", "What the collector says"),
    "judged": ("判定经过", "How it was judged"),
    "answer": ("处理意见（催收员会看到）", "Answer (the collector sees it)"),
    "uphold": ("维持违规", "Uphold the finding"),
    "overturn": ("撤销违规", "Overturn the finding"),
    "not_you": (
        "这一条是您判的，须由另一位复核人处理。",
        "You judged this one; another reviewer must decide.",
    ),
    "upheld": ("✘ 维持违规", "✘ finding upheld"),
    "overturned": ("✔ 已撤销违规", "✔ finding overturned"),
    "pending": ("… 等待处理", "… waiting"),
    "by": ("{who} 于 {at}：{answer}", "{who} on {at}: {answer}"),
    "done": ("已处理；结果已记入这条违规的记录。", "Decided; it stands in the finding's history."),
    "own": ("我被确认的违规", "Findings confirmed against me"),
    "none_own": (
        "没有被确认的违规。复核人确认后会出现在这里，{days} 天内可以申诉。",
        "Nothing has been confirmed against you. What reviewers confirm stands here; you may appeal within {days} days.",
    ),
    "until": ("可申诉到 {at}", "appeal until {at}"),
    "over": ("申诉期已过", "time for an appeal is over"),
    "why": ("为什么不认可？请写明事实", "Why do you disagree? State the facts"),
    "file": ("提交申诉", "File the appeal"),
    "filed_done": ("申诉已提交，由另一位复核人处理。", "Filed; another reviewer will decide."),
    "open_call": ("听通话", "Call"),
    "words": ("原话", "Words"),
    "call_as_whole": ("整通电话，没有具体的话", "the call as a whole, no words"),
    "no_agent": (
        "您的账号没有对应的催收员工号；请找管理员设置。",
        "Your account has no collector's number; ask an administrator.",
    ),
}  # fmt: skip
