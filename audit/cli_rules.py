"""`callaudit rules`: look at rules, check them, try a sentence on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audit.errors import AuditError, BadPath, Exit, os_reason
from audit.terminal import CONTEXT, Command, Group, print_table, warn

if TYPE_CHECKING:
    from rules.draft import Question
    from rules.examples import ExampleFailure
    from rules.model import Rule, RuleSet

_ID_EXAMPLE = "ask-for-family-number"

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
    from rules.page import page

    click.echo(page(_find(load_rules(pack), rule_id)), nl=False)


def _find(ruleset: RuleSet, rule_id: str) -> Rule:
    rule = next((rule for rule in ruleset.rules if rule.id == rule_id), None)
    if rule is None:
        near = "、".join(r.id for r in ruleset.rules if rule_id in r.id or r.category == rule_id)
        hint = f"相近的有：{near}" if near else "用 callaudit rules list 查看全部"
        raise AuditError(f"规则包 {ruleset.name} 里没有规则 {rule_id}；{hint}")
    return rule


@rules_group.command("lint", cls=Command)
@PACK
@click.option("--needs", is_flag=True, help="还把每个词、例外和修饰逐一拿掉：没有例子失败的就是多余的（要几分钟）。")
def lint_command(pack: str, **given: Any) -> int:
    """检查整个规则包：格式、重复、查不到的词表等，所有问题一次列出。

    \b
    例：callaudit rules lint --rules 我的规则包/ --needs
    """
    from rules.lint import lint, lint_needs
    from rules.load import load_rules, place_of
    from rules.written import shown

    ruleset = load_rules(pack)
    issues = [*lint(ruleset), *(lint_needs(ruleset) if given["needs"] else ())]
    for issue in issues:
        place = place_of(ruleset, issue.rule_id, issue.where)
        click.echo(f"{place}: {issue.rule_id} {shown(issue.where)}: {issue.message}")
    warn(f"{len(ruleset.rules)} 条规则，{len(issues)} 个问题")
    return Exit.FINDINGS if issues else Exit.CLEAN


@rules_group.command("docs", cls=Command)
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/rules"), help="文件夹，默认 docs/rules。")
@click.option("--check", is_flag=True, help="不写，只检查页面是否与规则一致。")
@PACK
def docs_command(out: Path, pack: str, **given: Any) -> int:
    """每条规则写成一页 Markdown，连同目录。

    \b
    例：callaudit rules docs --out docs/rules
    """
    from rules.load import load_rules
    from rules.page import pages, stale_pages, write_pages

    written = pages(load_rules(pack), {})
    if not given["check"]:
        with _writing(out):
            write_pages(written, out)
        return Exit.CLEAN
    stale = stale_pages(written, out)
    for name in stale:
        click.echo(out / name)
    warn(f"{len(stale)} 页与规则不一致；运行 callaudit rules docs --out {out} 重写" if stale else "页面与规则一致")
    return Exit.FINDINGS if stale else Exit.CLEAN


@rules_group.command("new", cls=Command)
@click.argument("rule_id", metavar="RULE")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("我的规则包"),
    help="规则包的文件夹，默认“我的规则包”；还没有就建一个，叠在 cn-collection 上。",
)
def new_command(rule_id: str, out: Path) -> int:
    """逐项提问，写出一条草稿规则，当场跑它的两个例子；例子不符时也写出，并说明要改哪里。

    \b
    例：callaudit rules new ask-for-family-number --out 我的规则包
    """
    from pydantic import ValidationError

    from rules.draft import QUESTIONS, as_yaml, draft, is_rule_id, pack_of_ones_own
    from rules.examples import alone, failing_examples
    from rules.load import faults_of, load_rules

    if not is_rule_id(rule_id):
        raise AuditError(f"规则编号 {rule_id} 不行：只用小写字母、数字和连字符，以字母开头，例如 {_ID_EXAMPLE}")
    if (taken := next(out.rglob(f"{rule_id}.y*ml"), None)) is not None:
        raise AuditError(f"{taken} 已经存在；换一个编号，或先移走它")
    ruleset = load_rules(out) if (out / "pack.yaml").exists() else load_rules()
    if any(rule.id == rule_id for rule in ruleset.rules):
        raise AuditError(f"规则包 {ruleset.name} 里已有规则 {rule_id}；请换一个编号")
    answers = {question.name: _ask(question) for question in QUESTIONS}
    try:
        rule = draft(rule_id, answers)
    except ValidationError as error:
        raise AuditError(f"规则 {rule_id} 写不成：有一项是空的，或写法不对；请重新回答") from error
    if faults := faults_of(rule, ruleset):
        raise AuditError(f"规则 {rule_id} 写不成：{'；'.join(faults)}")
    file = out / answers["category"] / f"{rule_id}.yaml"
    with _writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        if not (out / "pack.yaml").exists():
            (out / "pack.yaml").write_text(pack_of_ones_own(out.resolve().name), encoding="utf-8")
        file.write_text(as_yaml(rule), encoding="utf-8")
    warn(f"草稿写到 {file}。接着用 callaudit rules test --rules {out} 和 rules lint --rules {out} 检查，并补全例子")
    failures = [failure for failure in failing_examples(alone(rule, ruleset)) if failure.rule_id == rule_id]
    for failure in failures:
        warn(f"草稿还通不过自己的例子：{_failed(failure)}；请改 when 里的说法，或换一个例句")
    return Exit.FINDINGS if failures else Exit.CLEAN


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """`BadPath` where something below can't be written."""
    try:
        yield
    except OSError as error:
        raise BadPath(f"{path}：写不进去（{os_reason(error)}）；请检查路径和写权限") from error


def _ask(question: Question) -> str:
    """The answer; of a choice the name that a rule uses for it. Asks again until there is one."""
    choices = "、".join(f"{label} {name}" for name, label in question.choices.items())
    text = f"{question.text}（{choices}）" if choices else question.text
    while True:
        given = str(click.prompt(text, default=question.default, err=True)).strip()
        if (answer := question.answer(given)) is not None:
            return answer
        warn(f"没有“{given}”这一项；请照括号里的写" if given else "这一项不能空着")


@rules_group.command("test", cls=Command)
@PACK
@click.option("-i", "--input", "text", metavar="TEXT", help="一句话，或多行“坐席：…”：哪些规则看了它，为什么。")
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
    for failure in failures:
        click.echo(f"{failure.rule_id} {_failed(failure)}")
    warn(f"{len(ruleset.rules)} 条规则，{len(failures)} 个例子不符")
    return Exit.FINDINGS if failures else Exit.CLEAN


def _failed(failure: ExampleFailure) -> str:
    kinds = {"violations": "违规例", "clean": "合规例", "missed": "已知漏检"}
    return f"{kinds[failure.kind]} {failure.number}：应为{failure.expected}，实为{failure.found}"


def _explain(ruleset: RuleSet, text: str, relation: str | None) -> int:
    from audit.report_words import Words
    from rules.engine import Judge
    from rules.examples import turns_of
    from rules.explain import explain
    from rules.model import RELATIONS, CallFacts

    if relation is not None and relation not in RELATIONS:
        raise AuditError(f"--relation {relation} 不认识；可选：{'、'.join(RELATIONS)}")
    lines = [_said(line) for line in text.splitlines() if line.strip()]
    traces = explain(Judge(ruleset), turns_of(lines), CallFacts(callee_relation=relation))
    words = Words("zh")
    print_table(("规则", "结果", "为什么"), [(t.rule_id, words.of("outcome", t.result.value), t.why) for t in traces])
    if not traces:
        warn("没有规则注意到这句话")
    return Exit.CLEAN


_SPEAKER = re.compile(r"\s*([^\s:：]+)\s*[:：]\s*(.*)")


def _said(line: str) -> str:
    """A line as `role: words`: who speaks stands before a colon of either width, else the agent does."""
    from transcribe.errors import BadTranscript
    from transcribe.foreign import parse_role

    if named := _SPEAKER.fullmatch(line):
        with suppress(BadTranscript):  # a colon inside speech
            return f"{parse_role(named[1], where='')}: {named[2]}"
    return f"agent: {line.strip()}"
