"""Reads Basic authentication, as the store and the warehouse ask for it."""

import base64
import binascii
import hmac


def has_pair(authorization: str, user: str, password: str) -> bool:
    """Is this pair in the header?"""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, f"{user}:{password}".encode())
