"""The paths below `/lists`, which may also be operations of a batch."""

import re
from collections.abc import Callable, Mapping

from sandbox.mailchimp import bulk, events, field_calls, members, tags
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, page
from sandbox.mailchimp.problems import Problem, not_found
from sandbox.mailchimp.world import World

Handler = Callable[..., Answer]
INVALID_PATH = "Invalid path"


def get_list(world: World, audience: Audience, _call: Call) -> Answer:
    """Return an audience."""
    return Answer(200, audience.as_json(world.now()))


ROUTES: tuple[tuple[str, Mapping[str, Handler]], ...] = (
    ("", {"GET": get_list, "POST": bulk.post_members}),
    ("/merge-fields", {"GET": field_calls.list_fields, "POST": field_calls.post_field}),
    (
        "/merge-fields/([^/]+)",
        {"GET": field_calls.get_field, "PATCH": field_calls.patch_field, "DELETE": field_calls.delete_field},
    ),
    ("/members", {"GET": members.list_members, "POST": members.post_member}),
    (
        "/members/([^/]+)",
        {
            "GET": members.get_member,
            "PUT": members.put_member,
            "PATCH": members.patch_member,
            "DELETE": members.archive_member,
        },
    ),
    ("/members/([^/]+)/actions/delete-permanent", {"POST": members.delete_permanently}),
    ("/members/([^/]+)/tags", {"GET": tags.list_tags, "POST": tags.post_tags}),
    ("/members/([^/]+)/events", {"GET": events.list_events, "POST": events.post_event}),
)
_COMPILED = tuple((re.compile(f"/lists/([^/]+){pattern}"), handlers) for pattern, handlers in ROUTES)


def answer_list_call(world: World, call: Call) -> Answer:
    """Answer a call below `/lists`, or raise a Problem."""
    if call.path == "/lists":
        check_method(call, ("GET",))
        shown = page(call, "lists", list(world.audiences.values()), lambda one: one.as_json(world.now()))
        constraints = {"may_create": False, "max_instances": len(world.audiences)}
        return Answer(200, {**shown, "constraints": {**constraints, "current_total_instances": len(world.audiences)}})
    for pattern, handlers in _COMPILED:
        found = pattern.fullmatch(call.path)
        if found:
            check_method(call, tuple(handlers))
            list_id, *names = found.groups()
            return handlers[call.method](world, world.find_audience(list_id), call, *names)
    raise not_found(INVALID_PATH)


def check_method(call: Call, allowed: tuple[str, ...]) -> None:
    """Raise a Problem for another method than these."""
    if call.method not in allowed:
        why = "The requested method and resource are not compatible. See the Allow header for this resource."
        raise Problem(405, "Method Not Allowed", why, allow=", ".join(allowed))
