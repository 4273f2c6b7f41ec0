"""The request that carries one message, as text for people: with placeholders for the address and the signature."""

from __future__ import annotations

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.base import RequestText
from pipeline.destinations.webhook.messages import build_message
from pipeline.infra.crypto.signed_messages import ID, SIGNATURE, TIMESTAMP

_HELP = (
    "ADDRESS stands for the receiver's address. The receiver refuses this, since TIMESTAMP and SIGNATURE are missing."
)


def preview(message: Message) -> RequestText | None:
    """Return the request of a message; None if it could not be sent."""
    built = build_message(message)
    if isinstance(built, Rejected):
        return None
    headers = (f"{ID}: {built.id}", f"{TIMESTAMP}: TIMESTAMP", f"{SIGNATURE}: v1,SIGNATURE")
    return RequestText("POST", "https://ADDRESS", built.body, headers=headers, help=_HELP)
