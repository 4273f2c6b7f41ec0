"""Messages for tests of destinations. All people are invented."""

from __future__ import annotations

import hashlib
from typing import Any

from pipeline.core.messages import Message, PersonRef

AT = 1_772_470_000
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def person(number: int, *, customer: bool = True) -> PersonRef:
    return PersonRef(number, 7000 + number if customer else None, f"person-{number}@example.com")


def ulid(key: str) -> str:
    digits = hashlib.sha256(key.encode()).digest()
    return "01HF7YAT00" + "".join(_CROCKFORD[byte & 31] for byte in digits[:16])


def profile(delivery_id: int, who: PersonRef, *, has_profile: bool = True, **data: Any) -> Message:
    return Message(delivery_id, who, "profile", AT, data or {"plan": "Sample Box"}, has_profile=has_profile)


def event(
    delivery_id: int, who: PersonRef, name: str | None = "order_new", *, has_profile: bool = True, **data: Any
) -> Message:
    content = data or {"order_id": delivery_id}
    return Message(delivery_id, who, "event", AT, content, name, ulid(str(delivery_id)), has_profile)
