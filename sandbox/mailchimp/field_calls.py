"""The calls about merge fields."""

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.call import Answer, Call, page
from sandbox.mailchimp.merge_fields import MAX_FIELDS, MAX_PREMIUM_FIELDS, MergeField
from sandbox.mailchimp.problems import not_found
from sandbox.mailchimp.world import World


def list_fields(_world: World, audience: Audience, call: Call) -> Answer:
    """Return a page of the fields; EMAIL is not among them."""
    shown = page(call, "merge_fields", list(audience.fields), lambda one: one.as_json(audience.id))
    return Answer(200, {**shown, "list_id": audience.id})


def post_field(world: World, audience: Audience, call: Call) -> Answer:
    """Make a field."""
    most = MAX_PREMIUM_FIELDS if world.switches.premium else MAX_FIELDS
    limit = most - 1 if world.switches.counts_email_field else most
    return Answer(200, audience.fields.create(call.read_object(), limit).as_json(audience.id))


def get_field(_world: World, audience: Audience, _call: Call, merge_id: str) -> Answer:
    """Return a field."""
    return Answer(200, _find(audience, merge_id).as_json(audience.id))


def patch_field(_world: World, audience: Audience, call: Call, merge_id: str) -> Answer:
    """Change a field; a new tag takes the values along."""
    field = _find(audience, merge_id)
    before = field.tag
    audience.fields.change(field, call.read_object())
    for member in audience:
        if before in member.merge:
            member.merge[field.tag] = member.merge.pop(before)
    return Answer(200, field.as_json(audience.id))


def delete_field(_world: World, audience: Audience, _call: Call, merge_id: str) -> Answer:
    """Delete a field, and everyone's value of it."""
    drop_field(audience, _find(audience, merge_id))
    return Answer(204)


def drop_field(audience: Audience, field: MergeField) -> None:
    """Remove a field, and everyone's value of it."""
    audience.fields.remove(field)
    for member in audience:
        member.merge.pop(field.tag, None)


def _find(audience: Audience, merge_id: str) -> MergeField:
    field = audience.fields.find(merge_id)
    if field is None:
        raise not_found()
    return field
