"""What responses mean at every platform, and the record of a call that the ledger stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.core.backoff import parse_retry_after
from pipeline.core.messages import CallRecord, ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.destinations.error_text import error_text
from pipeline.infra.http.client import HTTPResponse

FIRST_ERROR_STATUS = 300  # redirects are not followed, so they are errors too

Parse = Callable[[HTTPResponse], Outcome]


def parse_by_status(
    response: HTTPResponse, by_status: Mapping[int, Parse], by_class: Mapping[int, Parse], otherwise: Parse
) -> Outcome:
    """Return what a response means: by its status, else by the status's first digit. Without a response: try again."""
    if response.status is None:
        return RetryAfter(None, response.error or "no answer")
    parse = by_status.get(response.status) or by_class.get(response.status // 100, otherwise)
    return parse(response)


def sent_unless_page(api: str) -> Parse:
    """Return Sent, unless the body is an HTML page: an API answers in JSON or with an empty body, so a page comes from
    a proxy and the items were probably not accepted. If they were, their ids make the repetition harmless.
    """

    def parse(response: HTTPResponse) -> Outcome:
        if response.body.lstrip().startswith("<"):
            return RetryAfter(None, f"answered {response.status} with a page: something stands between us and {api}")
        return Sent()

    return parse


def break_connection(why: str) -> Parse:
    """The connection cannot work before it is changed."""
    return lambda response: ConnectionBroken(f"{why} ({response.status})")


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
