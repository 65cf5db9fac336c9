"""`callaudit rules`: look at rules, check them, try a sentence on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from audit.errors import AuditError, Exit
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from rules.model import Reference, Rule, RuleSet

PACK = click.option("--rules", "pack", metavar="PACK", default="cn-collection", help="规则包，默认 cn-collection。")


@click.group("rules", cls=Group, context_settings=CONTEXT)
def rules_group() -> None:
    """查看、检查和试用规则。

    \b
    例：callaudit rules list
        callaudit rules test -i "再不还钱我们就爆你通讯录"
    """


@rules_group.command("list", cls=Command)
@PACK
def list_command(pack: str) -> None:
    """列出规则包里的全部规则。

    \b
    例：callaudit rules list --rules 我的规则包/
    """
    from rules.load import load_rules
    from rules.model import CATEGORIES

    ruleset = load_rules(pack)
    order = list(CATEGORIES)
    rows = [
        (rule.id, rule.title, CATEGORIES[rule.category][1], rule.severity.value, rule.status)
        for rule in sorted(ruleset.rules, key=lambda r: (order.index(r.category), r.id))
    ]
    print_table(("规则", "名称", "类别", "级别", "状态"), rows)
    warn(f"规则包 {ruleset.name} {ruleset.version}，共 {len(rows)} 条，摘要 {ruleset.digest[:12]}")


@rules_group.command("show", cls=Command)
@click.argument("rule_id", metavar="RULE")
@PACK
def show_command(rule_id: str, pack: str) -> None:
    """一条规则的全部内容：为什么、条款、例子。

    \b
    例：callaudit rules show threaten-contacts
    """
    from rules.load import load_rules

    click.echo("\n".join(_page(_find(load_rules(pack), rule_id))))


def _find(ruleset: RuleSet, rule_id: str) -> Rule:
    rule = next((rule for rule in ruleset.rules if rule.id == rule_id), None)
    if rule is None:
        near = "、".join(r.id for r in ruleset.rules if rule_id in r.id or r.category == rule_id)
        hint = f"相近的有：{near}" if near else "用 callaudit rules list 查看全部"
        raise AuditError(f"规则包 {ruleset.name} 里没有规则 {rule_id}；{hint}")
    return rule


def _page(rule: Rule) -> list[str]:
    from rules.model import CATEGORIES

    condition = rule.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, include={"applies_when", "applies_unless", "when", "unless"}
    )
    return [
        f"{rule.id}  {rule.title}（{CATEGORIES[rule.category][1]}，{rule.severity.value}，{rule.status}）",
        f"为什么：{rule.why}",
        *(f"依据：{_reference(reference)}" for reference in rule.references),
        *(f"违规例：{' / '.join(example.turns)}" for example in rule.examples.violations),
        *(f"合规例：{' / '.join(e.turns)}{f'（{e.why}）' if e.why else ''}" for e in rule.examples.clean),
        *(f"已知漏检：{' / '.join(example.turns)}" for example in rule.examples.missed),
        f"条件：{json.dumps(condition, ensure_ascii=False)}",
    ]


def _reference(reference: Reference) -> str:
    return " ".join(part for part in (reference.instrument, reference.clause, reference.url) if part)


@rules_group.command("lint", cls=Command)
@PACK
def lint_command(pack: str) -> int:
    """检查整个规则包：格式、重复、查不到的词表等，所有问题一次列出。

    \b
    例：callaudit rules lint --rules 我的规则包/
    """
    from rules.lint import lint
    from rules.load import load_rules

    ruleset = load_rules(pack)
    issues = lint(ruleset)
    for issue in issues:
        click.echo(f"{issue.where}: {issue.rule_id}: {issue.message}")
    warn(f"{len(ruleset.rules)} 条规则，{len(issues)} 个问题")
    return Exit.FINDINGS if issues else Exit.CLEAN


@rules_group.command("test", cls=Command)
@PACK
@click.option("-i", "--input", "text", metavar="TEXT", help="一句话，或多行“agent: …”：哪些规则看了它，为什么。")
@click.option("--relation", help="配合 -i：接听人与债务人的关系，例如 self、contact。")
def test_command(pack: str, text: str | None, **facts: Any) -> int:
    """跑每条规则自带的例子；或用 -i 试一句话。

    \b
    例：callaudit rules test
        callaudit rules test -i "再不还钱我们就爆你通讯录"
    """
    from rules.load import load_rules

    ruleset = load_rules(pack)
    return _examples(ruleset) if text is None else _explain(ruleset, text, facts["relation"])


def _examples(ruleset: RuleSet) -> int:
    from rules.examples import failing_examples

    failures = failing_examples(ruleset)
    kinds = {"violations": "违规例", "clean": "合规例", "missed": "已知漏检"}
    for failure in failures:
        click.echo(
            f"{failure.rule_id} {kinds[failure.kind]} {failure.number}：应为 {failure.expected}，实为 {failure.found}"
        )
    warn(f"{len(ruleset.rules)} 条规则，{len(failures)} 个例子不符")
    return Exit.FINDINGS if failures else Exit.CLEAN


def _explain(ruleset: RuleSet, text: str, relation: str | None) -> int:
    from rules.engine import Judge
    from rules.examples import turns_of
    from rules.explain import explain
    from rules.model import RELATIONS, CallFacts

    if relation is not None and relation not in RELATIONS:
        raise AuditError(f"--relation {relation} 不认识；可选：{'、'.join(RELATIONS)}")
    lines = [line if _has_role(line) else f"agent: {line}" for line in text.splitlines() if line.strip()]
    traces = explain(Judge(ruleset), turns_of(lines), CallFacts(callee_relation=relation))
    print_table(("规则", "结果", "为什么"), [(t.rule_id, t.result.value, t.why) for t in traces])
    if not traces:
        warn("没有规则注意到这句话")
    return Exit.CLEAN


def _has_role(line: str) -> bool:
    return line.startswith(("agent: ", "customer: ", "other: ", "unknown: "))
