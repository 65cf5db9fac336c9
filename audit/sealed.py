"""Small files that only the key of the store opens: AES-256-GCM under a key of their own, derived from it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from audit.errors import BadKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


def seal(content: bytes, *, key: str, name: str) -> bytes:
    """Content that only the same key and name open again; another file's content under this name does not."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, content, name.encode())


def unseal(content: bytes, *, key: str, name: str) -> bytes:
    """What was sealed; ValueError where it is damaged, or sealed with another key or name."""
    from cryptography.exceptions import InvalidTag

    try:
        return bytes(_cipher(key).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], name.encode()))
    except InvalidTag:
        raise ValueError(f"{name} can't be opened") from None


def _cipher(key: str) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError:
        raise BadKey("加密的录音副本需要 cryptography；请运行 pip install 'callaudit[encryption]'") from None
    own = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"callaudit sound").derive(bytes.fromhex(key))
    return AESGCM(own)
