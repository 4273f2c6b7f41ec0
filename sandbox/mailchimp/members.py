"""The calls about members."""

from sandbox.mailchimp.addresses import read_address
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, Json, page
from sandbox.mailchimp.dates import read_time
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.member_body import PATCH_STATUSES, PUT_STATUSES, check_body
from sandbox.mailchimp.problems import Problem, invalid_field, member_exists, not_found
from sandbox.mailchimp.world import World
from sandbox.mailchimp.writing import check_not_forgotten, create, update

SKIP = "skip_merge_validation"
FINAL_FOR_DELETE = ("archived", "pending", "cleaned")
CANNOT_BE_REMOVED = "This list member cannot be removed. Please contact support."


def list_members(world: World, audience: Audience, call: Call) -> Answer:
    """Return a page of the members."""
    members = list(audience)
    if call.query.get("status"):
        members = [one for one in members if one.status == call.query["status"]]
    for name, is_since in (("since_last_changed", True), ("before_last_changed", False)):
        if call.query.get(name):
            at = read_time(name, call.query[name].replace(" ", "+"))  # a plus sign that was not quoted
            members = [one for one in members if (one.changed_at > at) == is_since]
    shown = page(call, "members", members, lambda one: audience.show(one, world.base_url))
    return Answer(200, {**shown, "list_id": audience.id})


def get_member(world: World, audience: Audience, _call: Call, key: str) -> Answer:
    """Return a member, an archived one too."""
    return Answer(200, audience.show(_find(audience, key), world.base_url))


def post_member(world: World, audience: Audience, call: Call) -> Answer:
    """Add a member. Only this call takes tags."""
    body = call.read_object()
    check_body(body, PUT_STATUSES)
    address = read_address(body.get("email_address"), rejects_fake=world.switches.reject_fake)
    if body.get("status") is None:
        raise invalid_field("status", "This value should not be blank.")
    check_not_forgotten(audience, address)
    if audience.find_address(address) is not None:
        raise member_exists(address)
    tags = read_tag_names(body)
    member = create(world, audience, address, body["status"], body, skip=call.has_flag(SKIP))
    add_tags(world, audience, member, tags)
    return Answer(200, audience.show(member, world.base_url))


def put_member(world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Add or change a member. Who exists keeps their status unless `status` is given."""
    body = call.read_object()
    check_body(body, PUT_STATUSES)
    address = read_address(body.get("email_address"), rejects_fake=world.switches.reject_fake)
    check_not_forgotten(audience, address)
    body = {**body, "email_address": address}
    member = audience.find(key)
    if member is None:
        member = _add_by_put(world, audience, call, body)
    else:
        if member.status == "archived" and world.switches.put_on_archived == "returns" and "status_if_new" in body:
            body = {"status": body["status_if_new"], **body}
        update(world, audience, member, body, skip=call.has_flag(SKIP))
    return Answer(200, audience.show(member, world.base_url))


def _add_by_put(world: World, audience: Audience, call: Call, body: Json) -> Member:
    address = body["email_address"]
    if audience.find_address(address) is not None:
        raise member_exists(address)  # the hash in the path is another one
    status = body.get("status_if_new") or body.get("status")
    if status is None:
        raise invalid_field("status_if_new", "This value should not be blank.")
    return create(world, audience, address, status, body, skip=call.has_flag(SKIP))


def patch_member(world: World, audience: Audience, call: Call, key: str) -> Answer:
    """Change a member."""
    body = call.read_object()
    check_body(body, PATCH_STATUSES)
    member = _find(audience, key)
    if "email_address" in body:
        address = read_address(body["email_address"], rejects_fake=world.switches.reject_fake)
        body = {**body, "email_address": address}
    update(world, audience, member, body, skip=call.has_flag(SKIP))
    return Answer(200, audience.show(member, world.base_url))


def archive_member(world: World, audience: Audience, _call: Call, key: str) -> Answer:
    """Archive a member, who keeps their data."""
    member = _find(audience, key)
    if member.status in FINAL_FOR_DELETE:
        raise Problem(405, "Method Not Allowed", CANNOT_BE_REMOVED, allow="GET, PUT")
    member.status, member.set_by, member.changed_at = "archived", "api", world.now()
    return Answer(204)


def delete_permanently(_world: World, audience: Audience, _call: Call, key: str) -> Answer:
    """Erase a member and bar the address. Only the hash names them."""
    member = audience.find_hash(key)
    if member is None:
        raise not_found()
    audience.forget(member)
    return Answer(204)


def read_tag_names(body: Json) -> list[str]:
    """Return the `tags` of a new member."""
    tags = body.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise invalid_field("tags", "Schema describes array of strings.")
    return tags


def add_tags(world: World, audience: Audience, member: Member, names: list[str]) -> None:
    """Tag a member, loudly: there is no flag against it in these calls."""
    for name in names:
        audience.tag_id(name)
        if name not in member.tags:
            member.tags[name] = world.now()
            audience.start(member, "tag_added", name)


def _find(audience: Audience, key: str) -> Member:
    member = audience.find(key)
    if member is None:
        raise not_found()
    return member
