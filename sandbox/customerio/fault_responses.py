"""The responses of each fault: another response, or a damaged copy of the right response."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from sandbox.customerio.http_messages import HTML_HEADERS, Answer, Request, Transmission, page, phrase, pretty

Options = Mapping[str, Any]

HTML = "<html><head><title>{code}</title></head><body><center><h1>{code} {phrase}</h1></center></body></html>\n"


def unauthorized() -> Answer:
    """Return the response to unknown credentials."""
    return pretty(401, {"meta": {"error": "Unauthorized request"}})


def throttled(headers: str, retry_after: int, now: int) -> Answer:
    """Return a 429 in one of three forms; the vendor documents none, so a client must handle each of them."""
    variants = {
        "none": {},
        "retry-after": {"Retry-After": str(retry_after)},
        "http-date": {"Retry-After": formatdate(now / 1_000_000 + retry_after, usegmt=True)},
    }
    return Answer(429, b"", {**HTML_HEADERS, **variants[headers]})


def _edge_page(code: int) -> Answer:
    return page(code, HTML.format(code=code, phrase=phrase(code)))


def _status(options: Options, _: Request, __: int) -> Answer:
    return Answer(options["code"], b"", HTML_HEADERS) if options["body"] == "empty" else _edge_page(options["code"])


def _redirect(options: Options, request: Request, _: int) -> Answer:
    host = str(options["host"])
    origin = host if "://" in host else f"https://{host}"
    return replace(_edge_page(options["code"]), headers={**HTML_HEADERS, "Location": origin + request.path})


def _hold(options: Options) -> Answer:
    return Answer(0, transmission=Transmission.HOLD, transmission_s=float(options["hold_s"]))


# Responses that replace the operation. `hang` is in both tables, because it may come before or after it.
REPLACEMENTS: Mapping[str, Callable[[Options, Request, int], Answer]] = {
    "status": _status,
    "429": lambda options, _, now: throttled(options["headers"], options["retry_after"], now),
    "html": lambda options, _, __: _edge_page(options["code"]),
    "redirect": _redirect,
    "auth-revoked": lambda _, __, ___: unauthorized(),
    "reset-before": lambda _, __, ___: Answer(0, transmission=Transmission.SILENT),
    "hang": lambda options, _, __: _hold(options),
}

# What is done to the right answer after the call has been processed.
TRANSFORMATIONS: Mapping[str, Callable[[Options, Answer], Answer]] = {
    "reset": lambda _, answer: replace(answer, transmission=Transmission.SILENT),
    "hang": lambda options, _: _hold(options),
    "truncated-json": lambda _, answer: replace(answer, body=answer.body[: max(1, len(answer.body) // 2)]),
    "wrong-content-length": lambda _, answer: replace(answer, transmission=Transmission.SHORT),
    "slow-body": lambda options, answer: replace(
        answer, transmission=Transmission.SLOW, transmission_s=float(options["pause_ms"]) / 1000
    ),
}
