"""An HTTP/1.1 server with keep-alive on loopback, and the faults that need a socket."""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from sandbox.customerio.http_messages import Answer, Request, Transmission, phrase
from sandbox.customerio.limits import REQUEST_BYTES

# Closing a socket with this option set sends a reset instead of a farewell.
_NO_LINGER = struct.pack("ii", 1, 0)
_SURPLUS_BYTES = 64


class Server(ThreadingHTTPServer):
    """One thread per connection; `stopping` wakes the responses that are delayed."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        """Listen on 127.0.0.1; port 0 selects a free port. With a TLS context the server uses HTTPS."""
        self.answer = answer
        self.stopping = threading.Event()
        self.scheme = "https" if tls else "http"
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            # Each connection does its handshake in its own thread at its first read: a silent client blocks no other.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Return the address it listens on."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """Stop listening and release all delayed responses."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnected or use no TLS; print every other error, which is a bug of the sandbox."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """A connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """Serve any method; the app decides."""
        length = int(self.headers.get("Content-Length") or 0)
        if "Transfer-Encoding" in self.headers or length > REQUEST_BYTES:
            self.close_connection = True
            self._write(Answer(413 if length else 411))
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, dict(parse_qsl(query)), headers, self.rfile.read(length))
        answer = self.server.answer(request)
        if answer.delay_s:
            self.server.stopping.wait(answer.delay_s)
        self._transmit(answer)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 (http.server requires these names)

    def log_message(self, *_: object) -> None:
        """Keep quiet; the calls are in the call log."""

    def _transmit(self, answer: Answer) -> None:
        if answer.transmission is Transmission.WHOLE:
            self._write(answer)
        elif answer.transmission is Transmission.SHORT:
            self.close_connection = True
            self._write(answer, surplus=_SURPLUS_BYTES)
        elif answer.transmission is Transmission.SLOW:
            self._write_slowly(answer)
        else:
            self.server.stopping.wait(answer.transmission_s)
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def _head(self, answer: Answer, length: int) -> bytes:
        reason = phrase(answer.status)
        lines = [f"HTTP/1.1 {answer.status} {reason}", f"date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"status: {answer.status} {reason}", f"content-length: {length}"]
        lines += ["connection: close"] if self.close_connection else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _write(self, answer: Answer, surplus: int = 0) -> None:
        self.wfile.write(self._head(answer, len(answer.body) + surplus) + answer.body)

    def _write_slowly(self, answer: Answer) -> None:
        self.wfile.write(self._head(answer, len(answer.body)))
        for byte in answer.body:
            self.server.stopping.wait(answer.transmission_s)
            self.wfile.write(bytes([byte]))
