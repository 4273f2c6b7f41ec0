"""The columns of a store that say whose data it forwards, and which events it does not."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column


class ConsentSettings:
    """Settings of a store, each changed by a recorded decision: `pipeline.operations.consent`, `switch_events`."""

    not_forwarded: Mapped[list[Any] | None]  # of the events forwarded by default, those switched off
    marketplace_policy: Mapped[str] = mapped_column(default="withhold", server_default="withhold")
    marketplace_policy_by: Mapped[str | None]  # who chose it: a user's id, or "command line"
    marketplace_policy_at: Mapped[int | None]
    marketplace_sources: Mapped[list[Any] | None]  # `source` values that mean Marketplace; None: not answered
    storefront_sources: Mapped[list[Any] | None]  # `source` values that mean the store's own shop
    gift_recipients: Mapped[str] = mapped_column(default="profile", server_default="profile")  # profile, withhold
