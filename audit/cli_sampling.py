"""`callaudit sampling`: plan what people hear, draw it, and read from it how good we are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from audit.cli_batch import CONFIG, DB, read_given_config
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from audit.estimates import Estimate
    from audit.figures import Share
    from audit.sampling_figures import Quality
    from audit.store import Store
    from audit.store.samples import Period

DAY = click.DateTime(["%Y-%m-%d"])
FROM = click.option("--from", "since", type=DAY, required=True, help="从这一天的通话起（含），例如 2026-11-01。")
TO = click.option("--to", "until", type=DAY, required=True, help="到这一天止（含）。")


@click.group("sampling", cls=Group, context_settings=CONTEXT)
def sampling_group() -> None:
    """抽检：随机抽取通话由人来听，据此衡量规则和识别。

    \b
    例：callaudit sampling plan 漏判抽检 --pool unflagged --by team --count 50
        callaudit sampling draw 1 --from 2026-11-01 --to 2026-11-30
        callaudit sampling figures --from 2026-11-01 --to 2026-11-30
    """


@sampling_group.command("plan", cls=Command)
@click.argument("name", required=False)
@click.option("--pool", type=click.Choice(["calls", "unflagged", "findings"]), default="unflagged",
              help="从哪里抽：全部通话、机器没有命中的通话（默认）、单条命中。")  # fmt: skip
@click.option("--by", "stratum", default="none",
              type=click.Choice(["none", "collector", "team", "product", "flagged", "rule", "severity"]),
              help="按什么分层；flagged（有无命中、有无话语）用于通话，rule、severity 用于命中。")  # fmt: skip
@click.option("--count", type=click.IntRange(1), default=50, help="每层抽几条，默认 50。")
@click.option("--reviewer", "reviewers", metavar="NAME", multiple=True, help="派给谁，可写多次；不写则谁都可以取。")
@click.option("--blind", is_flag=True, help="盲评：每位都听同一批，听完之前看不到机器和别人的结论。")
@DB
@CONFIG
def plan_command(name: str | None, **given: Any) -> None:
    """建一个抽检计划，打印它的编号；不写名字则列出已有的计划。

    \b
    例：callaudit sampling plan 漏判抽检 --pool unflagged --by team --count 50
        callaudit sampling plan 校准 --pool calls --by flagged --count 15 --blind --reviewer 吴敏 --reviewer 郑云
    """
    from audit.access import LOCAL
    from audit.sampling import make_plan
    from audit.store import Store
    from audit.store.samples import NewPlan, Pool, Stratum

    config = read_given_config(given)
    if name is None:
        with Store.read(config.db) as store:
            _list_plans(store)
        return
    plan = NewPlan(
        name=name, pool=Pool(given["pool"]), stratum=Stratum(given["stratum"]), per_stratum=given["count"],
        reviewers=given["reviewers"], blind=given["blind"],
    )  # fmt: skip
    with Store.existing(config.db) as store:
        click.echo(make_plan(store, plan, actor=LOCAL).id)


@sampling_group.command("draw", cls=Command)
@click.argument("plan", type=int)
@FROM
@TO
@DB
@CONFIG
def draw_command(plan: int, **given: Any) -> None:
    """按计划抽取这些天的通话；同一段日期再抽得到同一份。

    \b
    例：callaudit sampling draw 1 --from 2026-11-01 --to 2026-11-30
    """
    from audit.access import LOCAL
    from audit.sampling import draw
    from audit.store import Store

    config = read_given_config(given)
    with Store.existing(config.db) as store:
        sample = draw(store, plan, _days(given), actor=LOCAL)
    per = sample.plan.per_stratum
    rows = [(name or "（不分层）", str(size), str(min(size, per))) for name, size in sorted(sample.strata.items())]
    print_table(("分层", "总数", "抽取"), rows, right=(1, 2))
    warn(f"第 {sample.id} 号样本：{sample.items} 条，已完成 {sample.done} 条；在仪表盘的“抽检”页里听")


@sampling_group.command("figures", cls=Command)
@FROM
@TO
@click.option("--json", "as_json", is_flag=True, help="输出一个 JSON。")
@DB
@CONFIG
def figures_command(as_json: bool, **given: Any) -> None:
    """准确率、检出率、改判率、一致性、漂移、识别错字率；低于下限的规则标“待修订”。

    \b
    例：callaudit sampling figures --from 2026-11-01 --to 2026-11-30
    """
    from audit.access import LOCAL
    from audit.sampling_figures import Floor, quality
    from audit.store import Store

    config = read_given_config(given)
    floor = Floor(precision=config.precision_floor, reviews=config.precision_floor_reviews)
    with Store.read(config.db) as store:
        found = quality(store, _days(given), floor=floor, actor=LOCAL)
    if as_json:
        click.echo(json.dumps(_plain(found), ensure_ascii=False))
        return
    print_table(
        ("规则", "准确率", "95% 区间", "结论数", "随机样本", "每千通命中", "准确率变化", "命中变化（每千通）", ""),
        list(_rule_rows(found)), right=(1, 3, 5),
    )  # fmt: skip
    _print_recall(found)
    _print_rest(found)
    revise = sum(one.revise for one in found.rules)
    warn(f"待修订的规则 {revise} 条（下限 {floor.precision:.0%}，至少 {floor.reviews} 条结论）")


def _list_plans(store: Store) -> None:
    from audit.access import LOCAL
    from audit.sampling import plans

    rows = [
        (str(one.id), one.name, one.pool.value, one.stratum.value, str(one.per_stratum), "、".join(one.reviewers),
         "是" if one.blind else "")
        for one in plans(store, actor=LOCAL)
    ]  # fmt: skip
    print_table(("编号", "名字", "从哪里抽", "分层", "每层", "派给", "盲评"), rows, right=(0, 4))


def _days(given: dict[str, Any]) -> Period:
    from audit.store.samples import Period

    return Period(since=given["since"].date(), until=given["until"].date())


def _rule_rows(found: Quality) -> Iterable[tuple[str, ...]]:
    for one in found.rules:
        sampled = f"{_percent(one.sampled)}（{one.sampled.of}）" if one.sampled.of else "—"
        per_1000 = "—" if one.fires.share is None else f"{1000 * one.fires.share:.1f}"
        yield (
            one.rule_id, _percent(one.precision), _range(one.precision), str(one.precision.of), sampled, per_1000,
            _change(one.precision_change, 100, "%"), _change(one.fires_change, 1000, ""),
            "待修订" if one.revise else "",
        )  # fmt: skip


def _print_recall(found: Quality) -> None:
    if found.recall_of is None:
        warn("没有可用的漏判样本：请建一个 --pool unflagged 的计划，抽取并听完，才能估计检出率")
        return
    rows = [
        (one.category or "任何违规", _value(one.recall), _interval(one.recall), _number(one.recall.found),
         _number(one.recall.missed), str(one.recall.of))
        for one in found.recall
    ]  # fmt: skip
    click.echo("")
    print_table(("类别", "检出率", "95% 区间", "检出（通）", "漏判（估计）", "听了"), rows, right=(1, 3, 4, 5))


def _print_rest(found: Quality) -> None:
    rows = [("申诉改判率", _percent(found.overturned.all), _range(found.overturned.all), str(found.overturned.all.of))]
    rows += [
        (f"一致性 κ（第 {one.sample.id} 号盲评，{'、'.join(one.sample.plan.reviewers)}）",
         "—" if one.agreed[0].kappa.value is None else f"{one.agreed[0].kappa.value:.2f}",
         _interval(one.agreed[0].kappa, share=False), str(len(one.calls)))
        for one in found.blind
    ]  # fmt: skip
    rows.append(("识别错字率", _value(found.errors), _interval(found.errors), str(found.errors.of)))
    click.echo("")
    print_table(("指标", "值", "95% 区间", "样本"), rows, right=(1, 3))


def _plain(found: Quality) -> dict[str, Any]:
    return {
        "since": found.days.since.isoformat(),
        "until": found.days.until.isoformat(),
        "rules": [asdict(one) for one in found.rules],
        "recall_sample": None if found.recall_of is None else found.recall_of.id,
        "recall": [{"category": one.category, **asdict(one.recall)} for one in found.recall],
        "overturned": asdict(found.overturned.all),
        "agreement": [
            {"sample": one.sample.id, "category": agreed.category, "share": agreed.share, **asdict(agreed.kappa)}
            for one in found.blind
            for agreed in one.agreed
        ],
        "character_errors": asdict(found.errors),
    }


def _percent(found: Share) -> str:
    return "—" if found.share is None else f"{found.share:.1%}"


def _range(found: Share) -> str:
    return "—" if found.low is None or found.high is None else f"{found.low:.0%}–{found.high:.0%}"


def _value(found: Estimate) -> str:
    return "—" if found.value is None else f"{found.value:.1%}"


def _interval(found: Estimate, *, share: bool = True) -> str:
    if found.low is None or found.high is None:
        return "—"
    return f"{found.low:.1%}–{found.high:.1%}" if share else f"{found.low:.2f}–{found.high:.2f}"


def _number(found: float | None) -> str:
    return "—" if found is None else f"{found:,.0f}"


def _change(found: Estimate, times: int, unit: str) -> str:
    """Signed, with its interval; a star where that leaves out zero."""
    if found.value is None or found.low is None or found.high is None:
        return "—"
    sure = " *" if found.low > 0 or found.high < 0 else ""
    low, high = times * found.low, times * found.high
    return f"{times * found.value:+.1f}{unit}（{low:+.1f} 至 {high:+.1f}）{sure}"
