"""Writes a member: the rules of statuses, compliance, addresses and fields that all calls share."""

from typing import Any

from sandbox.mailchimp import merge_values
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Json
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.member_body import read_details
from sandbox.mailchimp.problems import forgotten, in_compliance_state, invalid, invalid_field
from sandbox.mailchimp.world import World

ADDRESS_FIELD = "email address"  # with a space, as recorded
TOO_MANY_SIGNUPS = "has signed up to a lot of lists very recently; we're not allowing more signups for now"


def create(world: World, audience: Audience, address: str, status: str, body: Json, *, skip: bool) -> Member:
    """Add a member. The caller has looked whether there is one."""
    if address.lower() in audience.overused:
        raise invalid(f"{address} {TOO_MANY_SIGNUPS}")
    values = _check_values(world, audience, {}, body, skip=skip)
    member = audience.add(address, status, world.now())
    world.took(member, "profile")
    member.merge = values
    _set_details(world, member, body)
    _record_status(audience, member, before=None)
    return member


def update(world: World, audience: Audience, member: Member, body: Json, *, skip: bool) -> None:
    """Change a member, whose status changes only where `status` says so, or nothing at all if anything is refused."""
    address = body.get("email_address", member.address)
    check_address_change(world, audience, member, address)
    status = body.get("status")
    if status == "subscribed" and is_barred(world, member):
        raise in_compliance_state(member.address)
    member.merge = _check_values(world, audience, member.merge, body, skip=skip)
    if address != member.address:
        audience.move(member, address)
    world.took(member, "profile")
    _set_details(world, member, body)
    member.changed_at = world.now()
    if status is not None:
        set_status(world, audience, member, status)


def is_barred(world: World, member: Member) -> bool:
    """May no call subscribe this member?"""
    if member.status == "unsubscribed" and not world.switches.resubscribe:
        return True
    return member.compliance is not None or member.status == "cleaned"


def set_status(world: World, audience: Audience, member: Member, status: str, set_by: str = "api") -> None:
    """Set a status, and note what that starts."""
    before = member.status
    member.set_by, member.changed_at = set_by, world.now()
    if status != before:
        member.status, member.status_at = status, world.now()
    _record_status(audience, member, before)


def check_address_change(world: World, audience: Audience, member: Member, address: str) -> None:
    """Raise a Problem unless the member can have this address."""
    other = audience.find_address(address)
    if other is member:
        return
    word = "Deleted" if audience.has_forgotten(address) else other.status_word if other else None
    if word is not None:
        why = f'"{address}" is already in this list with a status of "{word}".'
        raise invalid_field(ADDRESS_FIELD, why)
    if member.status != "subscribed" and world.switches.address_change == "subscribed":
        why = 'You can only update email addresses for members with a status of "subscribed."'
        raise invalid_field(ADDRESS_FIELD, f'This member\'s status is "{member.status}." {why}')


def check_not_forgotten(audience: Audience, address: str) -> None:
    """Raise a Problem for an address that was permanently deleted."""
    if audience.has_forgotten(address):
        raise forgotten(address)


def _check_values(world: World, audience: Audience, stored: Json, body: Json, *, skip: bool) -> Json:
    """Return the merge fields after this write, or raise a Problem; until here nothing has changed."""
    audience.check_permissions(body.get("marketing_permissions", []))
    refuses = world.switches.unknown_tags == "refused"
    given = body.get("merge_fields", {})
    return merge_values.merge(audience.fields, stored, given, skip=skip, refuses_unknown=refuses)


def _set_details(world: World, member: Member, body: Json) -> None:
    details: dict[str, Any] = read_details(body)
    for name in ("interests", "location"):
        if name in details:
            details[name] = {**member.details.get(name, {}), **details[name]}
    if "marketing_permissions" in body:
        given = {one["marketing_permission_id"]: one["enabled"] for one in body["marketing_permissions"]}
        details["marketing_permissions"] = {**member.details.get("marketing_permissions", {}), **given}
    if body.get("status", body.get("status_if_new")) == "subscribed" and "timestamp_opt" not in member.details:
        details.setdefault("timestamp_opt", world.now())
    member.details |= details


def _record_status(audience: Audience, member: Member, before: str | None) -> None:
    if member.status == before or (before is None and member.status not in ("subscribed", "pending")):
        return
    kinds = {"subscribed": "joined", "pending": "confirmation_mail"}
    audience.start(member, kinds.get(member.status, "status_changed"), member.status)
