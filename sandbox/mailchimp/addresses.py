"""E-mail addresses: the key of a member, and which ones Mailchimp refuses."""

import hashlib
import re
from typing import Any

from sandbox.mailchimp.problems import invalid, invalid_field

_LOCAL = re.compile(r"[^\s@,;<>()\[\]\"\\]{1,64}")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
FAKE_HOSTS = ("example.com", "example.net", "example.org", "mailinator.com", "test.com")
FAKE_ENDINGS = (".vom", ".con", ".test", ".invalid", ".example")


def hash_address(address: str) -> str:
    """Return the member's key: the MD5 of the lower-cased address."""
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


def read_address(given: Any, *, rejects_fake: bool) -> str:
    """Return an address without blanks around it, or raise why it is refused."""
    if given in (None, ""):
        raise invalid_field("email_address", "This value should not be blank.")
    if not isinstance(given, str):
        raise invalid_field("email_address", "Schema describes string.")
    address = given.strip()
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or not domain:
        raise invalid("Please provide a valid email address.")
    labels = domain.split(".")
    if "." not in domain or not all(_LABEL.fullmatch(label) for label in labels):
        why = f"The domain portion of the email address is invalid (the portion after the @: {domain})"
        raise invalid(why)
    if rejects_fake and (domain.lower() in FAKE_HOSTS or domain.lower().endswith(FAKE_ENDINGS)):
        raise invalid(f"{address} looks fake or invalid, please enter a real email address.")
    return address
