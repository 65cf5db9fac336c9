"""The page 报表."""

from __future__ import annotations

WORDS = {
    "title": ("报表", "Reports"),
    "scope": ("范围：{what}。日期、小组、产品、催收员取左侧的筛选。",
              "Scope: {what}. Period, team, product and collector are the filters on the left."),
    "everything": ("全部通话", "all calls"),
    "from_to": ("{since} 至 {until}", "{since} to {until}"),
    "first_day": ("最早", "the first day"),
    "last_day": ("最近", "the last day"),
    "calls": ("通话", "Calls"),
    "confirmed": ("确认违规", "Confirmed violations"),
    "waiting": ("待复核", "To review"),
    "waiting_note": ("还有待复核的：报表会把人工结论和机器判定并列，未复核的不算违规。",
                     "Some findings wait for review: human verdicts stand beside the machine's, and what nobody "
                     "has judged is no violation yet."),
    "form": ("格式", "Format"),
    "html": ("HTML · 可点击回听，带证据附录", "HTML · with evidence to hear"),
    "xlsx": ("Excel · 明细可筛选计数", "Excel · tables to filter and count"),
    "by": ("汇总表", "Table by"),
    "by_collector": ("按催收员", "collector"),
    "by_team": ("按小组", "team"),
    "by_rule": ("按规则", "rule"),
    "category": ("问题类别", "Category"),
    "all_categories": ("全部类别", "All categories"),
    "report_lang": ("报表语言", "Language of the report"),
    "unmasked": ("不遮盖个人信息", "Personal data not masked"),
    "unmasked_help": ("姓名、电话、证件号、卡号、地址照原样写出，片段不加提示音。记入账本。",
                      "Names, phones, ID and card numbers and addresses as they are, clips without tones. "
                      "It goes into the ledger."),
    "reason": ("为什么不遮盖（记入账本，例如：监管调阅，文号 12）", "Why unmasked (kept in the ledger)"),
    "unmasked_warning": ("报表将含个人信息，只有有权限的人可以看。", "The report will hold personal data."),
    "make": ("生成报表", "Make the report"),
    "working": ("正在处理（遮盖个人信息、剪取片段）：{done}/{of} 通",
                "Covering personal data, cutting clips: {done} of {of} calls"),
    "reading": ("正在读取通话和复核结论……", "Reading calls and verdicts …"),
    "download": ("下载 {name}", "Download {name}"),
    "ready": ("已生成，{size}；已记入账本。", "Ready, {size}; it stands in the ledger."),
    "many": ("共 {n} 通。HTML 只展开最严重的 {shown} 通，完整清单请用 Excel；约需 {minutes} 分钟。",
             "{n} calls. HTML shows the worst {shown} in full, Excel lists all; about {minutes} minutes."),
    "too_many": ("筛选范围内有 {n} 通，超过 {most} 通的报表请用命令行：",
                 "There are {n} calls; for more than {most} use the command line:"),
    "contents": ("报表里有什么", "What a report holds"),
    "contents_note": ("概览、汇总表、问题明细（原话、理由、条款、时间、人工结论、复核人）、通话、还款承诺、投诉、未能审计的录音、"
                      "口径说明。HTML 另附每通问题通话的文字和可播放的片段，并写明规则包、引擎和录音的 SHA-256。",
                      "Summary, table, findings (words, reason, clause, time, human verdict, reviewer), calls, "
                      "promises, complaints, recordings that failed, how it was counted. HTML adds the words of "
                      "flagged calls and clips to play; rule set, engine and SHA-256 of recordings are named."),
}  # fmt: skip
