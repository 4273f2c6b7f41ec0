"""Lets Klaviyo delete a person, under each identifier that it may know (Klaviyo docs, Data privacy API).

A deletion is done later, so the addresses of a profile that is there are suppressed first: no mail leaves meanwhile. A
later message about the person makes a new profile: Klaviyo has no way to ignore it.
"""

from __future__ import annotations

from pipeline.core.messages import Identifiers, Outcome, Rejected, Reply, Sent
from pipeline.destinations.json_text import to_json
from pipeline.destinations.klaviyo.client import KlaviyoClient
from pipeline.destinations.klaviyo.profiles import CUSTOMER_ID_PREFIX

SUPPRESS, DELETE = "profile-suppression-bulk-create-jobs", "data-privacy-deletion-jobs"


def forget(client: KlaviyoClient, identifiers: Identifiers) -> Reply:
    """Return one outcome: Sent once every profile with one of the identifiers is to be deleted."""
    named = [  # addresses first: only by an address can a profile be suppressed, and it is deleted but once
        *(("email", email) for email in identifiers.emails),
        *(("external_id", f"{CUSTOMER_ID_PREFIX}{customer_id}") for customer_id in identifiers.customer_ids),
    ]
    if not named:
        return Reply((Rejected("no_identifier", "neither a customer id nor an e-mail address is known"),))
    outcome: Outcome = Sent()
    deleted: set[str] = set()
    for kind, value in named:
        outcome, found = client.find_profile(kind, value)
        if isinstance(outcome, Sent) and found is not None and found.id not in deleted:
            deleted.add(found.id)
            outcome = _delete(client, found.id, value if kind == "email" else None)
        if not isinstance(outcome, Sent):
            break
    return Reply((outcome,), tuple(client.calls))


def _delete(client: KlaviyoClient, profile_id: str, email: str | None) -> Outcome:
    if email is not None:
        people = [{"type": "profile", "attributes": {"email": email}}]
        job = {"type": "profile-suppression-bulk-create-job", "attributes": {"profiles": {"data": people}}}
        _, outcome = client.post(SUPPRESS, to_json({"data": job}), [0])
        if not isinstance(outcome, Sent):
            return outcome
    profile = {"data": {"type": "profile", "id": profile_id}}
    job = {"type": "data-privacy-deletion-job", "attributes": {"profile": profile}}
    return client.post(DELETE, to_json({"data": job}), [0])[1]
