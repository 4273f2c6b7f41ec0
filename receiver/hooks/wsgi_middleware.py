"""Serves `/hooks/…` in front of Flask: a bare Flask request costs more than all that a hook needs.

It knows WSGI and nothing else; the rules are the intake's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from receiver.hooks.rules import HookRules

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


_UNPREFIXED = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})  # CGI gives these two no HTTP_


class HookMiddleware:
    """WSGI middleware: hooks go to the intake, everything else to the application."""

    def __init__(self, app: WSGIApplication, intake: HookRules) -> None:
        self._app = app
        self._rules = intake

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        parts = self._rules.address(_decode_text(environ["PATH_INFO"]))
        if parts is None:
            return self._app(environ, start_response)
        length = environ.get("CONTENT_LENGTH")
        query = _decode_text(environ.get("QUERY_STRING", ""))
        read = _get_body_reader(environ, length)
        answer = self._rules.take(environ["REQUEST_METHOD"], parts, query, partial(_get_header, environ), read)
        start_response(answer.status, answer.headers)
        return [answer.body]


def _get_header(environ: dict[str, Any], name: str) -> str | None:
    key = name.upper().replace("-", "_")
    value: str | None = environ.get(key if key in _UNPREFIXED else f"HTTP_{key}")
    return value


def _decode_text(value: str) -> str:
    """PEP 3333 gives the request's bytes, each as one character."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")


def _get_body_reader(environ: dict[str, Any], length: str | None) -> Callable[[int], bytes]:
    """Reads the body. Without a length only a server that marks the end of a chunked body may be asked for it."""
    if length or environ.get("wsgi.input_terminated"):
        read: Callable[[int], bytes] = environ["wsgi.input"].read
        return read
    return lambda _: b""
