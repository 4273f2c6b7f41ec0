"""Route each request to its handler, under the lock that guards the state."""

import threading

from sandbox.customerio.control import PREFIX, answer_control
from sandbox.customerio.http_messages import Answer, Request
from sandbox.customerio.pages import answer_page
from sandbox.customerio.state import State
from sandbox.customerio.track_api import answer_track_api

TRACK_PREFIX = "/api/"


class App:
    """The sandbox as a function from request to response."""

    def __init__(self, state: State) -> None:
        """Create an application that serves this state."""
        self.state = state
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        """Return the response to a request."""
        if request.path.startswith(TRACK_PREFIX):
            with self._lock:
                return answer_track_api(self.state, request)
        respond = answer_control if request.path.startswith(PREFIX) else answer_page
        with self._lock:
            write = respond(self.state, request)
        return write()
