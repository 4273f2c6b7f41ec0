"""Lets Mailchimp erase a person, by each address (Mailchimp docs, Delete list member permanently).

Mailchimp keeps an erased address out for good: later messages about it are refused. It cannot keep out an address that
was never there; nothing is added for that, since the person did not agree to be there.
"""

from __future__ import annotations

from pipeline.core.messages import Identifiers, Outcome, Reply, Sent
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.destinations.mailchimp.members import UNKNOWN_PERSON, hash_address
from pipeline.destinations.mailchimp.responses import NOT_FOUND, parse_outcome


def forget(client: MailchimpClient, identifiers: Identifiers) -> Reply:
    """Return one outcome: Sent once every address is erased. An address that is not there needs no erasing."""
    if not identifiers.emails:
        return Reply((UNKNOWN_PERSON,))
    outcome: Outcome = Sent()
    for email in identifiers.emails:
        response = client.delete_permanently(hash_address(email))
        outcome = Sent() if response.status == NOT_FOUND else parse_outcome(response)
        if not isinstance(outcome, Sent):
            break
    return Reply((outcome,), tuple(client.calls))
