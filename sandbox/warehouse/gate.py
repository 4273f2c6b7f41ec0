"""What every request to the warehouse passes before it reaches Flask: the lock, the log and the faults."""

import contextlib
import io
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.warehouse.cartrover.answers import over_the_limit
from sandbox.warehouse.faults import Fault
from sandbox.warehouse.floor import Floor, NoSuchOrder, Refused
from sandbox.warehouse.world import World

CONTROL = "/_control"
UNLOCKED = (f"{CONTROL}/flush", f"{CONTROL}/send")
TOUCH = "sandbox.touch"
# Closing a socket with this option set sends a reset instead of a farewell.
_NO_LINGER = struct.pack("ii", 1, 0)
# What a server in trouble sends, by protocol: 3PL Warehouse Manager answers 500 in plain text.
TROUBLE: Mapping[str, tuple[str, str]] = {
    "3pl": ("An error has occurred.", "text/plain"),
    "cartrover": ("<html><body><h1>Service Unavailable</h1></body></html>", "text/html"),
    "generic": ("", "text/plain"),
}

Environ = dict[str, Any]


class Gate:
    """A WSGI application around the Flask application."""

    def __init__(self, world: World, app: Callable[..., Iterable[bytes]], wait: Callable[[float], object]) -> None:
        """`wait` takes seconds; a latency uses it."""
        self._world, self._app, self._wait = world, app, wait

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request; raise ConnectionResetError where a fault cuts the connection."""
        # The body is read here, outside the lock, so that a slow sender delays no other request.
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        if request.path.startswith(CONTROL):
            # What posts to a shop must not hold the lock: the shop may ask the warehouse before it answers.
            with contextlib.nullcontext() if request.path in UNLOCKED else self._world.lock:
                return Response.from_app(self._app, environ, buffered=True)(environ, start_response)
        faults = self._take(request, body)
        for fault in faults:
            self._wait(fault.latency_ms / 1000)
        answer, is_cut = self._answer(request, environ, faults)
        if is_cut:
            hang_up(environ)
            raise ConnectionResetError("a fault has cut this connection")
        return answer(environ, start_response)

    def _take(self, request: Request, body: bytes) -> list[Fault]:
        query = request.query_string.decode("latin-1")
        with self._world.lock:
            return self._world.faults.take(
                request.method, request.path, f"{request.path}?{query}\n{body.decode('utf-8', 'replace')}"
            )

    def _answer(self, request: Request, environ: Environ, faults: list[Fault]) -> tuple[Response, bool]:
        world, fault = self._world, next((fault for fault in faults if fault.name != "latency"), None)
        with world.lock:
            headers = {name.lower(): value for name, value in request.headers.items()}
            query = request.query_string.decode("latin-1")
            entry = world.log.note(world.now, request.method, request.path, query, headers)
            entry["fault"] = (fault or faults[0]).name if faults else None
            world.floor.advance()
            environ[TOUCH] = fault is not None and fault.touch
            if fault and fault.before and fault.order_number:
                do_before(world.floor, fault.before, fault.order_number)
            answer = replacement(fault, request.path) if fault else None
            is_done = fault is None or fault.after_commit or (answer is None and not fault.drop_before_commit)
            if is_done:
                real = Response.from_app(self._app, environ, buffered=True)
                answer = answer or real
            is_cut = fault is not None and (fault.drop_before_commit or fault.drop_after_commit)
            entry["status"] = None if is_cut or answer is None else answer.status_code
            return answer or Response(), is_cut


def do_before(floor: Floor, step: str, number: str) -> None:
    """Let the warehouse be quicker than the request; a step that is not possible any more is left out."""
    with contextlib.suppress(Refused, NoSuchOrder):
        getattr(floor, step)(floor.select(number))


def replacement(fault: Fault, path: str) -> Response | None:
    """Return the answer in place of the real one, if the fault has one."""
    if fault.rate_limited:
        return over_the_limit()
    if fault.status is None:
        return None
    text, content_type = TROUBLE.get(path.split("/")[1], ("", "text/plain"))
    if fault.json is not None:
        text, content_type = json.dumps(fault.json), "application/json"
    elif fault.text is not None:
        text = fault.text
    answer = Response(text, fault.status, content_type=fault.content_type or content_type)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer


def hang_up(environ: Environ) -> None:
    """Reset the connection under the request; a test client has none."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        connection.shutdown(socket.SHUT_RDWR)


def wait(seconds: float) -> None:
    """Let real time pass."""
    if seconds:
        time.sleep(seconds)
