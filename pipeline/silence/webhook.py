"""Tells notices to the operator's own address, signed as Standard Webhooks says (https://www.standardwebhooks.com).

The receiver checks `webhook-signature`, an HMAC-SHA256 over id, time and body. With several secret keys there are as
many signatures, so that a key can be changed without losing a notice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine

from pipeline.http import HTTP, Answer
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.notices import claim_notice, notice_told, notice_waits, waiting_notices

log = structlog.get_logger(__name__)

PREFIX = "whsec_"
MOST_ATTEMPTS = 24
_PURPOSE = b"cratewire alarm notices"
_SECOND = 1_000_000
_FIRST_WAIT_US = 15 * _SECOND
_LONGEST_WAIT_US = 3_600 * _SECOND


@dataclass(frozen=True, slots=True)
class Bell:
    """What telling a notice needs."""

    engine: Engine
    url: str
    secret_keys: Sequence[str]
    http: HTTP
    now: Callable[[], int]  # µs


def signing_secret(secret_key: str) -> str:
    """What the receiver is given to check signatures with."""
    return PREFIX + base64.b64encode(_derived(secret_key)).decode()


def signed(secret_keys: Sequence[str], name: str, body: bytes, now: int) -> dict[str, str]:
    """The headers of a notice; `now` in µs."""
    at = now // _SECOND
    message = b"%s.%d.%s" % (name.encode(), at, body)
    signatures = (hmac.digest(_derived(key), message, hashlib.sha256) for key in secret_keys)
    return {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in signatures),
    }


def ring(bell: Bell, name: str, content: Mapping[str, Any]) -> str | None:
    """Tell it once; None if it was taken, or why not. Nobody is followed elsewhere."""
    body = json.dumps(content, separators=(",", ":")).encode()
    answer = bell.http.call("POST", bell.url, headers=signed(bell.secret_keys, name, body, bell.now()), body=body)
    return _fault(answer)


def tell_waiting(bell: Bell) -> int:
    """Tell what may leave now; how many were taken."""
    with reading(bell.engine) as db:
        waiting = waiting_notices(db, bell.now())
    return sum(_tell(bell, notice_id) for notice_id in waiting)


def _tell(bell: Bell, notice_id: int) -> bool:
    with writing(bell.engine) as db:
        notice = claim_notice(db, notice_id, bell.now())
    if notice is None:
        return False
    fault = ring(bell, notice.name, notice.content)
    given_up = fault is not None and notice.attempts >= MOST_ATTEMPTS
    with writing(bell.engine) as db:
        if fault is None or given_up:
            notice_told(db, notice_id, bell.now(), fault)
        else:
            wait = min(_LONGEST_WAIT_US, _FIRST_WAIT_US * 2 ** min(notice.attempts - 1, 10))
            notice_waits(db, notice_id, fault, bell.now() + wait)
    if fault is not None:
        log.warning("a notice was given up" if given_up else "a notice has to wait", notice=notice_id, reason=fault)
    return fault is None


def _fault(answer: Answer) -> str | None:
    if answer.status is None:
        return answer.error
    return None if 200 <= answer.status < 300 else f"answered {answer.status}"  # noqa: PLR2004 the 2xx


def _derived(secret_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return derivation.derive(secret_key.encode("utf-8"))
