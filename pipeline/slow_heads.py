"""Bounds the time until the head of an answer has come: a read timeout alone lets one that drips go on for ever."""

from __future__ import annotations

import socket
import threading
from typing import Any, ClassVar

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.public_only import PublicOnly

HEAD_SECONDS = 30.0


class _Bounded:
    """What urllib3's connections have in common here."""

    sock: Any

    def getresponse(self) -> Any:
        late = threading.Event()
        timer = threading.Timer(HEAD_SECONDS, _hang_up, (self.sock, late))
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


class _Plain(_Bounded, HTTPConnection):
    """Without TLS."""


class _TLS(_Bounded, HTTPSConnection):
    """With it."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLS


class _PublicPlain(PublicOnly, _Plain):
    """Without TLS, to public addresses."""


class _PublicTLS(PublicOnly, _TLS):
    """With it."""


class _PublicPlainPool(HTTPConnectionPool):
    ConnectionCls = _PublicPlain


class _PublicTLSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTLS


class BoundedAdapter(HTTPAdapter):
    """requests' adapter, whose connections hang up on a head that takes too long, and may go to anywhere."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PlainPool, "https": _TLSPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class PublicAdapter(BoundedAdapter):
    """The same, whose connections go to public addresses only."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PublicPlainPool, "https": _PublicTLSPool}


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    """From another thread: whoever reads finds the end. TLS's own farewell would have to wait for the reader."""
    late.set()
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return
