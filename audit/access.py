"""Who may do what: one table of roles and actions, asked by every function that writes or shows personal data.

    with store.writing():
        require(actor, Action.JUDGE)
        …

The pages hide what a role may not do; that is a courtesy. What protects is `require`, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from audit.errors import AuditError


class Role(StrEnum):
    """Who people are. Order: from the widest rights to the narrowest."""

    ADMIN = "admin"
    OFFICER = "officer"
    REVIEWER = "reviewer"
    TRAINER = "trainer"
    COLLECTOR = "collector"

    @property
    def label(self) -> str:
        """What people call it in Chinese."""
        return _LABELS[self]


_LABELS = {
    Role.ADMIN: "管理员",
    Role.OFFICER: "合规负责人",
    Role.REVIEWER: "质检员",
    Role.TRAINER: "培训主管",
    Role.COLLECTOR: "催收员",
}


class Action(StrEnum):
    """Everything that a role is asked for. Closed: a new page or function takes one of these or adds one here."""

    SEE_OVERVIEW = "see_overview"
    SEE_QUEUE = "see_queue"  # what the machine found, confirmed or not
    SEE_CALL = "see_call"  # masked words, measures, scorecard
    LISTEN = "listen"
    UNMASK = "unmask"
    JUDGE = "judge"  # confirm, dismiss, partly right, add, comment, undo
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"
    SEE_COLLECTORS = "see_collectors"
    SEE_COMPLAINTS = "see_complaints"
    EDIT_COMPLAINTS = "edit_complaints"
    SEE_COACHING = "see_coaching"
    ASSIGN_COACHING = "assign_coaching"
    ACKNOWLEDGE_COACHING = "acknowledge_coaching"
    SEE_PROMISES = "see_promises"
    SEE_RULES = "see_rules"
    TRY_RULES = "try_rules"
    EXPORT = "export"  # reports, clips, evidence: masked
    EXPORT_UNMASKED = "export_unmasked"
    SAMPLE = "sample"
    SEE_OPERATIONS = "see_operations"
    OPERATE = "operate"  # upload, retry
    IMPORT = "import"  # calls, cases, complaints as files
    SEE_LEDGER = "see_ledger"
    DELETE = "delete"  # by retention period, or a person's wish
    MANAGE_USERS = "manage_users"


_REVIEWER = {
    Action.SEE_OVERVIEW,
    Action.SEE_QUEUE,
    Action.SEE_CALL,
    Action.LISTEN,
    Action.UNMASK,
    Action.JUDGE,
    Action.DECIDE_APPEAL,
    Action.SEE_COLLECTORS,
    Action.SEE_COMPLAINTS,
    Action.EDIT_COMPLAINTS,
    Action.SEE_COACHING,
    Action.SEE_RULES,
    Action.TRY_RULES,
    Action.EXPORT,
    Action.SAMPLE,
    Action.SEE_OPERATIONS,
}
_TRAINER = {
    Action.SEE_OVERVIEW,
    Action.SEE_CALL,
    Action.LISTEN,
    Action.SEE_COLLECTORS,
    Action.SEE_COACHING,
    Action.ASSIGN_COACHING,
    Action.SEE_PROMISES,
    Action.SEE_RULES,
    Action.TRY_RULES,
    Action.EXPORT,
}
_COLLECTOR = {
    Action.SEE_CALL,
    Action.LISTEN,
    Action.APPEAL,
    Action.SEE_COACHING,
    Action.ACKNOWLEDGE_COACHING,
    Action.SEE_RULES,
}
# Whoever runs the machine keeps accounts and deletes; who judges people's conduct does not need to.
_ONLY_ADMIN = {Action.MANAGE_USERS, Action.DELETE}

RIGHTS: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.OFFICER: frozenset(set(Action) - _ONLY_ADMIN),
    Role.REVIEWER: frozenset(_REVIEWER),
    Role.TRAINER: frozenset(_TRAINER),
    Role.COLLECTOR: frozenset(_COLLECTOR),
}
"""The access matrix. docs/security.md prints it; tests/audit/test_access.py holds every cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts. `agent_id` is the collector's own number in the call records; others have none."""

    name: str
    role: Role
    agent_id: str | None = None

    @property
    def only_own(self) -> str | None:
        """The one agent_id whose calls this person may see; None where all may be seen."""
        return (self.agent_id or "") if self.role is Role.COLLECTOR else None

    @property
    def only_confirmed(self) -> bool:
        """Whether this person is shown findings only once a reviewer has confirmed them."""
        return self.role in (Role.TRAINER, Role.COLLECTOR)


LOCAL = Actor(name="local", role=Role.ADMIN)
"""Whoever sits at the machine: the command line, and a dashboard on 127.0.0.1 without accounts."""


class Refused(AuditError):
    """A role asked for what it may not do."""


def may(actor: Actor, action: Action) -> bool:
    """Whether the role allows the action at all."""
    return action in RIGHTS[actor.role]


def require(actor: Actor, action: Action) -> None:
    """Raise `Refused` where the role does not allow the action."""
    if not may(actor, action):
        raise Refused(f"{actor.name}（{actor.role.label}）无权进行此操作（{action}）；如有需要，请找管理员调整角色")


def require_own(actor: Actor, action: Action, agent_id: str | None) -> None:
    """`require`, and for a collector that the call, clip or task is their own."""
    require(actor, action)
    if actor.only_own is not None and (not agent_id or agent_id != actor.only_own):
        raise Refused(f"{actor.name}（{actor.role.label}）只能查看自己的通话；这一条属于其他催收员")
