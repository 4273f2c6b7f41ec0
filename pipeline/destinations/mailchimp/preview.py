"""The request that carries one message, as text for people: with placeholders for the key and the audience."""

from __future__ import annotations

from pipeline.core.messages import Message, Rejected
from pipeline.destinations.base import RequestText
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.events import build_event
from pipeline.destinations.mailchimp.members import NOT_SUBSCRIBED, build_member, hash_address

_MEMBERS = "https://us1.api.mailchimp.com/3.0/lists/AUDIENCE/members"
_HELP = (
    "API_KEY stands for the key, AUDIENCE for the audience, us1 for the end of the key. Answers to surveys and "
    "variants are added once their merge fields are known."
)


def preview(message: Message) -> RequestText | None:
    """Return the request of a message on its own; None if it could not be sent."""
    if not message.person.email:
        return None
    url = f"{_MEMBERS}/{hash_address(message.person.email)}"
    headers = ("Content-Type: application/json",)
    if message.kind == "profile":
        body = to_json(build_member(message, {}, NOT_SUBSCRIBED))
        whole = f"{url}?skip_merge_validation=true"
        return RequestText("PUT", whole, body, "any:API_KEY", headers, _HELP)
    event = build_event(message, message.written_at / 1_000_000)
    if isinstance(event, Rejected):
        return None
    return RequestText("POST", f"{url}/events", event, "any:API_KEY", headers, _HELP)
