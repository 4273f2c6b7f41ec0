"""Keyed hashes that recognise a person, or a token, without storing who or what they are.

Their keys are random and are stored encrypted: a hash made of the secret keys themselves could not be computed again
once a rotation has removed the key that it was made with.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from pipeline.infra.crypto.encryption import RowIdentity, decrypt, encrypt

KEY_BYTES = 32
KeyTable = Literal["regulation_keys", "api_tokens"]
_FIELD = "regulation key"


def seal_key(secret_keys: Sequence[str], key: bytes, uid: str, table: KeyTable = "regulation_keys") -> bytes:
    """Encrypt a key with the first secret key, for its row."""
    return encrypt(secret_keys, {_FIELD: key.hex()}, RowIdentity(table, uid))


def open_key(secret_keys: Sequence[str], sealed: bytes, uid: str, table: KeyTable = "regulation_keys") -> bytes:
    """Decrypt a key. Raises Misconfigured if no secret key fits, or if it belongs to another row."""
    return bytes.fromhex(decrypt(secret_keys, sealed, RowIdentity(table, uid))[_FIELD])


def hash_identifier(key: bytes, store: str, kind: str, value: str) -> str:
    """HMAC-SHA-256 in hexadecimal: of one store, so that two stores' hashes of one person cannot be compared."""
    message = f"{store}\0{kind}\0{value}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, hashlib.sha256).hex()


def hash_secret(key: bytes, secret: str) -> str:
    """HMAC-SHA-256 of a token's secret, in hexadecimal."""
    return hmac.digest(key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
