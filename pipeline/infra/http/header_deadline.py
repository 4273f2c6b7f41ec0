"""Limits the time until a response's headers are complete: a read timeout alone lets a slow drip go on for ever."""

from __future__ import annotations

import socket
import threading
from http.client import HTTPException
from typing import Any, ClassVar
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.infra.http.public_addresses import PublicAddressMixin, is_public_host

HEADER_TIMEOUT_S = 30.0


class _HeaderDeadline:
    """A mixin for urllib3's connections: shuts the socket down when the headers take too long."""

    sock: Any

    def getresponse(self) -> Any:
        timed_out = threading.Event()
        timer = threading.Timer(HEADER_TIMEOUT_S, _shut_down_socket, (self.sock, timed_out))
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()  # type: ignore[misc]
        except (OSError, HTTPException):
            if timed_out.is_set():  # it broke off because we have shut it down
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()
        if timed_out.is_set():  # http.client takes headers that broke off as complete
            response.close()
            raise TimeoutError
        return response


class _PlainConnection(_HeaderDeadline, HTTPConnection):
    """Without TLS."""


class _TLSConnection(_HeaderDeadline, HTTPSConnection):
    """With TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _PublicPlainConnection(PublicAddressMixin, _PlainConnection):
    """Without TLS, to public addresses."""


class _PublicTLSConnection(PublicAddressMixin, _TLSConnection):
    """With TLS, to public addresses."""


class _PublicPlainPool(HTTPConnectionPool):
    ConnectionCls = _PublicPlainConnection


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


class HeaderDeadlineAdapter(HTTPAdapter):
    """An adapter of requests whose connections close when the headers take too long. Connects to any address."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PlainPool, "https": _TLSPool}

    @staticmethod
    def may_reach(url: str) -> bool:  # noqa: ARG004 - what others look at
        """Whether it would connect to the host of this address."""
        return True

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class PublicOnlyAdapter(HeaderDeadlineAdapter):
    """A HeaderDeadlineAdapter that connects to public addresses only."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PublicPlainPool, "https": _PublicTLSPool}

    @staticmethod
    def may_reach(url: str) -> bool:
        """Whether every address of its host is public. A name that is not resolved now is judged when it is called."""
        return is_public_host(urlsplit(url).hostname or "")


def _shut_down_socket(sock: socket.socket, timed_out: threading.Event) -> None:
    """Shut down from the timer's thread, so that the reader meets the end. TLS's close would wait for the reader."""
    timed_out.set()
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return
