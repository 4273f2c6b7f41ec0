"""Signatures after Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
TOLERANCE_S = 300


def key_of(secret: str) -> bytes:
    """Return the key that `whsec_…` holds."""
    return base64.b64decode(secret.removeprefix(PREFIX))


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,…`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def headers_for(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a message."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id, timestamp, body),
    }


def find_fault(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
    """Return what is wrong with a message, or None. Several signatures may stand beside each other."""
    message_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split()
    if not message_id or not timestamp.isdecimal() or not signatures:
        return "webhook-id, webhook-timestamp or webhook-signature is missing"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "webhook-timestamp is too far from now"
    try:
        wanted = sign(secret, message_id, int(timestamp), body)
    except binascii.Error:
        return "the secret is no base64"
    if not any(hmac.compare_digest(given.encode(), wanted.encode()) for given in signatures):
        return "no signature fits"
    return None
