"""Days as people say them, resolved against the day of the call: 下周五, 十五号发工资, 月底前, 两三天之内.

Conventions (docs/entities.md repeats them):
- 这周五 and 下周五 are the Friday of this and of the next ISO week; a bare 周五 is the next Friday, today included.
- 十五号 is this month's if it is still to come (today included), else next month's; 上个月, 下个月 say which, and then
  号 may be left out (下个月十五). Of two days said in one breath (二十八九号, 二十八二十九号) the later one counts.
- 十一月三十号 without a year is the nearest one. A day that the month lacks is its last day.
- A stretch of time (下周, 周末, 月底, 三天之内, 下个月) is its last day: then the promise is due. 月初 and 月头 end on
  the 5th, 上旬 on the 10th, 月中 is the 15th, 中旬 ends on the 20th.
- 前 and 之前 name the deadline; the day itself is the value.
- 发工资那天 or 过几天 without a day have no value, nor has anything relative when the day of the call is unknown.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from rules.numerals import DIGIT, Hit, before_folding, small_number

_DAY = (
    r"(?:3[01]|[12][0-9]|0?[1-9]|三十一?|[二廿]十?[一二三四五六七八九]?|十[一二三四五六七八九]?|"
    r"[一二三四五六七八九])"
)
_ONE = "[一二三四五六七八九]"
# The first of two days in one breath: 二十|二十一号, 十五|十六号, 二十八|九号, 五|六号, 二十八、|二十九号.
_EARLIER = (
    rf"(?:二十(?=二十一)|三十(?=三十一)|二十{_ONE}(?=[二三]十)|十九(?=二十)|十{_ONE}(?=十{_ONE})|"
    rf"(?:[二廿]?十|廿)?{_ONE}(?={_ONE}(?![0-9一二三四五六七八九十百千万]))|{_DAY}(?:、|或者?)(?={_DAY}[号日]))"
)
# Behind its month a day needs no 号, unless it counts something (十五块, 二十多, 十次) or begins a word (一定, 十分).
_NOT_COUNTING = (
    r"(?![0-9零一二三四五六七八九十百千万亿两几来多个块元毛角点天年期次笔份户通遍回趟条名周分倍%％kKwW]|"
    r"[.,][0-9]|人(?!家)|家(?!里|人)|小时|(?<=一)[定起直般旦下些共会边样向切把])"
)
_ALONE = (  # 十五|三千 too
    rf"(?:(?:(?<=[0-9][0-9])|(?<=[二三]十)|(?<=[十廿]{_ONE})|(?<=十{_ONE}{_ONE}))"
    rf"(?:{_NOT_COUNTING}|(?={_ONE}[百千]|两))|(?<=月[2-9二三四五六七八九十]){_NOT_COUNTING}(?=[还前之发转]|\W|$))"
)


def _day_of(form: str) -> str:
    """The pattern of a day of a month, perhaps with an earlier one before it."""
    return rf"(?P<{form}_earlier>{_EARLIER})?(?P<{form}_day>{_DAY})"


_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九元腊])"
_COUNT = (
    r"(?:[0-9]{1,3}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九]{1,2}|"
    r"[一二两三四五六七八九]?百|[俩仨])"
)
_HOUR = (
    r"(?:[0-9]{1,2}(?:[:：点][0-9]{0,2}分?)|(?:十[一二]?|二十[一二三四]?|[一二两三四五六七八九])点(?:半|钟|"
    r"[一二三四五]?十?[一二三四五六七八九]?分|一刻)?)"
)
_TIME = rf"(?:(?:大?清早|一早|早上|早晨|上午|中午|午饭|下午|傍晚|晚上|夜里|半夜|凌晨|当晚|当天|早|晚)?{_HOUR}?)?"
_LIMIT = r"(?:之前|以前|之内|以内|前后|左右|之后|以后|那天|当天|那会儿|前|内|后)?"
_NOT_A_DAY = r"(?!线|楼|院|店|机|库|门|铺|文|公|令|仓|柜|台|桌|码|车|厅|窗|井|人|章|单|位|球|地|房|室|栋)"
_WEEK = r"(?:周|星期|礼拜)"
_HEAD = r"头(?:上|(?=[还给前之就发结能转打交左]|\W|$))"  # 月头, but 这个月头一次 and 头疼
_TAIL = r"尾(?![款号数])"

_FORMS: tuple[tuple[str, str], ...] = (
    ("full", rf"(?P<f_year>(?:19|20)[0-9]{{2}}|[一二][零九]?[零一二三四五六七八九]{{2,3}}|今|明|去|前|"
             rf"后)年(?P<f_month>{_MONTH})"
             rf"月份?(?:{_day_of('f')}(?:[号日]|{_ALONE}|{_NOT_COUNTING}))?"),
    ("iso", r"(?P<i_year>20[0-9]{2})[-/.](?P<i_month>[01]?[0-9])[-/.](?P<i_day>[0-3]?[0-9])(?![0-9])"),
    ("month_day", rf"(?<![个0-9几])(?P<md_month>{_MONTH})月份?{_day_of('md')}(?:[号日]|{_ALONE}|{_NOT_COUNTING})"),
    ("month_part", rf"(?<![个0-9几])(?P<mp_month>{_MONTH})月"
                   rf"(?P<mp_part>份?月?(?:底|初|{_HEAD}|{_TAIL})|中旬|上旬|下旬|份)"),
    ("this_month", rf"(?P<tm_which>下下|下|这|本|当|上|次)(?:个)?月(?:份)?(?:的)?"
                   rf"(?:{_day_of('tm')}(?:[号日]|{_ALONE})|"
                   rf"(?P<tm_part>月?(?:[底末初]|{_HEAD}|{_TAIL})|中旬|上旬|下旬|中))?"),
    ("weekday", rf"(?P<w_which>下下|下|这|本|"
                rf"上)?(?:个)?{_WEEK}(?P<w_day>[一二三四五六日天末1-6])(?![0-9月点个年圈条句])"),
    ("weekend", r"(?P<we_which>下下|下|这|本|上)?(?:个)?(?:周末|礼拜末)"),
    ("week", rf"(?P<wk_which>下下|下|这|本)(?:个)?{_WEEK}(?![围边转到])"),
    ("month_end", rf"(?P<me_part>月(?:[底末初]|{_HEAD}|{_TAIL}|中(?!旬))|中旬|下旬|上旬)"),
    ("year_part", r"(?P<y_which>今年|明年)?(?:年底|年末|年尾)"),
    ("festival", r"(?:过(?:了|完)?|等)?(?P<fe_name>春节|过年|大年三十|除夕|"
                 r"(?<![0-9一两二三四五六七八九十几多半今明去那当同])年[后前]|"
                 r"过(?:了|完)年|元旦|劳动节|"
                 r"国庆节?|中秋节?|端午节?|双十一|双十二|(?<![0-9零一二三四五六七八九十百千万点幺两块元毛周拜期])五一"
                 r"(?=[节前后左放当那之以过还给转打付结存交先就再能吧]|我[就再先给还来能]|\W|$)|"
                 r"(?<![0-9一二三四五六七八九十百千万月])十一(?=节|前|之前|后|放假|以前|黄金周))节?"),
    ("relative", r"(?P<rel>大{0,2}后天|后儿|明天|明儿个?|明日|今天|今儿个?|今日|听日|今朝|今晚|今黑|今夜|今早|明早|"
                 r"明晚|大{0,2}前天|"
                 r"昨天|昨儿|昨晚)(?!性|下第)"),
    ("within", rf"(?P<in_lead>再?过|再?给我?|再?等|缓|宽限我?|最多|最晚|这)?(?:个)?(?P<in_count>{_COUNT}|半)(?:个|"
               rf"来)?(?P<in_unit>天|日|周|星期|礼拜|月|小时|钟头)"
               r"(?:的)?(?P<in_tail>时间)?(?P<in_limit>之内|以内|内|之后|以后|后|左右)?"),
    ("ordinal_day", rf"(?<![0-9一二三四五六七八九路街巷弄道工编尾第栋]){_day_of('d')}"
                    rf"(?:号|日(?=[之以]?前|还|发|$|\W)){_NOT_A_DAY}"),
    ("vague", r"(?:再?过|这|等)几天|改天|过段时间|过一阵子?|"
               r"(?<![没不未欠拖])(?:发了?|开)(?:工资|薪水|薪|年终奖|奖金|退休金)(?:那天|那会儿|的?时候|以后|之后|"
               r"了|就|后|日)?"
               r"|(?:工资|年终奖|退休金)(?:发下来|下来|到账|到手|发了)"),
)  # fmt: skip
# The first look is at one character: without it each place costs fifteen attempts (four times slower, measured).
_FIRST = (
    "0-9一二两三四五六七八九十廿元腊半今明去前后昨听大下这本当上次周星礼月中年春过等除劳国端双再给缓宽最个改发开工退俩"
    "仨"
)
_ANY = re.compile(rf"(?=[{_FIRST}])(?:" + "|".join(f"(?P<{name}>{form})" for name, form in _FORMS) + ")")
_TRAIL = re.compile(rf"(?:号)?{_TIME}{_LIMIT}")
_PAYDAY_TRAIL = re.compile(r"(?:一?发了?|开)(?:工资|薪水|薪|钱)(?:那天|的?时候|以后|之后|了)?")
_MARKS = r"天儿日晚早朝黑周期拜月年节号旦秋午后时头钟/.-薪资庆末旬一奖金夕夜"
_TRIGGER = re.compile(f"[{re.escape(_MARKS)}]")
_TRIGGER_SPOKEN = re.compile(f"[{re.escape(before_folding(_MARKS))}]")
_PAST_LEAD = re.compile(r"[了期过拖欠前晚迟借]$")

_RELATIVE = {"今天": 0, "今儿": 0, "今儿个": 0, "今日": 0, "听日": 1, "今朝": 0,
             "今晚": 0, "今黑": 0, "今夜": 0, "今早": 0,
             "明天": 1, "明儿": 1, "明儿个": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "后儿": 2, "大后天": 3,
             "大大后天": 4,
             "昨天": -1, "昨儿": -1, "昨晚": -1, "前天": -2, "大前天": -3, "大大前天": -4}  # fmt: skip
_YEARLESS = ("month_day", "month_part")  # nearest year, but 十月一前 is never behind us
_WHICH = {"下下": 2, "下": 1, "次": 1, "这": 0, "本": 0, "当": 0, "上": -1}
_WEEKDAY = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 6}
_PART_END = {"初": 5, "头": 5, "头上": 5, "上旬": 10, "中": 15, "中旬": 20}
_FIXED = {"元旦": (1, 1), "劳动": (5, 1), "五一": (5, 1), "国庆": (10, 1), "十一": (10, 1), "双十一": (11, 11),
          "双十二": (12, 12)}  # fmt: skip
# Lunar festivals move; these are the published days. Outside the table the date has no value.
_LUNAR = {
    "春节": {2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3),
           2031: (1, 23), 2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8)},
    "端午": {2024: (6, 10), 2025: (5, 31), 2026: (6, 19), 2027: (6, 9), 2028: (5, 28), 2029: (6, 16), 2030: (6, 5)},
    "中秋": {2024: (9, 17), 2025: (10, 6), 2026: (9, 25), 2027: (9, 15), 2028: (10, 3), 2029: (9, 22), 2030: (9, 12)},
}  # fmt: skip


def find_dates(text: str, *, call_date: date | None) -> Iterator[Hit]:
    """Every day named in compact text, with ISO dates as values; the span takes in a time of day and 之前."""
    if not _TRIGGER.search(text):
        return
    position = 0
    while match := _ANY.search(text, position):
        form = next(name for name, _ in _FORMS if match[name] is not None)
        if form == "within" and not _is_a_term(text, match):
            position = match.end()
            continue
        end = position = match.end() if form == "vague" else _trail_end(text, match.end())
        day, confidence = _RESOLVE[form](match, call_date)
        if day and call_date and day < call_date and form in _YEARLESS and text[end - 1] == "前":
            day = _clamped(day.year + 1, day.month, day.day)
        yield Hit(match.start(), end, day.isoformat() if day else None, confidence if day else 0.6)


def may_name_day(text: str) -> bool:
    """A quick look at words as spoken: False where surely no day is named."""
    return _TRIGGER_SPOKEN.search(text) is not None


def _trail_end(text: str, end: int) -> int:
    trail = _TRAIL.match(text, end)
    end = trail.end() if trail else end
    payday = _PAYDAY_TRAIL.match(text, end)
    return payday.end() if payday else end


def _is_a_term(text: str, match: re.Match[str]) -> bool:
    """三天 alone is a length (逾期三天); 三天之内, 过三天 and 两三天 without a past in front are days to come."""
    if match["in_limit"] in ("之内", "以内", "内", "之后", "以后", "后") or match["in_lead"]:
        return not (match["in_lead"] == "这" and not match["in_limit"] and len(match["in_count"]) < 2
                    and match["in_count"] not in ("两", "几"))  # fmt: skip
    about = len(match["in_count"]) == 2 and all(char in DIGIT for char in match["in_count"])
    past = _PAST_LEAD.search(text[max(0, match.start() - 2) : match.start()])
    after = text[match.end() : match.end() + 1]
    return about and match["in_unit"] != "月" and not past and after not in ("前", "没", "了", "都", "就")


Resolved = tuple[date | None, float]


def _full(match: re.Match[str], today: date | None) -> Resolved:
    spoken = match["f_year"]
    if spoken in ("今", "明", "去", "前", "后"):
        if today is None:
            return None, 0.6
        year = today.year + {"今": 0, "明": 1, "去": -1, "前": -2, "后": 2}[spoken]
    else:
        year = int("".join(str(DIGIT.get(char, char)) for char in spoken))
    if not 1900 <= year <= 2100:
        return None, 0.4
    month = _month(match["f_month"])
    return _clamped(year, month, _later_day(match, "f") if match["f_day"] else 31), 1.0


def _iso(match: re.Match[str], _: date | None) -> Resolved:
    month = int(match["i_month"])
    return (_clamped(int(match["i_year"]), month, int(match["i_day"])), 1.0) if 1 <= month <= 12 else (None, 0.4)


def _month_day(match: re.Match[str], today: date | None) -> Resolved:
    if match["md_month"] == "腊":  # the twelfth lunar month; no table for its days
        return None, 0.6
    return _nearest(today, _month(match["md_month"]), _later_day(match, "md")), 1.0


def _month_part(match: re.Match[str], today: date | None) -> Resolved:
    part = match["mp_part"].lstrip("份月")
    return _nearest(today, _month(match["mp_month"]), _PART_END.get(part, 31)), 0.8


def _this_month(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    part = (match["tm_part"] or "底").lstrip("月") or "底"
    day = _later_day(match, "tm") if match["tm_day"] else _PART_END.get(part, 31)
    return _in_month(today, _WHICH[match["tm_which"]], day), 1.0 if match["tm_day"] else 0.8


def _weekday(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    spoken = match["w_day"]
    day = int(spoken) - 1 if spoken.isdigit() and spoken.isascii() else _WEEKDAY[spoken]
    if match["w_which"] is None:
        return today + timedelta(days=(day - today.weekday()) % 7), 0.9 if spoken != "末" else 0.7
    monday = today - timedelta(days=today.weekday())
    return monday + timedelta(days=day, weeks=_WHICH[match["w_which"]]), 1.0


def _weekend(match: re.Match[str], today: date | None) -> Resolved:
    return _week_end(today, _WHICH.get(match["we_which"] or "这", 0)), 0.7


def _week(match: re.Match[str], today: date | None) -> Resolved:
    return _week_end(today, _WHICH[match["wk_which"]]), 0.7


def _week_end(today: date | None, weeks: int) -> date | None:
    return today and today + timedelta(days=6 - today.weekday(), weeks=weeks)


def _month_end(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    part = match["me_part"]
    day = _PART_END.get(part if part.endswith("旬") else part[1:], 31)
    return _coming_day(today, day), 0.9 if day == 31 else 0.7


def _year_part(match: re.Match[str], today: date | None) -> Resolved:
    return (date(today.year + (match["y_which"] == "明年"), 12, 31), 0.8) if today else (None, 0.6)


def _festival(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    name = match["fe_name"].removesuffix("节") if match["fe_name"] != "春节" else "春节"
    if name in _FIXED:
        return _next_fixed(today, *_FIXED[name]), 0.9
    if name in _LUNAR:
        return _next_lunar(today, name), 0.9
    shift = {"除夕": -1, "大年三十": -1, "年前": -1, "年后": 7, "过了年": 7, "过完年": 7}.get(name, 0)
    new_year = _next_lunar(today, "春节")
    return new_year and new_year + timedelta(days=shift), 0.5


def _relative(match: re.Match[str], today: date | None) -> Resolved:
    return today and today + timedelta(days=_RELATIVE[match["rel"]]), 1.0


def _within(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    count, unit = match["in_count"], match["in_unit"]
    if count == "半":
        days = {"月": 15, "天": 0, "日": 0}.get(unit, 1)
        return today + timedelta(days=days), 0.7
    about = len(count) == 2 and all(char in DIGIT for char in count)
    number = DIGIT[count[1]] if about else 100 * DIGIT.get(count[0], 1) if "百" in count else small_number(count)
    return _after(today, number, unit), 0.6 if about or match["in_limit"] is None else 0.9


def _after(today: date, number: int, unit: str) -> date | None:
    if unit == "月":
        return _in_month(today, number, today.day)
    days = {"周": 7, "星期": 7, "礼拜": 7}.get(unit, 1) * number
    return today + timedelta(days=-(-number // 24) if unit in ("小时", "钟头") else days)


def _ordinal_day(match: re.Match[str], today: date | None) -> Resolved:
    if today is None:
        return None, 0.6
    return _coming_day(today, _later_day(match, "d")), 0.9


def _vague(_: re.Match[str], __: date | None) -> Resolved:
    return None, 0.6


def _later_day(match: re.Match[str], form: str) -> int:
    """The day, or the later of two: 二十八|九 is the 29th."""
    day = small_number(match[f"{form}_day"])
    tens, ones = divmod(small_number((match[f"{form}_earlier"] or "0").rstrip("、或者")), 10)
    return 10 * tens + day if 0 < ones < day < 10 else day


def _month(spoken: str) -> int:
    return {"元": 1, "腊": 1}.get(spoken) or small_number(spoken)


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, max(1, min(day, monthrange(year, month)[1])))


def _in_month(today: date, months: int, day: int) -> date | None:
    index = today.year * 12 + today.month - 1 + months
    return _clamped(index // 12, index % 12 + 1, day) if index // 12 < 9999 else None


def _coming_day(today: date, day: int) -> date | None:
    this_month = _clamped(today.year, today.month, day)
    return this_month if this_month >= today else _in_month(today, 1, day)


def _nearest(today: date | None, month: int, day: int) -> date | None:
    if today is None:
        return None
    years = (today.year - 1, today.year, today.year + 1)
    return min((_clamped(year, month, day) for year in years), key=lambda found: abs(found - today))


def _next_fixed(today: date, month: int, day: int) -> date:
    this_year = date(today.year, month, day)
    return this_year if this_year >= today else date(today.year + 1, month, day)


def _next_lunar(today: date, name: str) -> date | None:
    days = (date(year, *day) for year, day in _LUNAR[name].items())
    return next((day for day in days if day >= today), None) if today.year >= 2024 else None


_RESOLVE: dict[str, Callable[[re.Match[str], date | None], Resolved]] = {
    "full": _full, "iso": _iso, "month_day": _month_day, "month_part": _month_part, "this_month": _this_month,
    "weekday": _weekday, "weekend": _weekend, "week": _week, "month_end": _month_end, "year_part": _year_part,
    "festival": _festival, "relative": _relative, "within": _within, "ordinal_day": _ordinal_day, "vague": _vague,
}  # fmt: skip
