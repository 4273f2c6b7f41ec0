"""What an answer means: what the document says of its status, and of its body."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.core.backoff import parse_retry_after
from pipeline.core.messages import ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.destinations.error_text import error_text
from pipeline.destinations.http.bounds import measure
from pipeline.destinations.http.document_parts import Part
from pipeline.destinations.http.templates import CannotBuild, Compiler, Data, Evaluation, Leaf
from pipeline.destinations.outcomes import refused, retry_later, too_large
from pipeline.infra.http.client import HTTPResponse

_KEYS = ("success", "again", "broken", "retry_after", "success_when")
_USUAL: dict[str, list[Any]] = {
    "success": ["200-299"],
    "again": [408, 425, 429, "500-599"],
    "broken": [401, 403],
}
_RANGE = re.compile(r"([1-5]\d\d)-([1-5]\d\d)")
_FIRST_STATUS, _LAST_STATUS = 100, 599
_REDIRECTED, _TOO_LARGE = 3, 413
_MAX_READ_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answers:
    """The statuses that mean success, that the request is to be made again later, and that the connection is broken.

    `success_when`: what of the answer must hold besides, over `answer.status` and `answer.body`.
    """

    success: tuple[range, ...]
    again: tuple[range, ...]
    broken: tuple[range, ...]
    retry_after: str = "retry-after"
    success_when: Leaf | None = None


def read_answers(part: Part, shared: Part, compiler: Compiler) -> Answers:
    """Read what a request says of its answers, or what the document says of all."""
    for one in (part, shared):
        one.refuse_others(_KEYS)
    sources = {key: part if key in part.value else shared for key in _KEYS}
    success, again, broken = (_read_statuses(sources[key], key, _USUAL[key]) for key in ("success", "again", "broken"))
    header = sources["retry_after"].read_text("retry_after").lower() or "retry-after"
    source = sources["success_when"]
    text = source.read_text("success_when")
    when = compiler.compile_leaf(source.name("success_when"), text, ("answer",)) if text else None
    return Answers(success, again, broken, header, when)


def parse_outcome(answers: Answers, response: HTTPResponse) -> Outcome:
    """Return what became of a request. One that is made again has the same id, which makes a repetition harmless."""
    status = response.status
    if status is None:
        return RetryAfter(None, response.error or "no answer")
    if _has(answers.again, status):
        return _wait(answers, response)
    if _has(answers.broken, status):
        return ConnectionBroken(f"the API refuses this connection ({status})")
    if _has(answers.success, status):
        return _judge_body(answers, response)
    if status // 100 == _REDIRECTED:
        return ConnectionBroken(f"the address redirects, which is not followed ({status})")
    return too_large(response) if status == _TOO_LARGE else refused(response)


def _wait(answers: Answers, response: HTTPResponse) -> RetryAfter:
    outcome = retry_later(response)
    if answers.retry_after == "retry-after":
        return outcome
    seconds = parse_retry_after(response.headers.get(answers.retry_after), response.started_at / 1_000_000)
    return replace(outcome, seconds=seconds)


def _judge_body(answers: Answers, response: HTTPResponse) -> Outcome:
    if answers.success_when is None:
        return Sent()
    try:
        body = json.loads(response.body[:_MAX_READ_CHARACTERS])
    except (ValueError, RecursionError):
        body = response.body[:_MAX_READ_CHARACTERS].encode("utf-8", "replace").decode()
    answer = {"status": response.status, "body": body}
    try:
        if Evaluation(Data({"answer": answer}, measure(len(response.body), answer))).holds(answers.success_when):
            return Sent()
    except CannotBuild as error:
        return Rejected("refused", f"the answer is not as expected: {error}")
    return Rejected("refused", error_text(response.body) or f"answered {response.status}, which is no success")


def _has(ranges: Sequence[range], status: int) -> bool:
    return any(status in one for one in ranges)


def _read_statuses(part: Part, key: str, usual: list[Any]) -> tuple[range, ...]:
    values = part.value.get(key, usual)
    ranges = tuple(map(_read_range, values)) if isinstance(values, list) else (None,)
    found = tuple(one for one in ranges if one is not None)
    if len(found) < len(ranges):
        part.fault(key, 'must be a list of statuses and ranges, such as [408, 429, "500-599"]')
    return found


def _read_range(value: Any) -> range | None:
    if isinstance(value, int) and _FIRST_STATUS <= value <= _LAST_STATUS:
        return range(value, value + 1)
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    return range(int(found[1]), int(found[2]) + 1) if found else None
