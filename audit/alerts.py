"""Alerts to people who are not looking: critical findings, complaints that are late, batches that stopped.

Sent through Apprise (DingTalk, WeCom, Feishu, e-mail, webhook …). A message says how many of what and where to look,
never who or what was said. Nothing is told twice; what can't be sent waits and is tried again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.access import LOCAL
from audit.complaint_clock import Terms, beijing_day
from audit.complaint_figures import due
from audit.complaints import Desk
from audit.errors import BadConfig
from audit.operations import State, runs
from audit.store import Store
from audit.store import alerts as kept

_MESSAGES = {
    "critical": "有 {n} 条一票否决级的问题等待复核，请打开仪表盘“复核”页处理。",
    "complaint_overdue": "有 {n} 件投诉超过答复期限，请打开仪表盘“投诉”页处理。",
    "complaint_due": "有 {n} 件投诉即将到答复期限，请打开仪表盘“投诉”页处理。",
    "stalled": "有 {n} 次批处理意外停止，请查看仪表盘“运行”页；再运行同一命令即从断点继续。",
}
_TITLE = "callaudit 合规提醒"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one pass did: alerts told of, and those that could not be sent and wait."""

    told: int
    waiting: int


def notice(store: Store, *, terms: Terms, now: datetime) -> None:
    """Note all that people should be told of and have not been yet."""
    desk = Desk(store=store, actor=LOCAL, terms=terms, day=beijing_day(now))
    complaints = due(desk, within=terms.due_soon)
    stopped = [run for run in runs(store, actor=LOCAL, now=now) if run.state is State.KILLED]
    kept.note_alerts(store, "critical", (f"critical:{key}" for key in kept.critical_waiting(store)))
    kept.note_alerts(store, "complaint_overdue", (f"overdue:{c.id}:{c.due_on}" for c in complaints if c.days_left < 0))
    kept.note_alerts(store, "complaint_due", (f"due:{c.id}:{c.due_on}" for c in complaints if c.days_left >= 0))
    kept.note_alerts(store, "stalled", (f"stalled:{run.run.id}" for run in stopped))


def send(store: Store, addresses: Sequence[str]) -> Sent:
    """Send what waits, one message a kind; `BadConfig` for an address that Apprise does not know."""
    messenger = messenger_to(addresses)
    told = waiting = 0
    for kind, count in kept.unsent(store).items():
        sent = bool(messenger.notify(title=_TITLE, body=_MESSAGES[kind].format(n=count)))
        kept.settle(store, kind, sent=sent)
        told += count * sent
        waiting += count * (not sent)
    return Sent(told=told, waiting=waiting)


def messenger_to(addresses: Sequence[str]):  # type: ignore[no-untyped-def]  # apprise has no types
    """What sends to these addresses; `BadConfig` for one that Apprise does not know."""
    try:
        from apprise import Apprise
    except ImportError:
        raise BadConfig("发送提醒需要 apprise；请运行 pip install 'callaudit[operations]'") from None
    messenger = Apprise()
    for number, address in enumerate(addresses, start=1):
        if not messenger.add(address):  # the address itself holds a secret and is not repeated
            raise BadConfig(f"alerts 的第 {number} 个地址不对；写法见 https://github.com/caronc/apprise/wiki")
    return messenger
