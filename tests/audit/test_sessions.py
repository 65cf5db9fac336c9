"""Signing in: guessing, time-outs, who is out when; and the accounts behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from audit import passwords
from audit.access import LOCAL, Actor, Refused, Role
from audit.cli import cli
from audit.ledger import Kind, recent, verify
from audit.passwords import BadPassword
from audit.sessions import Locked, Policy, SignInFailed, sign_in, sign_in_by_email, sign_out, touch, who
from audit.store import Store
from audit.users import BadUser, NewUser, add_user, digest, disable, enable, has_accounts, set_password, set_role, users

PASSWORD = "correct horse battery"
POLICY = Policy()
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def slow() -> None:
    """For a test that needs passwords kept as they are in use."""


@pytest.fixture(autouse=True)
def _quickly_hashed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real algorithm with a thousandth of the work."""
    if "slow" not in request.fixturenames:
        quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "audit.db") as store:
        add_user(
            store, NewUser(name="Zhang", role=Role.REVIEWER, password=PASSWORD, email="z@example.org"), actor=LOCAL
        )
        yield store


def enter(store: Store, *, name: str = "zhang", password: str = PASSWORD, now: datetime = NOW) -> str:
    return sign_in(store, name=name, password=password, policy=POLICY, now=now)


def guess(store: Store, times: int, *, name: str = "zhang", now: datetime = NOW) -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            enter(store, name=name, password="wrong wrong wrong", now=now)


def actor(store: Store, token: str | None, *, now: datetime = NOW) -> Actor | None:
    return who(store, token, policy=POLICY, now=now)


def test_the_right_password_opens_a_session(store: Store) -> None:
    token = enter(store, name=" ZHANG ")
    assert actor(store, token) == Actor(name="zhang", role=Role.REVIEWER)
    assert recent(store, limit=1)[0].kind == Kind.SIGN_IN


def test_only_the_hash_of_a_token_and_of_a_password_is_kept(store: Store) -> None:
    token = enter(store)
    raw = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert token.encode() not in raw
    assert PASSWORD.encode() not in raw
    assert digest(token).encode() in raw
    assert b"$argon2id$" in raw


@pytest.mark.parametrize("token", [None, "", "x", "0" * 43])
def test_a_token_that_was_never_given_is_nobody(store: Store, token: str | None) -> None:
    enter(store)
    assert actor(store, token) is None


def test_every_sign_in_has_a_token_of_its_own(store: Store) -> None:
    assert enter(store) != enter(store)


def test_five_wrong_guesses_lock_the_name_for_a_while(store: Store) -> None:
    guess(store, 5)
    with pytest.raises(Locked, match="15 分钟"):
        enter(store)
    assert actor(store, enter(store, now=NOW + timedelta(minutes=16))) is not None


def test_a_right_password_ends_the_count(store: Store) -> None:
    guess(store, 4)
    enter(store)
    guess(store, 4)
    enter(store)


def test_old_guesses_do_not_count(store: Store) -> None:
    guess(store, 4)
    guess(store, 4, now=NOW + timedelta(minutes=16))
    enter(store, now=NOW + timedelta(minutes=17))


def test_an_administrator_unlocks(store: Store) -> None:
    guess(store, 5)
    enable(store, actor=LOCAL, name="zhang")
    enter(store)


def test_a_name_that_does_not_exist_locks_like_one_that_does(store: Store) -> None:
    guess(store, 5, name="nobody")
    with pytest.raises(Locked):
        enter(store, name="nobody")
    enter(store)  # and locks nobody else


def test_a_name_that_does_not_exist_is_told_like_one_that_does(store: Store) -> None:
    said = []
    for name in ("zhang", "nobody"):
        with pytest.raises(SignInFailed) as caught:
            enter(store, name=name, password="wrong wrong wrong")
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_a_name_that_does_not_exist_takes_as_long(slow: None, store: Store) -> None:
    def took(name: str) -> float:
        start = time.process_time()
        guess(store, 1, name=name)
        return time.process_time() - start

    took("warm up")
    known, unknown = took("zhang"), took("nobody")
    assert 0.3 < unknown / known < 3  # without the hashing it would be a hundredth


def test_guesses_made_at_once_gain_nothing(store: Store) -> None:
    def one(_: int) -> type[Exception] | None:
        with Store.open(store.path) as mine:
            try:
                enter(mine, password="wrong wrong wrong")
            except SignInFailed as error:
                return type(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(12)))
    assert answers.count(SignInFailed) == 5
    assert answers.count(Locked) == 7


def test_made_up_names_do_not_fill_the_ledger(store: Store) -> None:
    for number in range(4):
        guess(store, 1, name=f"made up {number}", now=datetime.now(UTC))
    failed = recent(store, kind=Kind.SIGN_IN_FAILED)
    assert [entry.subject for entry in failed] == ["?"]


def test_a_failed_sign_in_of_a_real_account_is_in_the_ledger(store: Store) -> None:
    guess(store, 2)
    assert [entry.subject for entry in recent(store, kind=Kind.SIGN_IN_FAILED)] == ["zhang", "zhang"]
    assert verify(store) is None


def test_a_session_ends_when_nothing_is_done(store: Store) -> None:
    token = enter(store)
    assert actor(store, token, now=NOW + timedelta(minutes=29)) is not None
    assert actor(store, token, now=NOW + timedelta(minutes=31)) is None


def test_doing_something_keeps_a_session_alive_but_not_for_ever(store: Store) -> None:
    token, now = enter(store), NOW
    for _ in range(36):
        now += timedelta(minutes=20)
        assert actor(store, token, now=now) is not None
        touch(store, token, now=now)
    assert actor(store, token, now=now + timedelta(minutes=1)) is None


def test_signing_out_ends_the_session_and_no_other(store: Store) -> None:
    one, other = enter(store), enter(store)
    sign_out(store, one)
    sign_out(store, one)
    assert actor(store, one) is None
    assert actor(store, other) is not None


@pytest.mark.parametrize("change", [
    lambda store: disable(store, actor=LOCAL, name="zhang"),
    lambda store: set_password(store, actor=LOCAL, name="zhang", password="another fine phrase"),
])  # fmt: skip
def test_disabling_and_a_new_password_end_sessions_at_once(store: Store, change: Callable[[Store], None]) -> None:
    token = enter(store)
    change(store)
    assert actor(store, token) is None
    with pytest.raises(SignInFailed):
        enter(store)


def test_a_new_role_holds_at_once(store: Store) -> None:
    token = enter(store)
    set_role(store, actor=LOCAL, name="zhang", role=Role.COLLECTOR, agent_id="A07")
    assert actor(store, token) == Actor(name="zhang", role=Role.COLLECTOR, agent_id="A07")


def test_an_identity_provider_lets_in_whose_address_has_an_account(store: Store) -> None:
    token = sign_in_by_email(store, email=" Z@Example.org", policy=POLICY, now=NOW)
    assert actor(store, token) == Actor(name="zhang", role=Role.REVIEWER)
    with pytest.raises(SignInFailed, match="没有对应的账号"):
        sign_in_by_email(store, email="x@example.org", policy=POLICY, now=NOW)


def test_an_account_without_a_password_is_let_in_by_no_password(store: Store) -> None:
    add_user(store, NewUser(name="sso", role=Role.OFFICER, password=None, email="s@example.org"), actor=LOCAL)
    with pytest.raises(SignInFailed):
        enter(store, name="sso", password="")


@pytest.mark.parametrize(
    ("password", "says"),
    [("short", "至少 12"), ("x" * 257, "最多 256"), ("aaaaaaaaaaaaaa", "太容易猜"), ("li-wei-2026-11", "太容易猜")],
)
def test_a_weak_password_is_refused(store: Store, password: str, says: str) -> None:
    with pytest.raises(BadPassword, match=says):
        add_user(store, NewUser(name="li-wei", role=Role.ADMIN, password=password), actor=LOCAL)


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (NewUser(name="ZHANG", role=Role.ADMIN, password=PASSWORD), "已有这个账号"),
        (NewUser(name="local", role=Role.ADMIN, password=PASSWORD), "留给本机"),
        (NewUser(name="<b>x</b>", role=Role.ADMIN, password=PASSWORD), "不行"),
        (NewUser(name="", role=Role.ADMIN, password=PASSWORD), "不行"),
        (NewUser(name="c1", role=Role.COLLECTOR, password=PASSWORD), "--agent"),
        (NewUser(name="c1", role=Role.TRAINER, password=PASSWORD, agent_id="A1"), "只用于催收员"),
        (NewUser(name="c1", role=Role.TRAINER, password=None), "--email"),
        (NewUser(name="c1", role=Role.TRAINER, password=PASSWORD, email="z@example.org"), "已属于别的账号"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(store: Store, new: NewUser, says: str) -> None:
    with pytest.raises(BadUser, match=says):
        add_user(store, new, actor=LOCAL)


def test_only_an_administrator_keeps_accounts(store: Store) -> None:
    officer = Actor(name="o", role=Role.OFFICER)
    for act in (
        lambda: add_user(store, NewUser(name="x", role=Role.ADMIN, password=PASSWORD), actor=officer),
        lambda: set_password(store, actor=officer, name="zhang", password=PASSWORD),
        lambda: set_role(store, actor=officer, name="zhang", role=Role.ADMIN),
        lambda: disable(store, actor=officer, name="zhang"),
        lambda: enable(store, actor=officer, name="zhang"),
        lambda: users(store, actor=officer),
    ):
        with pytest.raises(Refused):
            act()


def test_a_disabled_account_still_keeps_the_door_shut(store: Store) -> None:
    disable(store, actor=LOCAL, name="zhang")
    assert has_accounts(store)


def users_command(db: Path, *arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(cli, ["users", *arguments, "--db", str(db)], input=said)


def test_accounts_are_kept_by_the_command_line(tmp_path: Path) -> None:
    db = tmp_path / "audit.db"
    assert users_command(db, "add", "Li", "--role", "reviewer", said=f"{PASSWORD}\n").exit_code == 0
    assert users_command(db, "add", "c1", "--role", "collector", "--agent", "A1", said=f"{PASSWORD}\n").exit_code == 0
    assert users_command(db, "role", "li", "--role", "officer").exit_code == 0
    assert users_command(db, "disable", "c1").exit_code == 0
    shown = users_command(db, "list").output
    assert "合规负责人" in shown
    assert "停用" in shown
    assert users_command(db, "enable", "c1").exit_code == 0
    assert users_command(db, "passwd", "li", said="a wholly new phrase\n").exit_code == 0
    with Store.open(db) as store:
        enter(store, name="li", password="a wholly new phrase")
        assert [entry.data["change"] for entry in recent(store, kind=Kind.USER)][::-1] == [
            "added", "added", "role", "disabled", "enabled", "password"
        ]  # fmt: skip


def test_a_password_is_no_argument(tmp_path: Path) -> None:
    assert users_command(tmp_path / "audit.db", "add", "li", "--role", "admin", "--password", PASSWORD).exit_code != 0
