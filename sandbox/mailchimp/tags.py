"""The calls about a member's tags."""

from typing import Any

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, page
from sandbox.mailchimp.dates import iso
from sandbox.mailchimp.problems import invalid_field, not_found
from sandbox.mailchimp.world import World


def post_tags(world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Add and remove tags; those that are not named stay. A body without `tags` does nothing, and says so nowhere."""
    member = audience.find_hash(key)
    if member is None:
        raise not_found()
    body = call.read_object()
    wanted = body.get("tags")
    if wanted is None:
        world.warn(path=call.path, why="a body without `tags` changes nothing")
        return Answer(204)
    _check(wanted)
    for one in wanted:
        if one["status"] == "inactive":
            member.tags.pop(one["name"], None)
        elif one["name"] not in member.tags:
            audience.tag_id(one["name"])
            member.tags[one["name"]] = world.now()
            if body.get("is_syncing") is not True:
                audience.start(member, "tag_added", one["name"])
    return Answer(204)


def list_tags(_world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Return a page of a member's tags."""
    member = audience.find(key)
    if member is None:
        raise not_found()
    tags = [
        {"id": audience.tag_id(name), "name": name, "date_added": iso(added)} for name, added in member.tags.items()
    ]
    return Answer(200, page(call, "tags", tags, dict))


def _check(wanted: Any) -> None:
    if not isinstance(wanted, list):
        raise invalid_field("tags", "Schema describes array.")
    for number, one in enumerate(wanted):
        if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not one["name"]:
            raise invalid_field(f"tags.item:{number}.name", "This value should not be blank.")
        if one.get("status") not in ("active", "inactive"):
            raise invalid_field(f"tags.item:{number}.status", "The status is active or inactive.")
