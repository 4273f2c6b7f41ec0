"""What happens outside the API: what people do with mails and forms, and what the merchant does on the web page."""

from collections.abc import Callable, Mapping

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.member import Member
from sandbox.mailchimp.world import World
from sandbox.mailchimp.writing import set_status


class UnknownAction(ValueError):
    """There is no such action, or no such member."""


def act(world: World, audience: Audience, action: str, address: str) -> None:
    """Let something happen to the member with this address, or raise UnknownAction."""
    if action == "overuse":
        audience.overused.add(address.lower())
        return
    if action == "resubscribe":
        _resubscribe(world, audience, address)
        return
    if action not in ACTIONS:
        known = ", ".join([*ACTIONS, "overuse", "resubscribe"])
        raise UnknownAction(f"there is no action {action!r}; there are {known}")
    member = audience.find(address)
    if member is None:
        raise UnknownAction("there is no such member")
    ACTIONS[action](world, audience, member)


def _leave(status: str, set_by: str, compliance: str | None) -> Callable[[World, Audience, Member], None]:
    def act(world: World, _audience: Audience, member: Member) -> None:
        member.status, member.set_by, member.changed_at = status, set_by, world.now()
        member.compliance = compliance

    return act


def _review(_world: World, _audience: Audience, member: Member) -> None:
    member.compliance = "review"


def _confirm(world: World, audience: Audience, member: Member) -> None:
    if member.status != "pending":
        raise UnknownAction("only a pending member confirms")
    member.compliance = None
    set_status(world, audience, member, "subscribed", "person")


def _resubscribe(world: World, audience: Audience, address: str) -> None:
    member = audience.find_address(address)
    if member is None:
        member = audience.add(address, "transactional", world.now())
        audience.forgotten.discard(member.hash)
    member.compliance = None
    set_status(world, audience, member, "subscribed", "person")


ACTIONS: Mapping[str, Callable[[World, Audience, Member], None]] = {
    "unsubscribe": _leave("unsubscribed", "person", "unsubscribe"),
    "complain": _leave("unsubscribed", "person", "complaint"),
    "bounce": _leave("cleaned", "bounce", "bounce"),
    "unsubscribe_by_admin": _leave("unsubscribed", "admin", None),
    "archive_by_admin": _leave("archived", "admin", None),
    "review": _review,
    "confirm": _confirm,
}
