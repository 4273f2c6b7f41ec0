"""Connections that are cut instead of answered: around the application, because only there is the socket."""

import socket
from collections.abc import Callable, Iterable
from typing import Any

CUT = "sandbox.cut"

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def cut_on_request(app: Wsgi) -> Wsgi:
    """Wrap an application: where it has set `CUT` in the environment, its answer is lost with the connection."""

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = app(environ, start_response)
        if not environ.get(CUT):
            return answer
        close = getattr(answer, "close", None)
        if close:
            close()
        connection = environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError("a fault has cut this connection")

    return wrapped
