"""Finds a person's address and name in text and in the bytes of a hook, in every form in which a hook writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from schemas.email import is_email, normalize_email

_MAX_ESCAPES = 3  # JSON in a form in JSON
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/\"'\\]))")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"'=&{}|]{1,150}@[^\s@<>()\[\],;:\\\"'=&{}|/?]{1,150}")
MIN_WORD_CHARACTERS = 3  # of a name; shorter words are in too many texts


def list_views(raw: bytes, query: str | None = None) -> list[str]:
    """The text as it is, and as it is once its URL and JSON escapes are undone, one level at a time."""
    text = raw.decode("utf-8", "replace") + ("\n" + query if query else "")
    views = [text]
    for _ in range(_MAX_ESCAPES):
        plain = _unescape(unquote_plus(views[-1]) if "%" in views[-1] or "+" in views[-1] else views[-1])
        if plain == views[-1]:
            break
        views += [_unescape(views[-1]), plain]
    return list(dict.fromkeys(views))


def find_addresses(views: Iterable[str]) -> set[str]:
    """The normalised e-mail addresses in these texts."""
    found = {normalize_email(match.rstrip(".")) for view in views if "@" in view for match in _ADDRESS.findall(view)}
    return {address for address in found if address is not None and is_email(address)}


def split_words(names: Iterable[str]) -> set[str]:
    """The words of names that are long enough to be searched for."""
    words = (word.strip(".,'\"()").casefold() for name in names for word in name.split())
    return {word for word in words if len(word) >= MIN_WORD_CHARACTERS}


def build_pattern(phrases: Iterable[str], words: Iterable[str] = ()) -> re.Pattern[str] | None:
    """Matches case-folded texts that contain one of the phrases anywhere, or one of the words as a word."""
    parts = [re.escape(phrase.casefold()) for phrase in sorted(phrases) if phrase]
    parts += [rf"(?<!\w){re.escape(word.casefold())}(?!\w)" for word in sorted(words) if word]
    return re.compile("|".join(parts)) if parts else None


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    plain = _JSON_ESCAPE.sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
