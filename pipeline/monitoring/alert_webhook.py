"""Tells notices to the operator's own address, signed as Standard Webhooks says (https://www.standardwebhooks.com).

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

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.context import Context
from pipeline.infra.http.client import HTTPResponse
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alert_outbox import claim_notice, list_due_notices, mark_notice_done, postpone_notice

log = structlog.get_logger(__name__)

SECRET_PREFIX = "whsec_"  # noqa: S105 how secrets of Standard Webhooks begin
MAX_ATTEMPTS = 24
_PURPOSE = b"cratewire alarm notices"
_SECOND_US = 1_000_000
_MIN_BACKOFF_US = 15 * _SECOND_US
_MAX_BACKOFF_US = 3_600 * _SECOND_US


def derive_signing_secret(secret_key: str) -> str:
    """What the receiver is given to check signatures with."""
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
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signatures),
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
    with reading(context.engine) as conn:
        due = list_due_notices(conn, context.now())
    return sum(_send_due_notice(context, url, notice_id) for notice_id in due)


def _send_due_notice(context: Context, url: str, notice_id: int) -> bool:
    with writing(context.engine) as conn:
        notice = claim_notice(conn, notice_id, context.now())
    if notice is None:
        return False
    fault = send_notice(context, url, notice.name, notice.content)
    given_up = fault is not None and notice.attempts >= MAX_ATTEMPTS
    with writing(context.engine) as db:
        if fault is None or given_up:
            mark_notice_done(db, notice_id, context.now(), fault)
        else:
            wait = min(_MAX_BACKOFF_US, _MIN_BACKOFF_US * 2 ** min(notice.attempts - 1, 10))
            postpone_notice(db, notice_id, fault, context.now() + wait)
    if fault is not None:
        log.warning("a notice was given up" if given_up else "a notice has to wait", notice=notice_id, reason=fault)
    return fault is None


def _find_fault(response: HTTPResponse) -> str | None:
    if response.status is None:
        return response.error
    return None if 200 <= response.status < 300 else f"answered {response.status}"  # noqa: PLR2004 the 2xx


def _derive_key(secret_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return derivation.derive(secret_key.encode("utf-8"))
