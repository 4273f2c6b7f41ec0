"""Normalises e-mail addresses. Addresses are compared, stored and looked up in this form only."""

from __future__ import annotations

import re
from unicodedata import category, normalize

import idna

from schemas.safe_values import clean_text

MAX_EMAIL_BYTES = 150  # the smallest limit of any platform for an identifier
# Control and format characters: they are invisible, and no mail reaches an address that has one.
_INVISIBLE_CATEGORIES = ("Cc", "Cf")
_DOTTED_I = re.compile("i\u0307+")  # the Turkish İ in lower case; the user meant "i"
_MAX_DOMAIN_CHARS = 253
# Deliberately plain: one @, no blanks or separators, a domain of at least two labels. The platform has the last word.
_EMAIL_PATTERN = re.compile(r"[^\s@<>()\[\],;:\\\"]+@(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}")


def normalize_email(text: str) -> str | None:
    """Return the address without invisible characters, composed, in lower case, its domain in ASCII; None if empty.

    A text that is no address is normalised too; `is_email` checks.
    """
    if text.isascii() and text.isprintable():
        return text.strip().lower() or None
    visible = "".join(char for char in clean_text(text) if category(char) not in _INVISIBLE_CATEGORIES).strip()
    lowered = normalize("NFC", _DOTTED_I.sub("i", normalize("NFC", visible).lower()))
    local, at, domain = lowered.rpartition("@")
    return f"{local}{at}{_to_ascii(domain)}".strip() or None


def is_email(text: object) -> bool:
    """Return whether a normalised text can be an address that mail reaches."""
    return isinstance(text, str) and bool(_EMAIL_PATTERN.fullmatch(text)) and len(text.encode()) <= MAX_EMAIL_BYTES


def _to_ascii(domain: str) -> str:
    """Return a domain as DNS has it, so that both spellings of an international one are the same; else as it is."""
    if domain.isascii() or len(domain) > _MAX_DOMAIN_CHARS:
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # the base class of idna's errors
        return domain
