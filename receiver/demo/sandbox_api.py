"""Asks the sandboxes, as a merchant and a spectator would: JSON over loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import CratewireError

_TIMEOUT_S = 60
_MIN_ERROR_STATUS = 400


def call_sandbox(url: str, body: Any = None, *, user: tuple[str, str] | None = None) -> Any:
    """GET, or POST if there is a body. Raises CratewireError for anything but a success with JSON."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_TIMEOUT_S)
    headers = {"Accept": "application/json", "Content-Type": "application/json", **_build_basic_auth(user)}
    payload = None if body is None else json.dumps(body)
    try:
        connection.request("GET" if body is None else "POST", place.path, payload, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status >= _MIN_ERROR_STATUS:
            raise CratewireError(f"{place.path} answered {response.status}")
        return json.loads(text) if text.strip() else None
    except OSError as error:
        raise CratewireError(f"{place.path} could not be asked: {type(error).__name__}") from error
    finally:
        connection.close()


def _build_basic_auth(user: tuple[str, str] | None) -> Mapping[str, str]:
    return {} if user is None else {"Authorization": "Basic " + base64.b64encode(":".join(user).encode()).decode()}
