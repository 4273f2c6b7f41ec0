"""Read HTTP Basic credentials; whether a pair is valid is decided elsewhere."""

import base64
import binascii
from typing import NamedTuple


class Credentials(NamedTuple):
    """A site id and an API key, as a request claims them."""

    site_id: str
    api_key: str


def read_basic(header: str | None) -> Credentials | None:
    """Return the pair of an `Authorization: Basic` header, or None if it cannot be read."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    site_id, colon, api_key = text.partition(":")
    return Credentials(site_id, api_key) if colon else None
