"""Sends notices to the operator's own address, signed as Standard Webhooks says (https://www.standardwebhooks.com).

The receiver checks `webhook-signature`, an HMAC-SHA256 over id, time and body. With several secret keys there are as
many signatures, so that a key can be changed without losing a notice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.context import Context
from pipeline.infra.http.client import HTTPResponse
from pipeline.ledger.monitoring.alarms import NOTICES, ClaimedNotice
from pipeline.ledger.outbox import SendFailure, send_due

SECRET_PREFIX = "whsec_"  # noqa: S105 how secrets of Standard Webhooks begin
_PURPOSE = b"cratewire alarm notices"
_SECOND_US = 1_000_000


def derive_signing_secret(secret_key: str) -> str:
    """The secret with which the receiver checks signatures."""
    return SECRET_PREFIX + base64.b64encode(_derive_key(secret_key)).decode()


def build_signed_headers(secret_keys: Sequence[str], notice_id: str, body: bytes, now: int) -> dict[str, str]:
    """The headers of a notice; `now` in µs."""
    at = now // _SECOND_US
    message = b"%s.%d.%s" % (notice_id.encode(), at, body)
    signatures = (hmac.digest(_derive_key(key), message, hashlib.sha256) for key in secret_keys)
    return {
        "Content-Type": "application/json",
        "webhook-id": notice_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def send_notice(context: Context, url: str, name: str, content: Mapping[str, Any]) -> str | None:
    """Send it once. Return None if it was accepted, else why not. Redirects are not followed."""
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = build_signed_headers(context.settings.secret_keys, name, body, context.now())
    return _find_fault(context.operator_http.call("POST", url, headers=headers, body=body))


def send_due_notices(context: Context) -> int:
    """Send the notices that are due to CRATEWIRE_ALARM_URL, if it is set. Return how many were accepted."""
    url = context.settings.alarm_url
    if not url:
        return 0

    def send(notice: ClaimedNotice) -> SendFailure | None:
        fault = send_notice(context, url, notice.name, notice.content)
        return None if fault is None else SendFailure(fault)

    return send_due(context.engine, NOTICES, context.now, send)


def _find_fault(response: HTTPResponse) -> str | None:
    if response.status is None:
        return response.error
    return None if 200 <= response.status < 300 else f"answered {response.status}"  # noqa: PLR2004 the 2xx


def _derive_key(secret_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return derivation.derive(secret_key.encode("utf-8"))
