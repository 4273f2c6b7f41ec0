"""Runs a WSGI application for one RSGI request and returns its complete answer."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from receiver.hooks.rules import Answer

_UNPREFIXED = {
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
}  # these two have no HTTP_ prefix


def run_wsgi(app: Callable[..., Iterable[bytes]], scope: Any, body: bytes) -> Answer:
    """Return the application's answer. It runs in the calling thread."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        started[:] = [(status, headers)]
        return lambda _: None

    chunks = app(build_environ(scope, body), start_response)
    try:
        body_bytes = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[0]
    return Answer(status, [(name.lower(), value) for name, value in headers], body_bytes)


def build_environ(scope: Any, body: bytes) -> dict[str, Any]:
    """Build the WSGI environment (PEP 3333) of a request."""
    host, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client,
        "REMOTE_PORT": client_port,
        "HTTP_HOST": scope.authority or scope.server,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name in scope.headers.keys():  # noqa: SIM118 granian's headers are not a mapping
        key = _UNPREFIXED.get(name, f"HTTP_{name.upper().replace('-', '_')}")
        environ[key] = ",".join(scope.headers.get_all(name))
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
