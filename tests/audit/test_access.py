"""Who may do what: every cell of the matrix, as written down here and in docs/security.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.access import LOCAL, RIGHTS, Action, Actor, Refused, Role, may, require, require_own

# admin, officer, reviewer, trainer, collector
MATRIX = {
    Action.SEE_OVERVIEW:         "●●●●○",
    Action.SEE_QUEUE:            "●●●○○",
    Action.SEE_CALL:             "●●●●●",
    Action.LISTEN:               "●●●●●",
    Action.UNMASK:               "●●●○○",
    Action.JUDGE:                "●●●○○",
    Action.APPEAL:               "●●○○●",
    Action.DECIDE_APPEAL:        "●●●○○",
    Action.SEE_COLLECTORS:       "●●●●○",
    Action.SEE_COMPLAINTS:       "●●●○○",
    Action.EDIT_COMPLAINTS:      "●●●○○",
    Action.SEE_COACHING:         "●●●●●",
    Action.ASSIGN_COACHING:      "●●○●○",
    Action.ACKNOWLEDGE_COACHING: "●●○○●",
    Action.SEE_PROMISES:         "●●○●○",
    Action.SEE_RULES:            "●●●●●",
    Action.TRY_RULES:            "●●●●○",
    Action.EXPORT:               "●●●●○",
    Action.EXPORT_UNMASKED:      "●●○○○",
    Action.SAMPLE:               "●●●○○",
    Action.SEE_OPERATIONS:       "●●●○○",
    Action.OPERATE:              "●●○○○",
    Action.IMPORT:               "●●○○○",
    Action.SEE_LEDGER:           "●●○○○",
    Action.DELETE:               "●○○○○",
    Action.MANAGE_USERS:         "●○○○○",
}  # fmt: skip
CELLS = [(role, action, mark == "●") for action, row in MATRIX.items() for role, mark in zip(Role, row, strict=True)]
DOCS = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.mark.parametrize(("role", "action", "allowed"), CELLS)
def test_a_role_may_do_what_the_matrix_says_and_is_refused_the_rest(role: Role, action: Action, *, allowed: bool) -> None:
    actor = Actor(name="zhang", role=role, agent_id="A01" if role is Role.COLLECTOR else None)
    assert may(actor, action) == allowed
    if allowed:
        require(actor, action)
    else:
        with pytest.raises(Refused, match=f"zhang（{role.label}）.*{action}"):
            require(actor, action)


def test_the_matrix_has_every_action_and_role() -> None:
    assert set(MATRIX) == set(Action)
    assert set(RIGHTS) == set(Role)


def test_the_docs_print_the_same_matrix() -> None:
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", DOCS.read_text("utf-8"), re.M)
    printed = {name: "".join(mark.strip() for mark in marks.split("|")[1:]) for name, marks in rows if name in list(Action)}
    assert printed == {str(action): row for action, row in MATRIX.items()}


def test_whoever_sits_at_the_machine_may_do_everything() -> None:
    assert all(may(LOCAL, action) for action in Action)


@pytest.mark.parametrize(("agent_id", "allowed"), [("A01", True), ("A02", False), (None, False), ("", False)])
def test_a_collector_sees_their_own_calls_alone(agent_id: str | None, *, allowed: bool) -> None:
    collector = Actor(name="wang", role=Role.COLLECTOR, agent_id="A01")
    if allowed:
        require_own(collector, Action.LISTEN, agent_id)
    else:
        with pytest.raises(Refused, match="自己的通话"):
            require_own(collector, Action.LISTEN, agent_id)


def test_a_collector_without_a_number_sees_no_call_at_all() -> None:
    nobody = Actor(name="wang", role=Role.COLLECTOR)
    for agent_id in (None, "", "A01"):
        with pytest.raises(Refused):
            require_own(nobody, Action.LISTEN, agent_id)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.COLLECTOR])
def test_others_see_everybodys_calls(role: Role) -> None:
    require_own(Actor(name="li", role=role), Action.LISTEN, "A02")
    require_own(Actor(name="li", role=role), Action.LISTEN, None)


def test_trainers_and_collectors_are_shown_only_what_was_confirmed() -> None:
    assert {role for role in Role if Actor(name="x", role=role).only_confirmed} == {Role.TRAINER, Role.COLLECTOR}
