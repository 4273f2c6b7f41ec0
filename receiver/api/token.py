"""GET /token: what the token of this request may do, for a first call."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from pipeline.ledger.accounts import get_account_name
from pipeline.ledger.api_tokens import SCOPES
from pipeline.ledger.engine import reading
from receiver.api.caller import get_caller, get_context, load_shops
from receiver.api.fields import Document, Moment, RowId
from receiver.api.resource import Answer, Resource, describe, view

blueprint = Resource("token", __name__, description="The token itself.")


class TokenSchema(Document):
    """What a token may do."""

    id = RowId(required=True)
    name = fields.String(required=True, metadata=describe("What it is for."))
    account = fields.String(required=True)
    shops = fields.List(fields.String(), required=True, metadata=describe("The shops of the account, by name."))
    scopes = fields.List(
        fields.String(validate=validate.OneOf(SCOPES)),
        required=True,
        metadata=describe("What it may do: its scopes, as far as its maker's role allows them."),
    )
    expires_at = Moment(required=True)


EXAMPLE = {
    "id": "3",
    "name": "nightly export",
    "account": "default",
    "shops": ["acme"],
    "scopes": ["read", "read-people"],
    "expires_at": "2027-03-01T12:00:00.000000Z",
}


@view(blueprint, "/token", "read", Answer(TokenSchema, EXAMPLE))
def show() -> dict[str, Any]:
    """Show the token

    What it may do and when it ends.
    """
    caller = get_caller()
    with reading(get_context().engine) as conn:
        account, shops = get_account_name(conn, caller.account_id), load_shops(conn)
    return {
        "id": caller.token_id,
        "name": caller.name,
        "account": account,
        "shops": list(shops.values()),
        "scopes": [scope for scope in SCOPES if scope in caller.scopes],
        "expires_at": caller.expires_at,
    }
