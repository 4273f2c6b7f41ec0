"""`POST /lists/{id}`: up to 500 members in one call, with an error for each that is refused."""

from typing import Any

from sandbox.mailchimp.addresses import hash_address, read_address
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, Json
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.member_body import PUT_STATUSES, check_body
from sandbox.mailchimp.members import SKIP, add_tags, read_tag_names
from sandbox.mailchimp.problems import Problem, invalid_field
from sandbox.mailchimp.world import World
from sandbox.mailchimp.writing import check_not_forgotten, create, update

MAX_MEMBERS = 500
EXISTS = "ERROR_CONTACT_EXISTS"
GENERIC = "ERROR_GENERIC"


def post_members(world: World, audience: Audience, call: Call) -> Answer:
    """Add and change members. The status of one who exists is overwritten if `update_existing`."""
    body = call.read_object()
    entries = body.get("members")
    if not isinstance(entries, list) or not entries or len(entries) > MAX_MEMBERS:
        raise invalid_field("members", f"This is an array of 1 to {MAX_MEMBERS} members.")
    created: list[Member] = []
    updated: list[Member] = []
    errors: list[Json] = []
    seen: set[str] = set()
    for entry in entries:
        key = hash_address(str(entry.get("email_address") or "")) if isinstance(entry, dict) else ""
        if key in seen:
            if not call.has_flag("skip_duplicate_check"):
                errors.append(_error(entry, GENERIC, "This address is in the call more than once."))
            continue
        seen.add(key)
        try:
            was_created, member = _write(world, audience, call, entry, body)
        except Problem as problem:
            errors.append(_describe(entry, problem))
        else:
            (created if was_created else updated).append(member)
    return Answer(
        200,
        {
            "new_members": [audience.show(one, world.base_url) for one in created],
            "updated_members": [audience.show(one, world.base_url) for one in updated],
            "errors": errors,
            "total_created": len(created),
            "total_updated": len(updated),
            "error_count": len(errors),
        },
    )


def _write(world: World, audience: Audience, call: Call, entry: Any, body: Json) -> tuple[bool, Member]:
    """Return whether the member counts as created, and the member."""
    if not isinstance(entry, dict):
        raise invalid_field("members", "Schema describes object.")
    check_body(entry, PUT_STATUSES)
    address = read_address(entry.get("email_address"), rejects_fake=world.switches.reject_fake)
    check_not_forgotten(audience, address)
    tags = read_tag_names(entry)
    member = audience.find_address(address)
    was_archived = member is not None and member.status == "archived"
    if member is None:
        if entry.get("status") is None:
            raise invalid_field("status", "This value should not be blank.")
        member = create(world, audience, address, entry["status"], entry, skip=call.has_flag(SKIP))
        add_tags(world, audience, member, tags)
        return True, member
    if not was_archived and body.get("update_existing") is not True:
        raise Problem(400, "Member Exists", f"{address} is already a list member")
    update(world, audience, member, {**entry, "email_address": address}, skip=call.has_flag(SKIP))
    if body.get("sync_tags") is True:
        member.tags = {name: at for name, at in member.tags.items() if name in tags}
    add_tags(world, audience, member, tags)
    return was_archived, member


def _describe(entry: Any, problem: Problem) -> Json:
    field, message = problem.errors[0] if problem.errors else ("", "")
    code = EXISTS if problem.title == "Member Exists" else GENERIC
    return _error(entry, code, message or problem.detail, field, message)


def _error(entry: Any, code: str, text: str, field: str = "", message: str = "") -> Json:
    address = entry.get("email_address", "") if isinstance(entry, dict) else ""
    return {
        "email_address": address,
        "error": text,
        "error_code": code,
        "field": field,
        "field_message": message,
    }
