"""The keys with which the fulfilment reaches the sandbox warehouse, for each kind of warehouse that it speaks."""

from __future__ import annotations

from sandbox.warehouse.world import Keys

KEYS = Keys()
# Kind of warehouse -> the sandbox's name of the protocol.
CHANNELS = {"cartrover": "cartrover", "extensiv_3pl": "3pl", "signed_webhook": "generic"}
ADAPTERS = tuple(CHANNELS)


def build_config(adapter: str, url: str) -> dict[str, str]:
    """The fields of the connection. `url`: of the sandbox, without a slash at its end."""
    return {
        "cartrover": {"api_user": KEYS.api_user, "api_key": KEYS.api_key, "base_url": f"{url}/cartrover/v1"},
        "extensiv_3pl": {
            "client_id": KEYS.client_id,
            "client_secret": KEYS.client_secret,
            "user_login": KEYS.user_login,
            "customer_id": "7",
            "facility": "1",
            "base_url": f"{url}/3pl",
        },
        "signed_webhook": {
            "url": f"{url}/generic",
            "secret": KEYS.webhook_secret,
            "inbound_secret": KEYS.webhook_secret,
        },
        "spreadsheet": {"preset": "generic"},
    }[adapter]
