"""Which library reads spoken sums and days best: ours, cn2an, jionlp on the same 74 forms.

    python benchmarks/entities.py

A library that is not installed is left out (pip install cn2an jionlp). Each reader gets the
bare form and its own easiest task: to read it, not to find it. A range counts where its lower bound is right.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable
from datetime import date, datetime

from rules.entities import EntityKind, find_entities

CALL = date(2026, 11, 21)
SUMS = {
    "三千五": 3500, "一万二": 12000, "两万六": 26000, "26000多": 26000, "两千块左右": 2000, "一千来块": 1000,
    "1万2": 12000,
    "2.6万": 26000, "二万六千四百六十二块六毛一": 26462.61, "五百": 500, "八百多": 800, "百十来块": 110,
    "三千五百八": 3580,
    "一万零五百": 10500, "两千零八块": 2008, "五块五": 5.5, "三块二毛五": 3.25, "一毛九": 0.19, "七八千": 7000,
    "三五百": 300, "两三千块钱": 2000, "三到五千": 3000, "十几万": 100000, "二十多万块钱": 200000, "一点二万": 12000,
    "2w左右": 20000, "50,000块钱": 50000, "1万2千": 12000, "千把块": 1000, "一亿两千万": 120000000, "一百二": 120,
    "两百五十块": 250, "四千出头": 4000, "一万六七": 16000, "三千元整": 3000, "九块九毛九": 9.99, "12000": 12000,
}  # fmt: skip
DAYS = {
    "今天": "2026-11-21", "今晚": "2026-11-21", "明天下午三点前": "2026-11-22", "后天": "2026-11-23",
    "大后天": "2026-11-24", "这周五": "2026-11-20", "下周五": "2026-11-27", "周五": "2026-11-27",
    "下下周三": "2026-12-02",
    "礼拜三": "2026-11-25", "下礼拜一": "2026-11-23", "周末": "2026-11-22", "月底": "2026-11-30",
    "月底前": "2026-11-30",
    "这个月底": "2026-11-30", "下个月五号": "2026-12-05", "十五号": "2026-12-15", "15号之前": "2026-12-15",
    "二十八号": "2026-11-28", "三十号": "2026-11-30", "十五号发工资": "2026-12-15", "十一月三十号": "2026-11-30",
    "一月十号": "2027-01-10", "2018年5月16日": "2018-05-16", "二零二六年十二月五号": "2026-12-05",
    "国庆前": "2027-10-01",
    "五一前": "2027-05-01", "元旦": "2027-01-01", "春节前": "2027-02-06", "过了年": "2027-02-13",
    "年底": "2026-12-31",
    "三天之内": "2026-11-24", "两三天": "2026-11-24", "一周之内": "2026-11-28", "一个月内": "2026-12-21",
    "十天以后": "2026-12-01", "24小时内": "2026-11-22",
}  # fmt: skip
Reader = Callable[[str], object]


def ours() -> dict[str, Reader]:
    def first(text: str, kind: EntityKind) -> object:
        return next(entity.value for entity in find_entities(text, call_date=CALL) if entity.kind is kind)

    return {"sum": lambda text: first(f"还{text}", EntityKind.MONEY), "day": lambda text: first(text, EntityKind.DATE)}


def cn2an() -> dict[str, Reader]:
    """It reads bare numerals only, so units and 左右 are taken off for it."""
    library = importlib.import_module("cn2an")
    return {
        "sum": lambda text: library.cn2an(re.sub(r"块钱|[块元整]$|左右|出头|(?<=[0-9百千万])多$|,", "", text), "smart")
    }


def jionlp() -> dict[str, Reader]:
    library = importlib.import_module("jionlp")
    base = datetime.combine(CALL, datetime.min.time()).timestamp()

    def money(text: str) -> object:
        number = library.parse_money(text)["num"]
        return number[0] if isinstance(number, list) else number

    return {"sum": money, "day": lambda text: library.parse_time(text, time_base=base)["time"][-1][:10]}


def same(value: object, expected: object) -> bool:
    try:
        return abs(float(str(value)) - float(str(expected))) < 0.001
    except ValueError:
        return str(value) == str(expected)


def attempt(reader: Reader, text: str) -> object:
    try:
        return reader(text)
    except Exception as error:  # each library has its own ways to fail; here all count alike
        return f"{type(error).__name__}"


def report(name: str, load: Callable[[], dict[str, Reader]]) -> None:
    began = time.perf_counter()
    try:
        readers = load()
        attempt(readers["sum"], "一块")
    except ImportError as error:
        print(f"{name}: not installed ({error.name})")
        return
    loaded = time.perf_counter() - began
    for task, table in (("sum", SUMS), ("day", DAYS)):
        if task not in readers:
            print(f"{name}: {task}: cannot")
            continue
        attempt(readers[task], next(iter(table)))
        began = time.perf_counter()
        read = {text: attempt(readers[task], text) for text in table}
        each = (time.perf_counter() - began) / len(table) * 1e6
        wrong = [f"{text}={read[text]}" for text in table if not same(read[text], table[text])]
        right = len(table) - len(wrong)
        print(f"{name}: {task}: {right}/{len(table)} right, {each:.0f} µs each, loaded in {loaded:.2f} s")
        print(f"    not: {' '.join(wrong) or 'none'}")


def speed() -> None:
    plain = "您好请问是本人吗我们想核实情况您方便说话吗" * 180
    near = "您好请问是本人吗我们这边想跟您核实过往情况您方便说话吗" * 180
    spoken = "您本期应还两千三百元，逾期三十二天，下周五之前先还一千五，我电话是幺三八零零幺三八零零零。" * 90
    texts = {"without a candidate character": plain, "with candidates but no entity": near, "full of entities": spoken}
    for name, text in texts.items():
        began = time.perf_counter()
        for _ in range(5):
            find_entities(text, call_date=CALL)
        rate = 5 * len(text) / (time.perf_counter() - began)
        print(f"find_entities, text {name}: {rate / 1e3:,.0f} thousand characters/s")


if __name__ == "__main__":
    report("callaudit", ours)
    report("cn2an", cn2an)
    report("jionlp", jionlp)
    speed()
