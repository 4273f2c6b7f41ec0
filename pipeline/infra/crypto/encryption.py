"""Encrypts credentials and mails at rest, with keys derived from the installation's secret keys.

Fernet authenticates what it encrypts, but not where that is stored. So the encrypted text begins with the row that it
belongs to, and a value that was moved to another row is refused. Values of earlier versions have no row; they are
accepted until `cratewire reseal` encrypts them again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import Misconfigured

_PURPOSE = b"cratewire connection config"  # separates these keys from those that sign tokens
_ROW_PREFIX, _ROW_END = b"row ", b"\n"  # JSON, as the values of earlier versions have it, begins with "{"


@dataclass(frozen=True, slots=True)
class RowIdentity:
    """The row that an encrypted value belongs to: its table, what never changes about it, and its store."""

    table: str
    key: int | str
    store_id: int | None = None

    def __str__(self) -> str:
        store = "" if self.store_id is None else f" of store {self.store_id}"
        return f"{self.table} {self.key}{store}"


def encrypt(secret_keys: Sequence[str], config: Mapping[str, str], row: RowIdentity | None = None) -> bytes:
    """Encrypt with the first key, for this row."""
    prefix = b"" if row is None else _ROW_PREFIX + str(row).encode() + _ROW_END
    return _multi_fernet(tuple(secret_keys)).encrypt(prefix + json.dumps(dict(config)).encode("ascii"))


def decrypt(secret_keys: Sequence[str], blob: bytes, row: RowIdentity | None = None) -> dict[str, str]:
    """Decrypt with whichever key fits. Raise Misconfigured if none does, or if the value belongs to another row."""
    owner, text = _split(_decrypt(secret_keys, blob))
    if row is not None and owner is not None and owner != str(row):
        raise Misconfigured(
            f"the encrypted value in {row} belongs to {owner}: it was put into another row, and is not used; "
            "restore the row, or enter the credentials again"
        )
    config: dict[str, str] = json.loads(text)
    return config


def can_decrypt(secret_keys: Sequence[str], blob: bytes) -> bool:
    """Whether any of the keys decrypts it."""
    try:
        _multi_fernet(tuple(secret_keys)).decrypt(blob)
    except InvalidToken:
        return False
    return True


def names_its_row(secret_keys: Sequence[str], blob: bytes) -> bool:
    """Whether the value says which row it belongs to. Raise Misconfigured if no key decrypts it."""
    return _split(_decrypt(secret_keys, blob))[0] is not None


def reencrypt(secret_keys: Sequence[str], blob: bytes, row: RowIdentity) -> bytes:
    """Encrypt the same config with the first key and for its row. Raise Misconfigured as `decrypt` does."""
    return encrypt(secret_keys, decrypt(secret_keys, blob, row), row)


def _decrypt(secret_keys: Sequence[str], blob: bytes) -> bytes:
    try:
        return _multi_fernet(tuple(secret_keys)).decrypt(blob)
    except InvalidToken:
        raise Misconfigured(
            "CRATEWIRE_SECRET_KEY: none of the keys decrypts this connection's credentials; "
            "add the key they were saved with, or enter them again"
        ) from None


def _split(text: bytes) -> tuple[str | None, bytes]:
    """The row that the value names, if it does, and the config as JSON."""
    if not text.startswith(_ROW_PREFIX):
        return None, text
    row, _, config = text.removeprefix(_ROW_PREFIX).partition(_ROW_END)
    return row.decode(), config


@lru_cache(maxsize=8)
def _multi_fernet(secret_keys: tuple[str, ...]) -> MultiFernet:
    if not secret_keys:
        raise ValueError("no secret key to encrypt with")
    return MultiFernet([Fernet(_derive_key(key)) for key in secret_keys])


def _derive_key(secret_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(secret_key.encode("utf-8")))
