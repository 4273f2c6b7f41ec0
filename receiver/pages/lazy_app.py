"""Passes requests to the applications of the pages and of the API, each built at its first request.

Hooks do not pass through it. Their libraries take a second of CPU to import; a web process that has just started
accepts hooks before that. However many requests there are, most threads stay free for hooks, and one page at a time is
built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from receiver.hooks.rules import Answer
from receiver.networks import find_network
from receiver.problem_details import API_SEGMENT, convert_to_problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MAX_PAGE_REQUESTS = 6  # concurrent page requests; a connect form may wait seconds for Cratejoy
MAX_WAIT_FOR_TURN_S = 1.0
MAX_REQUESTS_PER_NETWORK = 3  # so that one network cannot block others; unknown networks are not limited
BUSY = Answer(
    "503 Service Unavailable",
    [("Content-Type", "text/plain"), ("Retry-After", "5")],
    b"Too many requests at the moment. Please try again in a few seconds.\n",
)
Build = Callable[[], "WSGIApplication"]
_READING = ("GET", "HEAD")


class LazyApp:
    """A WSGI application: passes the core's paths to the core, the API's to the API, and all others to the pages.

    `core_paths`: the core's paths, without the first slash; one that ends with a slash stands for all below it.
    """

    def __init__(
        self,
        core: WSGIApplication,
        core_paths: frozenset[str],
        build: Build,
        public_url: str,
        build_api: Build | None = None,
        max_wait_s: float = MAX_WAIT_FOR_TURN_S,
    ) -> None:
        self._core = core
        self._core_paths = core_paths
        self._pages = _BuiltOnce(build)
        self._api = _BuiltOnce(build_api or build)
        self._concurrency = _ConcurrencyLimit()
        self._turns = _Turns(max_wait_s)
        self._public = urlsplit(public_url)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].lstrip("/")
        first, slash, _ = path.partition("/")
        if not self._core_paths.isdisjoint((path, first + slash)):
            return self._core(environ, start_response)
        network = find_network(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
        is_api = first == API_SEGMENT
        if not self._concurrency.acquire(network):
            busy = convert_to_problem(BUSY) if is_api else BUSY
            start_response(busy.status, busy.headers)
            return [busy.body]
        try:
            app = self._api.get() if is_api else self._pages.get()
            with self._turns.taken(environ["REQUEST_METHOD"]):
                return app(self._as_public(environ), start_response)
        finally:
            self._concurrency.release(network)

    def _as_public(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Set the public URL regardless of the Host header, so that links in mails always lead to our own address."""
        return environ | {
            "HTTP_HOST": self._public.netloc.rpartition("@")[2],
            "wsgi.url_scheme": self._public.scheme,
            "SCRIPT_NAME": self._public.path.rstrip("/"),
        }


class _BuiltOnce:
    """An application that is built when it is first needed."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._built: WSGIApplication | None = None
        self._building = Lock()

    def get(self) -> WSGIApplication:
        """Return the application."""
        with self._building:
            if self._built is None:
                self._built = self._build()
            return self._built


class _Turns:
    """Builds one page after the other. Of threads that build pages at the same time only one runs Python at a time, and
    a hook would have to wait for each of them at each of its steps.

    Who waits for too long begins all the same: the page before may be waiting for the database. What is sent, such as a
    form, takes no turn: it may wait for Cratejoy or a platform.
    """

    def __init__(self, max_wait_s: float) -> None:
        self._turn = Lock()
        self._max_wait_s = max_wait_s

    @contextmanager
    def taken(self, method: str) -> Iterator[None]:
        has_turn = method in _READING and self._turn.acquire(timeout=self._max_wait_s)
        try:
            yield
        finally:
            if has_turn:
                self._turn.release()


class _ConcurrencyLimit:
    """Counts concurrent requests, in total and per network."""

    def __init__(self) -> None:
        self._active: Counter[str | None] = Counter()
        self._lock = Lock()

    def acquire(self, network: str | None) -> bool:
        with self._lock:
            is_network_full = network is not None and self._active[network] >= MAX_REQUESTS_PER_NETWORK
            if is_network_full or self._active.total() >= MAX_PAGE_REQUESTS:
                return False
            self._active[network] += 1
            return True

    def release(self, network: str | None) -> None:
        with self._lock:
            self._active[network] -= 1
            if not self._active[network]:
                del self._active[network]
