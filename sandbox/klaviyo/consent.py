"""Who may get mail: subscriptions and suppressions, and the deletion of a person."""

import secrets
from typing import Any

from sandbox.klaviyo.account import Account
from sandbox.klaviyo.documents import Json, as_object, read_attributes, read_profile, read_profiles
from sandbox.klaviyo.errors import Refusal, invalid

MAX_SUBSCRIBED, MAX_SUPPRESSED = 1_000, 100
SUPPRESSION = "profile-suppression-bulk-create-job"
CHANNELS = ("email", "sms")


def subscribe(account: Account, body: bytes) -> tuple[int, Any]:
    """Subscribe profiles, and lift their suppressions. A historical import starts nothing."""
    attributes = read_attributes(body, "profile-subscription-bulk-create-job")
    profiles = read_profiles(attributes, MAX_SUBSCRIBED)
    is_old = bool(attributes.get("historical_import"))
    for pointer, one in profiles:
        account.profiles.check(_identify(one), f"{pointer}/attributes")
        place = f"{pointer}/attributes/subscriptions"
        consents = _check_consent(one, place, "SUBSCRIBED")
        if is_old and not all(consent.get("consented_at") for consent in consents):
            raise Refusal(400, invalid("A historical import needs consented_at.", place))

    def work() -> None:
        for _, one in profiles:
            profile = account.profiles.take(_identify(one))
            was_subscribed, profile.is_subscribed, profile.is_suppressed = profile.is_subscribed, True, False
            if not is_old and not was_subscribed:
                account.events.start("subscription", profile.id, "Subscribed", 0)

    account.accept(work)
    return 202, None


def unsubscribe(account: Account, body: bytes) -> tuple[int, Any]:
    """Unsubscribe the profiles that there are."""
    profiles = read_profiles(read_attributes(body, "profile-subscription-bulk-delete-job"), MAX_SUBSCRIBED)
    for pointer, one in profiles:
        account.profiles.check(_identify(one), f"{pointer}/attributes")
        _check_consent(one, f"{pointer}/attributes/subscriptions", "UNSUBSCRIBED")

    def work() -> None:
        for _, one in profiles:
            for found in account.profiles.find(_identify(one)):
                found.is_subscribed = False

    account.accept(work)
    return 202, None


def suppress(account: Account, body: bytes) -> tuple[int, Any]:
    """Stop mail to these addresses. One that is unknown becomes a profile."""
    attributes = read_attributes(body, SUPPRESSION)
    profiles = read_profiles(attributes, MAX_SUPPRESSED)
    for pointer, one in profiles:
        if not one.get("email"):
            raise Refusal(400, invalid("An email is required.", f"{pointer}/attributes/email"))
        account.profiles.check(one, f"{pointer}/attributes")

    def work() -> None:
        for _, one in profiles:
            account.profiles.take({"email": one["email"]}).is_suppressed = True

    account.accept(work)
    counts = {"total_count": len(profiles), "completed_count": 0, "skipped_count": 0}
    described = {"status": "queued", "created_at": account.moment().isoformat(), **counts}
    job_id = secrets.token_hex(12)
    links = {"self": f"https://a.klaviyo.com/api/{SUPPRESSION}s/{job_id}/"}
    return 202, {"data": {"type": SUPPRESSION, "id": job_id, "attributes": described, "links": links}}


def delete_person(account: Account, body: bytes) -> tuple[int, Any]:
    """Delete who is named by exactly one identifier. An unknown one is accepted as well."""
    attributes = read_attributes(body, "data-privacy-deletion-job")
    pointer = "/data/attributes/profile"
    named = read_profile(as_object(attributes.get("profile"), pointer).get("data"), f"{pointer}/data")
    if len(named) != 1 or not set(named) <= {"id", "email", "phone_number"}:
        raise Refusal(400, invalid("Exactly one of id, email and phone_number is required.", pointer))

    def work() -> None:
        for found in account.profiles.find(named):
            account.profiles.remove(found)

    account.accept(work)
    return 202, None


def _identify(one: Json) -> Json:
    return {name: one[name] for name in ("id", "email", "phone_number") if one.get(name)}


def _check_consent(one: Json, pointer: str, wanted: str) -> list[Json]:
    """Return the consents of a profile, which must all be this."""
    found = [_marketing(one.get("subscriptions"), channel) for channel in CHANNELS]
    consents = [consent for consent in found if isinstance(consent, dict)]
    if not consents or any(consent.get("consent") != wanted for consent in consents):
        raise Refusal(400, invalid(f"The consent must be {wanted}.", pointer))
    return consents


def _marketing(subscriptions: Any, channel: str) -> Any:
    part = subscriptions.get(channel) if isinstance(subscriptions, dict) else None
    return part.get("marketing") if isinstance(part, dict) else None
