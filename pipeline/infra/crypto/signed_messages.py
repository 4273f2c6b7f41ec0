"""Signatures of Standard Webhooks, version v1: HMAC-SHA256 over id, timestamp and body, with dots between."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.errors import Misconfigured

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300
_PREFIX, _VERSION = "whsec_", "v1,"
_MIN_SECRET_BYTES = 24  # Standard Webhooks: between 24 and 64
_MAX_HEADER_CHARACTERS = 4_096
_MAX_TIMESTAMP_DIGITS = 12


@dataclass(frozen=True, slots=True)
class NotVerified:
    """Why a message is not believed."""

    reason: str


def read_secrets(text: str, name: str) -> tuple[bytes, ...]:
    """Return the secrets of a setting: one, or several with spaces between while one is replaced by another.

    Raises Misconfigured; `name` is the setting's.
    """
    return tuple(_decode_secret(one, name) for one in text.split())


def sign(secrets: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the headers of a message, with a signature for each secret."""
    signatures = (_VERSION + _digest(secret, message_id, str(timestamp_s), body) for secret in secrets)
    return {ID: message_id, TIMESTAMP: str(timestamp_s), SIGNATURE: " ".join(signatures)}


def verify(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: int) -> str | NotVerified:
    """Return the id of a message that one of the secrets has signed within the last five minutes.

    The signature is looked at first: what is wrong with an unsigned message is of no interest to its sender.
    """
    message_id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not timestamp or not given:
        return NotVerified("a header is missing")
    if max(len(message_id), len(given)) > _MAX_HEADER_CHARACTERS or len(timestamp) > _MAX_TIMESTAMP_DIGITS:
        return NotVerified("a header is too long")
    if not (timestamp.isascii() and timestamp.isdigit()):
        return NotVerified("the timestamp is no number of seconds")
    if not _is_signed(secrets, (message_id, timestamp, given), body):
        return NotVerified("no signature fits")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return NotVerified("the timestamp is more than five minutes off")
    return message_id


def _is_signed(secrets: Sequence[bytes], headers: tuple[str, str, str], body: bytes) -> bool:
    message_id, timestamp, given = headers
    signatures = [one.removeprefix(_VERSION).encode() for one in given.split(" ") if one.startswith(_VERSION)]
    expected = [_digest(secret, message_id, timestamp, body).encode() for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in signatures for other in expected)


def _digest(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode("ascii")


def _decode_secret(text: str, name: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < _MIN_SECRET_BYTES:
        raise Misconfigured(f"{name} must be “{_PREFIX}” and at least {_MIN_SECRET_BYTES} bytes in base64")
    return secret
