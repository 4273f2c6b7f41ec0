"""A receiver that keeps what it is sent, and answers as the test says."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    body: bytes
    content_type: str | None

    @property
    def event(self):
        return self.path.split("/")[2]


@dataclass
class Recorder:
    """`statuses` are used up first; then every answer is 200."""

    received: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: ThreadingHTTPServer | None = None

    def target(self, event):
        return f"http://127.0.0.1:{self.server.server_port}/hooks/{event}/token"

    def take(self, received):
        with self.lock:
            self.received.append(received)
            return self.statuses.pop(0) if self.statuses else 200

    def start(self):
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received = Received(self.command, self.path, body, self.headers.get("Content-Type"))
                self.send_response(recorder.take(received))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                self.do_POST()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        return thread
