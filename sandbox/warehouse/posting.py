"""Sign events and post them, outside the lock, because the receiver may ask the warehouse while it answers."""

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.signed_messages import headers_for
from sandbox.store.webhooks.http_sender import is_loopback
from sandbox.warehouse.floor import Happening
from sandbox.warehouse.generic import messages_out
from sandbox.warehouse.outbox import Listener, Notice
from sandbox.warehouse.threepl import push
from sandbox.warehouse.threepl.signing_key import SigningKey
from sandbox.warehouse.world import World

# 3PL Warehouse Manager waits so long for an answer.
TIMEOUT_S = 3.0
FLAWS = ("none", "wrong_key", "stale", "unsigned", "changed_body")
STALE_S = 3600
WRONG_SECRET = "whsec_d3JvbmctZW11bGF0b3Itc2VjcmV0LTAwMDAwMDA="  # noqa: S105 - invented, and wrong


def post_to_loopback(url: str, headers: Mapping[str, str], body: bytes) -> int | None:
    """Post and return the status, or None without an answer or for an address that is not this machine's."""
    target = urlsplit(url)
    if target.scheme != "http" or not is_loopback(target.hostname):
        return None
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", target.path or "/", body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def note_happening(world: World, happening: Happening) -> None:
    """Put the event of a happening into the outbox, if its protocol has one and a listener."""
    channel, number = happening.order.channel, happening.order.number
    if channel not in world.outbox.listeners:
        return
    event_id = world.floor.new_id()
    if channel == "generic":
        written = messages_out.write_event(happening, world.now)
    else:
        written = push.write_event(happening, event_id, world.now)
    if written:
        world.outbox.add(Notice(channel, written[0], number, f"msg_{event_id}", written[1], world.now))


def flush(world: World) -> list[dict[str, Any]]:
    """Post every event that is due, and return them with their answers."""
    with world.lock:
        due = world.outbox.take_due(world.now)
        calls = [(notice, world.outbox.listeners[notice.channel]) for notice in due]
    for notice, listener in calls:
        with world.lock:
            headers = sign(world, listener, notice.message_id, notice.body)
        status = world.post(listener.url, headers, notice.body)
        with world.lock:
            world.outbox.record(notice, status, world.now)
    return [notice.as_json() for notice in due]


def sign(world: World, listener: Listener, message_id: str, body: bytes, flaw: str = "none") -> dict[str, str]:
    """Return the headers of an event, flawed on request."""
    if flaw == "unsigned":
        return {}
    signed = body + b" " if flaw == "changed_body" else body
    if listener.channel == "generic":
        secret = WRONG_SECRET if flaw == "wrong_key" else listener.secret
        timestamp = int(world.now) - (STALE_S if flaw == "stale" else 0)
        return headers_for(secret, message_id, timestamp, signed)
    key = SigningKey() if flaw == "wrong_key" else world.signing_key
    return {"Signature": key.sign(signed, world.now)}


def send_made_up(world: World, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Post an event that is given word for word; return the status and the id it had."""
    unknown = set(wanted) - {"channel", "type", "data", "body", "message_id", "flaw"}
    channel, flaw = wanted.get("channel", "generic"), wanted.get("flaw", "none")
    if unknown or flaw not in FLAWS or channel not in world.outbox.listeners:
        raise ValueError(f"send needs a channel that is listened to, type and data or body, a flaw of {FLAWS}")
    with world.lock:
        listener = world.outbox.listeners[channel]
        message_id = str(wanted.get("message_id") or f"msg_{world.floor.new_id()}")
        data = wanted.get("data") or {}
        text = wanted.get("body")
        kind = str(wanted.get("type", "shipment.shipped"))
        body = text.encode() if isinstance(text, str) else write_made_up(world, channel, kind, data)
        headers = sign(world, listener, message_id, body, flaw)
    return {"status": world.post(listener.url, headers, body), "message_id": message_id}


def write_made_up(world: World, channel: str, kind: str, data: Mapping[str, Any]) -> bytes:
    """Return the body of an event; 3PL Warehouse Manager's is about the order that `data` names."""
    if channel == "generic":
        return messages_out.write_message(kind, data, world.now)
    order = world.floor.select(str(data.get("order_number")), channel)
    event_id = data.get("event_id")
    return push.write_message(kind, order, event_id if isinstance(event_id, int) else world.floor.new_id(), world.now)
