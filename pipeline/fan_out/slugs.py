"""Names of attributes made of what the merchant wrote: "Favourite scent?" becomes `favourite_scent`."""

from __future__ import annotations

import re
import unicodedata

MAX_SLUG_CHARACTERS = 60  # Customer.io takes names of 150 bytes
MAX_VALUE_BYTES = 1_000  # of one attribute at Customer.io

_OTHER_CHARACTERS = re.compile(r"[^a-z0-9]+")


def build_slug(text: str) -> str | None:
    """Lower-case ASCII letters and digits, joined by underscores; None if the text has none of them."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    slug = _OTHER_CHARACTERS.sub("_", bare).strip("_")
    return slug[:MAX_SLUG_CHARACTERS].rstrip("_") or None


def cut_value(text: str) -> str:
    """The text, cut to the bytes that an attribute may have, at the end of a character."""
    return text.encode()[:MAX_VALUE_BYTES].decode(errors="ignore")
