"""The one form of an e-mail address: whatever compares, keeps or looks up an address does it in this form."""

from __future__ import annotations

import re
from unicodedata import category, normalize

import idna

from schemas.clean import clean_text

MAX_EMAIL_BYTES = 150  # what the tightest platform takes as an identifier
_INVISIBLE_CATEGORIES = (
    "Cc",
    "Cf",
)  # control and format characters: nobody sees them, and no mail reaches an address that has one
_DOTTED_I = re.compile("i\u0307+")  # the Turkish İ in lower case; an address that begins with it was typed as "i"
_MAX_DOMAIN_CHARS = 253
# Deliberately plain: one @, no blanks or separators, a domain of at least two labels. The platform is the final judge.
_EMAIL_PATTERN = re.compile(r"[^\s@<>()\[\],;:\\\"]+@(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}")


def normalize_email(text: str) -> str | None:
    """The address without what cannot be seen, composed, in lower case, its domain in ASCII; None if nothing is left.

    What is no address keeps what can be seen of it: `is_email` judges.
    """
    if text.isascii() and text.isprintable():
        return text.strip().lower() or None
    seen = "".join(one for one in clean_text(text) if category(one) not in _INVISIBLE_CATEGORIES).strip()
    lowered = normalize("NFC", _DOTTED_I.sub("i", normalize("NFC", seen).lower()))
    local, at, domain = lowered.rpartition("@")
    return f"{local}{at}{_to_ascii(domain)}".strip() or None


def is_email(text: object) -> bool:
    """Whether a text in its normal form can be an address that mail reaches."""
    return isinstance(text, str) and bool(_EMAIL_PATTERN.fullmatch(text)) and len(text.encode()) <= MAX_EMAIL_BYTES


def _to_ascii(domain: str) -> str:
    """A domain as the name system knows it, so that both ways to write one are the same; else as it is."""
    if domain.isascii() or len(domain) > _MAX_DOMAIN_CHARS:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # idna's errors are
        return domain
