"""Tokens in hook URLs: a version and an HMAC over store and version, verified without any look-up.

A token reads `<version>.<43 characters>`. Whether its version has been revoked is checked elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from hmac import compare_digest

from itsdangerous import Signer

from pipeline.core.errors import InvalidToken

_SALT = b"cratewire hook url"
_MAX_TOKEN_CHARS = 100  # longer tokens are cut; a real token has about 45 characters


def sign(secret_keys: Sequence[str], store: str, version: int) -> str:
    """The token for a store's hook URLs, signed with the first key."""
    if version < 0:
        raise ValueError("a token's version is not negative")
    signature = _signers(tuple(secret_keys))[0].get_signature(_build_message(store, str(version)))
    return f"{version}.{signature.decode('ascii')}"


def verify(secret_keys: Sequence[str], store: str, token: str) -> int:
    """The token's version. Raise InvalidToken unless one of the keys signed it for this store.

    Every token takes the same path: it is split, signed again with every key, and compared in constant time. Texts are
    compared, not the bytes they encode, so that a token has one spelling only.
    """
    return _verify_cached(tuple(secret_keys), store, token[:_MAX_TOKEN_CHARS])


@lru_cache(maxsize=1_000)  # holds valid tokens only: an exception is not cached, so invalid tokens cannot fill it
def _verify_cached(secret_keys: tuple[str, ...], store: str, token: str) -> int:
    version, _, signature = token.rpartition(".")
    message, given = _build_message(store, version), _to_bytes(signature)
    matches = [compare_digest(signer.get_signature(message), given) for signer in _signers(secret_keys)]
    if not any(matches):
        raise InvalidToken("the token was not signed for this store")
    return int(version)  # it is a number, since we signed it


@lru_cache(maxsize=8)
def _signers(secret_keys: tuple[str, ...]) -> tuple[Signer, ...]:
    """One signer per key. Cached, so that its key is not derived for every hook."""
    if not secret_keys:
        raise ValueError("no secret key to sign with")
    return tuple(Signer(_derive_key(key), key_derivation="none", digest_method=hashlib.sha256) for key in secret_keys)


def _derive_key(secret_key: str) -> bytes:
    return Signer(secret_key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256).derive_key()


def _build_message(store: str, version: str) -> bytes:
    """Prefixed with the length of the name, so that no two pairs of store and version give the same bytes."""
    name = _to_bytes(store)
    return b"%d:%s:%s" % (len(name), name, _to_bytes(version))


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
