"""The table of what people's attributes were before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class AttributeChange(Base):
    """One change of a person's attributes, and the event whose hook brought it.

    `data` has the value before of each attribute that changed, null where there was none. So a row costs what changed,
    the first row of a person is empty, and no row repeats what `people.attributes` says. `event_id` is no foreign key:
    an event may be deleted earlier. It is null where no hook brought the change: the store's API did, or a setting.
    """

    __tablename__ = "attribute_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    event_id: Mapped[int | None]
    at: Mapped[int]  # µs: when the hook was received, or the API was asked
    data: Mapped[dict[str, Any]]
