"""Makes HTTP calls to platforms and stores through one pooled session per process; knows no platform."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import requests
import urllib3

from pipeline.infra.http.faults import Fault, classify_transport_error
from pipeline.infra.http.header_deadline import HeaderDeadlineAdapter, PublicOnlyAdapter
from pipeline.infra.tracing import span

CONNECT_TIMEOUT_S = 3.05  # just over 3 s, the time of TCP's first retransmission
READ_TIMEOUT_S = 15.0
BODY_TIMEOUT_S = 30.0  # for the whole body: with a read timeout alone, a slow drip could last for hours
MAX_BODY_BYTES = 64 * 1024
_CHUNK_BYTES = 16 * 1024

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Clock = Callable[[], int]  # µs since the epoch


def wall_clock() -> int:
    """The time of this machine."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """The response to a call. `status` is None if none came; then `fault` says whether the server may have acted."""

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: str = ""
    is_complete: bool = True  # False: the body was too long, too slow or broke off
    fault: Fault | None = None
    error: str | None = None  # a short code, e.g. "timeout while reading"
    started_at: int = 0  # µs
    duration_us: int = 0


class HTTPClient:
    """Makes HTTP calls. Network failures do not raise: they are responses without a status."""

    def __init__(
        self,
        now: Clock = wall_clock,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        adapter: type[HeaderDeadlineAdapter] = HeaderDeadlineAdapter,
    ) -> None:
        self._now = now
        self._adapter = adapter
        self._timeout = timeout
        self._pid_and_session: tuple[int, requests.Session] | None = None

    def now(self) -> int:
        """The time by this client's clock, in µs."""
        return self._now()

    def may_reach(self, url: str) -> bool:
        """Whether this client connects to the host of an address; nothing is sent. Each call looks again."""
        return self._adapter.may_reach(url)

    def call(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = MAX_BODY_BYTES,
    ) -> HTTPResponse:
        """One call, no retries, no redirects, no proxies or credentials from the environment."""
        with span("call", method=method) as annotate:  # no URL: those of platforms contain identifiers
            response = self._call(method, url, headers, body, max_bytes)
            annotate("status", response.status or response.error or "none")
        return response

    def _call(
        self, method: Method, url: str, headers: Mapping[str, str] | None, body: bytes | None, max_bytes: int
    ) -> HTTPResponse:
        started = self._now()
        try:
            response = self._session().request(
                method,
                url,
                data=body,
                headers=dict(headers or {}),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            fault, code = classify_transport_error(error)
            return HTTPResponse(
                None, fault=fault, error=code, started_at=started, duration_us=self._elapsed_us(started)
            )
        text, is_complete = self._read(response, max_bytes)
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return HTTPResponse(
            response.status_code, lowered, text, is_complete, started_at=started, duration_us=self._elapsed_us(started)
        )

    def _read(self, response: requests.Response, max_bytes: int) -> tuple[str, bool]:
        """The body up to `max_bytes`, and whether it is complete: then the connection returns to the pool."""
        read, is_complete, until = bytearray(), True, self._now() + round(BODY_TIMEOUT_S * 1_000_000)
        try:
            while chunk := response.raw.read1(_CHUNK_BYTES):
                read += chunk
                if len(read) > max_bytes or self._now() > until:
                    is_complete = False
                    break
        except (urllib3.exceptions.HTTPError, OSError):
            is_complete = False
        if not is_complete:
            response.close()
        return bytes(read[:max_bytes]).decode("utf-8", "replace"), is_complete

    def _elapsed_us(self, started: int) -> int:
        return max(0, self._now() - started)  # the clock may be set back

    def _session(self) -> requests.Session:
        """Created lazily and per process: a socket shared by parent and child would mix up their responses."""
        pooled = self._pid_and_session
        if pooled is None or pooled[0] != os.getpid():
            pooled = self._pid_and_session = (os.getpid(), _new_session(self._adapter))
        return pooled[1]


operator_http = HTTPClient()  # for addresses that the operator has set; opens no connection before its first call
public_http = HTTPClient(adapter=PublicOnlyAdapter)


def get_merchant_http(*, anywhere: bool) -> HTTPClient:
    """For addresses that a merchant may have named. `anywhere` is the setting `connect_anywhere`."""
    return operator_http if anywhere else public_http


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - requests' signature
        """None. Even with allow_redirects=False, requests would read the whole body and parse the target."""
        return None


def _new_session(adapter_class: type[HeaderDeadlineAdapter]) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no proxies, no .netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # accounts share the session
    session.headers.update({"User-Agent": _user_agent(), "Accept": "application/json", "Accept-Encoding": "identity"})
    adapter = adapter_class(pool_connections=16, pool_maxsize=32, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _user_agent() -> str:
    try:
        return f"cratewire/{version('cratewire')}"
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "cratewire/0"
