"""Serves `/hooks/…` in front of Flask: a bare Flask request costs more than all that a hook needs.

It knows WSGI and nothing else; the rules are the intake's, and Flask's own view asks the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from receiver.intake import Answer, Intake

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PREFIX = "/hooks/"


class FastPath:
    """WSGI middleware: hooks go to the intake, everything else to the application."""

    def __init__(self, app: WSGIApplication, intake: Intake) -> None:
        self._app = app
        self._intake = intake

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(PREFIX):
            return self._app(environ, start_response)
        answer = answer_to(environ, self._intake)
        start_response(answer.status, answer.headers)
        return [answer.body]


def answer_to(environ: dict[str, Any], intake: Intake) -> Answer:
    """What the intake says to a WSGI request below the prefix."""
    length = environ.get("CONTENT_LENGTH")
    return intake.take(
        environ["REQUEST_METHOD"],
        _text(environ["PATH_INFO"])[len(PREFIX) :].split("/"),
        _text(environ.get("QUERY_STRING", "")),
        length,
        _reader(environ, length),
    )


def _text(value: str) -> str:
    """PEP 3333 gives the request's bytes, each as one character."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "replace")


def _reader(environ: dict[str, Any], length: str | None) -> Callable[[int], bytes]:
    """Reads the body. Without a length only a server that marks the end of a chunked body may be asked for it."""
    if length or environ.get("wsgi.input_terminated"):
        read: Callable[[int], bytes] = environ["wsgi.input"].read
        return read
    return lambda _: b""
