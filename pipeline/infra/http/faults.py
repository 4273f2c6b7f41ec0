"""Classifies a call without a response: why it failed, and whether the server may have acted on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import requests
import urllib3

from pipeline.infra.http.public_addresses import AddressNotPublic

Fault = Literal["not_sent", "maybe_processed"]

# The most specific class first: some of these are subclasses of others.
NOT_PUBLIC = "not a public address"
_FAULTS: tuple[tuple[type[BaseException], Fault, str], ...] = (
    (AddressNotPublic, "not_sent", NOT_PUBLIC),
    (urllib3.exceptions.NameResolutionError, "not_sent", "name not resolved"),
    (urllib3.exceptions.NewConnectionError, "not_sent", "connection refused"),
    (urllib3.exceptions.ConnectTimeoutError, "not_sent", "timeout while connecting"),
    (urllib3.exceptions.SSLError, "not_sent", "TLS failed"),
    (urllib3.exceptions.ReadTimeoutError, "maybe_processed", "timeout while reading"),
    (requests.exceptions.ReadTimeout, "maybe_processed", "timeout while reading"),
    (urllib3.exceptions.ProtocolError, "maybe_processed", "connection broke off"),
    (requests.exceptions.ConnectionError, "maybe_processed", "connection broke off"),
    (ValueError, "not_sent", "unusable URL"),  # requests' InvalidURL, InvalidHeader and the like
)


def classify_transport_error(error: BaseException) -> tuple[Fault, str]:
    """The fault and a short code. The exception's text is not used: it may contain a URL with an e-mail address."""
    chain = tuple(_iter_causes(error))
    for kind, fault, code in _FAULTS:
        if any(isinstance(cause, kind) for cause in chain):
            return fault, code
    return "maybe_processed", "call failed"


def _iter_causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and its causes: requests wraps urllib3's exception, and that its reason, in `args` or `reason`."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _iter_causes(inner)
