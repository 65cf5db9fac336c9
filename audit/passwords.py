"""Passwords: what is good enough, and argon2id around what is kept of them."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import normalize

from audit.errors import AuditError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12
LONGEST = 256
"""Hashing a password of megabytes would be a way to keep the machine busy."""


class BadPassword(AuditError):
    """A password that is too short, too long or too easy; says which."""


def hashed(password: str, *, name: str) -> str:
    """What is kept of a new password of `name`; `BadPassword`."""
    password = normalize("NFKC", password)
    if len(password) < SHORTEST:
        raise BadPassword(f"密码至少 {SHORTEST} 个字符；可以用几个不相干的词连成一句")
    if len(password) > LONGEST:
        raise BadPassword(f"密码最多 {LONGEST} 个字符")
    if len(set(password)) < 5 or (len(name) >= 4 and name in password.casefold()):
        raise BadPassword("密码太容易猜：不要重复同几个字符，不要含有账号名")
    return _hasher().hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password; takes as long where nothing is kept to compare with."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        _hasher().verify(kept or _nobodys(), normalize("NFKC", password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))
