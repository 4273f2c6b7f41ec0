"""Bounds the time until the head of an answer has come: a read timeout alone lets one that drips go on for ever."""

from __future__ import annotations

import socket
import threading
from typing import Any, ClassVar

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.infra.http.public_addresses import PublicAddressMixin

HEADER_TIMEOUT_S = 30.0


class _HeaderDeadline:
    """What urllib3's connections have in common here."""

    sock: Any

    def getresponse(self) -> Any:
        late = threading.Event()
        timer = threading.Timer(HEADER_TIMEOUT_S, _shut_down_socket, (self.sock, late))
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if late.is_set():  # to http.client a head that broke off is a head
            response.close()
            raise TimeoutError
        return response


class _PlainConnection(_HeaderDeadline, HTTPConnection):
    """Without TLS."""


class _TLSConnection(_HeaderDeadline, HTTPSConnection):
    """With it."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _PublicPlainConnection(PublicAddressMixin, _PlainConnection):
    """Without TLS, to public addresses."""


class _PublicTLSConnection(PublicAddressMixin, _TLSConnection):
    """With it."""


class _PublicPlainPool(HTTPConnectionPool):
    ConnectionCls = _PublicPlainConnection


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


class HeaderDeadlineAdapter(HTTPAdapter):
    """requests' adapter, whose connections hang up on a head that takes too long, and may go to anywhere."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PlainPool, "https": _TLSPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class PublicOnlyAdapter(HeaderDeadlineAdapter):
    """The same, whose connections go to public addresses only."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PublicPlainPool, "https": _PublicTLSPool}


def _shut_down_socket(sock: socket.socket, late: threading.Event) -> None:
    """From another thread: whoever reads finds the end. TLS's own farewell would have to wait for the reader."""
    late.set()
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return
