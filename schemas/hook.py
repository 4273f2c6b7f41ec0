"""A web hook as registered at the store: which event is sent to which URL."""

from __future__ import annotations

from schemas.base import Resource, ResourceData
from schemas.fields import Flag, Id, Text, Time


class Hook(ResourceData, total=False):
    """A hook, as loaded."""

    name: str | None
    event: str | None
    request_type: str | None
    target: str | None
    querystring: str | None
    enabled: bool | None
    created_at: str | None
    store_id: int | None


class HookSchema(Resource):
    """A hook, as sent."""

    name = Text()
    event = Text()
    request_type = Text()
    target = Text()
    querystring = Text()
    enabled = Flag()
    created_at = Time()
    store_id = Id()
