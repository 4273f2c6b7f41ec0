"""The way from the web server to the pages: built when first asked for, few at a time, under the public address.

Hooks never come here. The pages' libraries take a second of CPU to import, so a web process that has just begun
accepts hooks before that; and however many people look at pages, most threads stay with the hooks.
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

MAX_PAGE_REQUESTS = 6  # requests inside the pages at once; a connect form may wait seconds for Cratejoy
MAX_REQUESTS_PER_NETWORK = 3  # of one network, so that it never keeps others out; an unknown network is none
BUSY_TEXT = b"Too many requests at the moment. Please try again in a few seconds.\n"


class LazyApp:
    """WSGI: what the core serves goes there, everything else to the pages.

    `served_there`: the core's paths, without the first slash; one that ends with a slash stands for all below it.
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
        self._room = _ConcurrencyLimit()
        self._public = urlsplit(public_url)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].lstrip("/")
        first, slash, _ = path.partition("/")
        if not self._core_paths.isdisjoint((path, first + slash)):
            return self._core(environ, start_response)
        network = find_network(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
        if not self._room.enter(network):
            start_response("503 Service Unavailable", [("Content-Type", "text/plain"), ("Retry-After", "5")])
            return [BUSY_TEXT]
        try:
            return self.pages()(self._as_public(environ), start_response)
        finally:
            self._room.leave(network)

    def pages(self) -> WSGIApplication:
        """The pages' application; made at the first call."""
        with self._building:
            if self._built is None:
                self._built = self._build()
            return self._built

    def _as_public(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Whatever Host says: a link in a mail leads to our own address, never to a stranger's."""
        return environ | {
            "HTTP_HOST": self._public.netloc.rpartition("@")[2],
            "wsgi.url_scheme": self._public.scheme,
            "SCRIPT_NAME": self._public.path.rstrip("/"),
        }


class _ConcurrencyLimit:
    """Who is inside: so many in all, and so many of each network."""

    def __init__(self) -> None:
        self._inside: Counter[str | None] = Counter()
        self._lock = Lock()

    def enter(self, network: str | None) -> bool:
        with self._lock:
            crowded = network is not None and self._inside[network] >= MAX_REQUESTS_PER_NETWORK
            if crowded or self._inside.total() >= MAX_PAGE_REQUESTS:
                return False
            self._inside[network] += 1
            return True

    def leave(self, network: str | None) -> None:
        with self._lock:
            self._inside[network] -= 1
            if not self._inside[network]:
                del self._inside[network]
