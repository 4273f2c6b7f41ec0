"""Passes page requests to the pages' application, which is built at the first one. Limits concurrent requests.

Hooks do not pass through it. The pages' libraries take a second of CPU to import; a web process that has just started
accepts hooks before that. However many page requests there are, most threads stay free for hooks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from receiver.networks import find_network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MAX_PAGE_REQUESTS = 6  # concurrent page requests; a connect form may wait seconds for Cratejoy
MAX_REQUESTS_PER_NETWORK = 3  # so that one network cannot block others; unknown networks are not limited
BUSY_TEXT = b"Too many requests at the moment. Please try again in a few seconds.\n"


class LazyApp:
    """A WSGI application: passes the core's paths to the core, and all others to the pages.

    `core_paths`: the core's paths, without the first slash; one that ends with a slash stands for all below it.
    """

    def __init__(
        self,
        core: WSGIApplication,
        core_paths: frozenset[str],
        build: Callable[[], WSGIApplication],
        public_url: str,
    ) -> None:
        self._core = core
        self._core_paths = core_paths
        self._build = build
        self._built: WSGIApplication | None = None
        self._building = Lock()
        self._concurrency = _ConcurrencyLimit()
        self._public = urlsplit(public_url)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].lstrip("/")
        first, slash, _ = path.partition("/")
        if not self._core_paths.isdisjoint((path, first + slash)):
            return self._core(environ, start_response)
        network = find_network(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
        if not self._concurrency.acquire(network):
            start_response("503 Service Unavailable", [("Content-Type", "text/plain"), ("Retry-After", "5")])
            return [BUSY_TEXT]
        try:
            return self.pages()(self._as_public(environ), start_response)
        finally:
            self._concurrency.release(network)

    def pages(self) -> WSGIApplication:
        """Return the pages' application; built at the first call."""
        with self._building:
            if self._built is None:
                self._built = self._build()
            return self._built

    def _as_public(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Set the public URL regardless of the Host header, so that links in mails always lead to our own address."""
        return environ | {
            "HTTP_HOST": self._public.netloc.rpartition("@")[2],
            "wsgi.url_scheme": self._public.scheme,
            "SCRIPT_NAME": self._public.path.rstrip("/"),
        }


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
