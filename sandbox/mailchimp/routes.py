"""Every path below `/3.0`."""

import re

from sandbox.mailchimp import batches
from sandbox.mailchimp.call import Answer, Call, choose_fields
from sandbox.mailchimp.list_routes import INVALID_PATH, answer_list_call, check_method
from sandbox.mailchimp.problems import not_found
from sandbox.mailchimp.world import World

_BATCH = re.compile(r"/batches/([^/]+)")


def answer_call(world: World, call: Call) -> Answer:
    """Answer a call, or raise a Problem."""
    answer = _answer(world, call)
    return Answer(answer.status, choose_fields(call, answer.content))


def _answer(world: World, call: Call) -> Answer:
    if call.path == "/lists" or call.path.startswith("/lists/"):
        return answer_list_call(world, call)
    if call.path in ("", "/", "/ping"):
        check_method(call, ("GET",))
        return Answer(200, {"health_status": "Everything's Chimpy!"} if call.path == "/ping" else _account(world))
    if call.path == "/batches":
        check_method(call, ("GET", "POST"))
        return batches.post_batch(world, call) if call.method == "POST" else batches.list_batches(world, call)
    found = _BATCH.fullmatch(call.path)
    if found is None:
        raise not_found(INVALID_PATH)
    check_method(call, ("GET", "DELETE"))
    return {"GET": batches.get_batch, "DELETE": batches.delete_batch}[call.method](world, call, found[1])


def _account(world: World) -> dict[str, object]:
    return {
        "account_id": world.account_id,
        "account_name": "Sandbox",
        "email": "owner@example.com",
        "role": world.role,
        "pricing_plan_type": "monthly",
        "total_subscribers": sum(one.status == "subscribed" for each in world.audiences.values() for one in each),
        "account_timezone": "UTC",
    }
