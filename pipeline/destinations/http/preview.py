"""The request that carries one message, as text for people: with placeholders for the keys."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from pipeline.core.errors import Misconfigured
from pipeline.core.messages import Message
from pipeline.destinations.base import RequestText
from pipeline.destinations.http.config import hide_secrets, open_document, read_fields
from pipeline.destinations.http.requests import Built, build_message

_HELP = "API_KEY and HOOK_URL stand for what is secret of this connection."


def preview(message: Message, config: Mapping[str, str]) -> RequestText | None:
    """Return the request of a message by the connection's document; None if none is made for it, or none can be."""
    try:
        fields = read_fields(config)
        document = open_document(hide_secrets(fields))
    except Misconfigured:
        return None
    request = document.profile if message.kind == "profile" else document.event
    built = build_message(request, message, fields["account"])
    if not isinstance(built, Built):
        return None
    user = _read_user(built.headers.get("Authorization", ""))
    shown = {name: value for name, value in built.headers.items() if not (user and name == "Authorization")}
    headers = tuple(f"{name}: {value}" for name, value in shown.items())
    return RequestText(built.method, built.url, built.body or b"", user, headers, _HELP)


def _read_user(authorization: str) -> str:
    """Return user and password of basic authentication as they are typed; "" if it is none."""
    kind, _, encoded = authorization.partition(" ")
    return base64.b64decode(encoded).decode() if kind == "Basic" else ""
