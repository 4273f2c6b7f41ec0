"""One request in, one answer out: who serves which path; it holds the lock and knows no sockets."""

import threading

from sandbox.customerio.control import PREFIX, answer_control
from sandbox.customerio.http_messages import Answer, Request
from sandbox.customerio.pages import answer_page
from sandbox.customerio.state import State
from sandbox.customerio.track_api import answer_track_api

TRACK_PREFIX = "/api/"


class App:
    """The whole sandbox behind one function."""

    def __init__(self, state: State) -> None:
        """Serve this state."""
        self.state = state
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path.startswith(TRACK_PREFIX):
            with self._lock:
                return answer_track_api(self.state, request)
        respond = answer_control if request.path.startswith(PREFIX) else answer_page
        with self._lock:
            write = respond(self.state, request)
        return write()
