"""What responses mean at every platform, and the record of a call that the ledger stores."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.backoff import parse_retry_after
from pipeline.core.messages import CallRecord, Rejected, RetryAfter
from pipeline.destinations.error_text import error_text
from pipeline.infra.http.client import HTTPResponse

FIRST_ERROR_STATUS = 300  # redirects are not followed, so they are errors too


def retry_later(response: HTTPResponse) -> RetryAfter:
    """Not now, for as long as the platform asks."""
    seconds = parse_retry_after(response.headers.get("retry-after"), response.started_at / 1_000_000)
    return RetryAfter(seconds, f"answered {response.status}")


def too_large(response: HTTPResponse) -> Rejected:
    """The platform says that the message is too long."""
    return Rejected("too_large", error_text(response.body))


def refused(response: HTTPResponse) -> Rejected:
    """The platform will never accept this, in its own words."""
    return Rejected("refused", error_text(response.body) or f"answered {response.status}")


def build_call_record(method: str, template: str, response: HTTPResponse, positions: Sequence[int]) -> CallRecord:
    """Return the record of a call that carried the messages at these positions. `template`: without an identifier."""
    failed = response.status is not None and response.status >= FIRST_ERROR_STATUS
    return CallRecord(
        method=method,
        endpoint=template,
        status=response.status,
        started_at=response.started_at,
        duration_us=response.duration_us,
        items=len(positions),
        error=(error_text(response.body) or None) if failed else response.error,
        message_positions=tuple(positions),
    )
