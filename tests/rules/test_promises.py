"""Promises to pay: how much, when, how firmly, repeated back or not. The call is on Saturday 21 November 2026."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from rules.promises import Firmness, Promise, find_promise
from transcribe.model import Role, Turn

SATURDAY = date(2026, 11, 21)
ROLES = {"a": "agent", "c": "customer", "u": "unknown"}


def promise_of(*lines: str) -> Promise | None:
    """`a:` is the agent, `c:` the customer, `u:` an unknown speaker."""
    turns = [(ROLES[role], text) for role, _, text in (line.partition(":") for line in lines)]
    return find_promise(turns, call_date=SATURDAY)


def promised(*lines: str) -> tuple[int | None, str | None, str] | None:
    found = promise_of(*lines)
    if found is None:
        return None
    return None if found.amount is None else int(found.amount), found.date, str(found.firmness)


@pytest.mark.parametrize(("said", "expected"), [
    ("我明天还", (None, "2026-11-22", "firm")),
    ("今天下午就还", (None, "2026-11-21", "firm")),
    ("周五还你三千", (3000, "2026-11-27", "firm")),
    ("下周五还两千", (2000, "2026-11-27", "firm")),
    ("下周五，还你两千", (2000, "2026-11-27", "firm")),
    ("十五号发工资就还", (None, "2026-12-15", "firm")),
    ("月底之前还清", (None, "2026-11-30", "firm")),
    ("下个月五号还一部分", (None, "2026-12-05", "firm")),
    ("先还五百,剩下的下月再还", (500, None, "firm")),
    ("我后天一定还", (None, "2026-11-23", "firm")),
    ("我先还个最低", (None, None, "firm")),
    ("晚上八点前打过去", (None, "2026-11-21", "firm")),
    ("这周先还两千", (2000, "2026-11-22", "firm")),
    ("今天还不了，下周五还两千", (2000, "2026-11-27", "firm")),
    ("我15号就还", (None, "2026-12-15", "firm")),
    ("我爸妈明天下午帮我还", (None, "2026-11-22", "firm")),
    ("分三个月还，一个月一千", (1000, None, "firm")),
    ("我不是说了十五号还吗", (None, "2026-12-15", "firm")),
    ("马上还", (None, "2026-11-21", "firm")),
    ("三号吧，三号给你还一千五，剩的再说", (1500, "2026-12-03", "firm")),
    ("利息免了我马上还两万", (20000, "2026-11-21", "firm")),
    ("你别催了，二十五号，二十五号我一准给你", (None, "2026-11-25", "firm")),
    ("我这就去银行存", (None, "2026-11-21", "firm")),
    ("后天，一千七", (1700, "2026-11-23", "firm")),
    ("我下个月发了工资先给你转一千", (1000, "2026-12-31", "firm")),
    ("你要是把罚息去了我今天就结清", None),  # an offer on a condition that the agent may not grant
    ("我跟我媳妇商量一下，看能不能这周凑两千", (2000, "2026-11-22", "asked")),
    ("等他把钱给我就还", (None, None, "weak")),
    ("卖了车就还", (None, None, "weak")),
    ("拿到退税就还", (None, None, "weak")),
    ("发了年终奖全部还清", (None, None, "weak")),
    ("大概二十号左右还", (None, "2026-12-20", "weak")),
    ("尽量今天", (None, "2026-11-21", "weak")),
    ("争取月底前", (None, "2026-11-30", "weak")),
    ("差不多下周能还上吧", (None, "2026-11-29", "weak")),
    ("我肯定会还的", (None, None, "weak")),
    ("最迟二十五号", (None, "2026-11-25", "firm")),
    ("我先转你五百", (500, None, "firm")),
    ("这周末之前指定到账", (None, "2026-11-22", "firm")),
    ("我想想办法，月底争取给你还两千", (2000, "2026-11-30", "weak")),
    ("分三个月还完行不行", (None, None, "asked")),
    ("一个月还一千行不行", (1000, None, "asked")),
    ("我先还利息行吗", (None, None, "asked")),
    ("现在手头就五百，先给你们转过去行吧", (500, None, "asked")),
    ("我把本金还了行不行", (None, None, "asked")),
    ("我月底先还八百行不行", (800, "2026-11-30", "weak")),
    ("礼拜三还一千二，剩下的下个月行不行", (1200, "2026-11-25", "firm")),
    ("我二十五号把两千四还了", (2400, "2026-11-25", "firm")),
    ("只能一个月还六百", (600, None, "asked")),
    ("能不能月底还", (None, "2026-11-30", "asked")),
    ("我要是明天还三千，能给我减点吗", (3000, "2026-11-22", "asked")),
    ("下个月十五还两千", (2000, "2026-12-15", "firm")),
    ("这周日还三千，下周五还五千", (3000, "2026-11-22", "firm")),
    ("这个月底先还一万二，年前再还两万五", (12000, "2026-11-30", "firm")),
    ("我先还三千，下周五再还五千", (3000, None, "firm")),
    ("这周日还三千，不对，下周五还五千", (5000, "2026-11-27", "firm")),
    ("下周五还五千，算了，月底还五千", (5000, "2026-11-30", "firm")),
    ("月底还五千，要不下周五先还三千", (3000, "2026-11-27", "firm")),
    ("我要还房贷三千，下周五还你们", (None, "2026-11-27", "firm")),
    ("先等我投诉完 下周四我还两千", (2000, "2026-11-26", "firm")),
    ("你们别起诉我，下周五还三千", (3000, "2026-11-27", "firm")),
])  # fmt: skip
def test_what_the_customer_says(said: str, expected: tuple[int | None, str | None, str]) -> None:
    assert promised(f"c:{said}") == expected


@pytest.mark.parametrize("said", [
    "我已经还了", "我上个月就还清了", "昨天刚转过去你没看见吗", "还不了，真还不了", "我明天不能还", "看情况吧",
    "昨晚八点不是已经还钱了吗", "你让我明天还三千我上哪弄去", "还有三千块没到账", "你们还我三千块钱", "他明天会还的",
    "我还没吃饭呢明天再说", "没钱还", "我拿什么还", "我什么时候能还我也不知道", "我明天还要上班",
    "还在医院呢，下周五出院",
    "凭什么还三千", "不可能还两万", "能不能再缓八天", "昨天晚上我已经转了三千", "你说月底还，月底就月底呗",
    "我十七号一早就给你们转了",
    "我今天肯定还不了，最快也得后天", "都说了我没借过，还什么还", "两千块我早就还了", "我明天还有事",
    "明天还是这个号码吗", "有钱了自然会还", "昨天说好的今天还，结果没借到", "我弟说他替我还一半", "货还压着十来万", "这笔下辈子还你", "生意还行吧", "要是还打我就换号",
    "八月那期你们还多扣我四百块没退", "我礼拜二不是还了两千吗", "等查完了再说，现在一分不还", "我考虑下，明天再打给你",
    "还投了你们，下周见",
    "还什么还，下周五我就去法院告你们三千万", "我还要还房贷三千呢，下周五", "我下周五得先还别家三千",
    "我下周五去投诉，让你们还我三千",
])  # fmt: skip
def test_what_is_no_promise(said: str) -> None:
    assert promised(f"c:{said}") is None


@pytest.mark.parametrize(("lines", "expected"), [
    (("a:那您十五号之前还三千可以吗", "c:好"), (3000, "2026-12-15", "firm")),
    (("a:那您十五号之前还三千可以吗", "c:嗯那就这样"), (3000, "2026-12-15", "firm")),
    (("a:那您十五号之前还三千可以吗", "c:嗯"), (3000, "2026-12-15", "weak")),
    (("a:那您十五号之前还三千可以吗", "c:不行"), None),
    (("a:那您十五号之前还三千可以吗", "c:好什么好，我没钱"), None),
    (("a:明天下午3点之前你能不能还清？", "c:能"), (None, "2026-11-22", "firm")),
    (("a:您什么时候能还？", "c:下周五吧"), (None, "2026-11-27", "firm")),
    (("a:您什么时候能还？", "c:大概下周五吧"), (None, "2026-11-27", "weak")),
    (("a:您什么时候能还？", "c:下周五吧", "a:能还多少？", "c:两千"), (2000, "2026-11-27", "firm")),
    (("a:您本期应还两千三百元，逾期三十二天", "c:好"), None),
    (("a:明天不还我们就起诉了", "c:好啊"), None),
    (("c:一个月还一千行不行", "a:可以的", "c:好的"), (1000, None, "firm")),
    (("c:一个月还一千行不行", "a:不行", "c:好吧"), (1000, None, "asked")),
    (("c:我月底还", "a:月底太晚了", "c:那我下周五先还一千"), (1000, "2026-11-27", "firm")),
    (("c:下周五还两千", "a:好", "c:我会还的"), (2000, "2026-11-27", "firm")),
    (("c:下周五还两千", "a:不能早点吗", "c:能不能少还点"), (2000, "2026-11-27", "firm")),
    (("c:周五还两千", "a:好的", "c:算了我不还了"), None),
    (("a:您哪天方便", "c:礼拜三"), (None, "2026-11-25", "firm")),
    (("a:您大概哪天", "c:二十八号"), (None, "2026-11-28", "firm")),
    (("a:您可以先还最低额五百", "c:好，我想想"), None),
    (("a:请于今日二十四点前还款", "c:嗯"), None),
    (("a:今天能不能还", "c:今天肯定没有"), None),
    (("a:那就定在二十八号，全款两千三百六", "c:对，二十八号"), (2360, "2026-11-28", "firm")),
    (("a:今天必须还两千", "c:我上哪给你弄两千去"), None),
    (("a:存折里有多少，几号能还", "c:俺存折里一万二"), None),
    (("a:今天还两千辛苦钱行吗", "c:行，我找公安说去"), None),
    (("a:几号还", "c:下礼拜一，九百，一分不少"), (900, "2026-11-23", "firm")),
    (("a:您是十七号还的吗", "c:十七号晚上，手机银行转的"), None),
    (("a:请问是王先生吗", "c:是的"), None),
    (("a:您能还多少", "c:还不了"), None),
    (("a:我周五还你两千", "a:再见"), None),
    (("a:今天行不行", "c:那就礼拜三，我小舅子有钱", "a:好，礼拜三，八百，我记上"), (800, "2026-11-25", "firm")),
    (("a:今天行不行", "c:礼拜三不晓得哦", "a:那您再想想"), None),
    (("a:材料审批下来我十五号前给您回话，方便吗", "c:好"), None),
    (("a:您要还的是两千三", "c:我想分十期还两千三"), (2300, None, "asked")),
    (("c:下个月五号发工资我就还", "a:好，那就下个月五号，两千三，我记下了", "c:可以"), (2300, "2026-12-05", "firm")),
    (("c:今晚我转", "a:好的，今晚一千零五十六块八毛", "c:嗯嗯"), (1056, "2026-11-21", "firm")),
    (("c:后天下午给你们打过去", "a:后天五千六是吧", "c:对"), (5600, "2026-11-23", "firm")),
    (("c:后天下午给你们打过去", "a:后天五千六是吧", "c:没那么多"), (None, "2026-11-23", "firm")),
    (("c:后天下午给你们打过去", "a:大后天五千六是吧", "c:对"), (None, "2026-11-23", "firm")),
    (("c:后天还", "a:后天是还最低七百二，还是全额五千六", "c:到时候看"), (None, "2026-11-23", "firm")),
    (("c:后天还", "a:好，您一共欠五千六，后天见", "c:嗯"), (None, "2026-11-23", "firm")),
    (("c:先还一半", "a:就是三千二", "c:对"), (3200, None, "firm")),
    (("c:我分十二期还", "a:每期八百六十五块四", "c:行"), (865, None, "weak")),
    (("c:我先还两千", "a:好的，下周五两千", "c:行"), (2000, "2026-11-27", "firm")),
    (("c:我二十八号先还两千，三十号再还一千一", "a:二十八号两千", "c:嗯", "a:三十号再还一千一，对吗", "c:对"),
     (2000, "2026-11-28", "firm")),
    (("a:您给我个准信，到底哪天", "c:周日吧", "a:好，周日，两千八，我等您", "c:好"), (2800, "2026-11-22", "firm")),
    (("a:那您二十二号还一千", "c:二十二号不行，二十五号吧", "a:好，二十五号一千", "c:行"), (1000, "2026-11-25", "firm")),
    (("a:那您二十二号还一千", "c:二十五号吧", "a:好，二十五号一千", "c:行"), (1000, "2026-11-25", "firm")),
    (("a:那一千二呢", "c:二十八号吧，一千二", "a:好，十八号，一千二"), (1200, "2026-11-28", "firm")),
    (("a:您12月3日要还3256块8", "c:好，我还3256块8"), (3256, "2026-12-03", "firm")),
    (("a:那您二十二号还一千", "c:行，我二十二号还"), (1000, "2026-11-22", "firm")),
    (("a:罚息两百三，合计一千五，请在明天之前还清", "c:好的"), (1500, "2026-11-22", "firm")),
])  # fmt: skip
def test_what_two_people_agree(lines: tuple[str, ...], expected: tuple[int | None, str | None, str] | None) -> None:
    assert promised(*lines) == expected


@pytest.mark.parametrize(("lines", "repeated"), [
    (("c:十五号还三千", "a:那我跟您确认一下，您是十五号之前还三千对吧", "c:对"), True),
    (("c:十五号还三千", "a:好的，十二月十五号，三千块"), True),
    (("c:十五号还三千", "a:好的，三千", "c:嗯", "a:那十五号等您"), True),
    (("c:十五号还三千", "a:好的，再见"), False),
    (("c:十五号还三千", "a:好的，那就十五号"), False),
    (("c:十五号还三千", "a:好的，十六号，三千"), False),
    (("a:十五号，三千", "c:我十五号还三千"), False),
    (("c:我先还个最低，下周五", "a:好，下周五最低还款"), True),
    (("c:我会还的", "a:好的"), False),
])  # fmt: skip
def test_whether_the_agent_repeated_it_back(lines: tuple[str, ...], repeated: bool) -> None:
    found = promise_of(*lines)
    assert found is not None
    assert found.repeated_back is repeated


def test_instalments_are_counted() -> None:
    found = promise_of("c:分三个月还，一个月一千")
    assert found is not None
    assert (found.instalments, found.amount, found.amount_text) == (3, Decimal(1000), "一千")


def test_an_unknown_speaker_is_less_sure() -> None:
    known, unknown = promise_of("c:周五还两千"), promise_of("u:周五还两千")
    assert known is not None
    assert unknown is not None
    assert unknown.confidence < known.confidence


def test_turns_of_a_transcript_will_do() -> None:
    turn = Turn(index=0, role=Role.CUSTOMER, channel=None, start_ms=0, end_ms=1500, text="好，下周五还两千")
    found = find_promise([turn], call_date=SATURDAY)
    assert found is not None
    assert (found.turn, found.text, found.firmness) == (0, "下周五还两千", Firmness.FIRM)


def test_without_the_day_of_the_call_the_words_remain() -> None:
    found = find_promise([("customer", "下周五还两千")])
    assert found is not None
    assert (found.date, found.date_text, found.amount) == (None, "下周五", Decimal(2000))
