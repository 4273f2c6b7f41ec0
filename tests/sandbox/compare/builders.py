"""Builds a small truth and the people that match it."""

from itertools import count
from typing import Any

GIVER = {"customer_id": 7, "email": "giver@example.com", "last_name": "Marlow"}


class TruthBuilder:
    """A store's truth in the making."""

    def __init__(self) -> None:
        self.happenings: list[dict[str, Any]] = []
        self.people: list[dict[str, Any]] = [GIVER]

    def happen(self, event: str = "order_new", subject_id: int = 1, **changes: Any) -> None:
        n = len(self.happenings) + 1
        happening = {
            "n": n,
            "event": event,
            "subject": event.partition("_")[0],
            "subject_id": subject_id,
            "detail": None,
            "at": 100 + n,
            "sent_at": 100 + n,
            "person": {"customer_id": GIVER["customer_id"], "email": GIVER["email"]},
            "recipient": None,
            "gift": False,
            "test": False,
            "form": "json",
            "posts": 1,
            "accepted": 1,
            "lost": False,
            "broken": False,
        }
        self.happenings.append(happening | changes)

    def as_json(self) -> dict[str, Any]:
        return {"happenings": self.happenings, "people": self.people, "broken": []}


_cio_ids = count(1)


def person(email: str | None, *events: dict[str, Any], id: str | None = None, **attributes: Any) -> dict[str, Any]:  # noqa: A002
    return {"cio_id": f"c{next(_cio_ids)}", "id": id, "email": email, "attributes": attributes, "events": list(events)}


def giver(*events: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return person("giver@example.com", *events, id="shop_7", **attributes)


def recipient(*events: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return person("gift@example.com", *events, **({"gift_recipient": True} | attributes))


def event(name: str = "order_new", subject_id: int = 1, **data: Any) -> dict[str, Any]:
    return {"name": name, "id": None, "timestamp": 1, "data": {"subject_id": subject_id, **data}, "call": 1}
