"""Puts the parts of the way in together. Opens nothing: the writer does, in the process that serves."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline import tokens
from pipeline.inbox.client import connect
from pipeline.inbox.kicker import Kicker
from pipeline.inbox.spools import Spools
from pipeline.inbox.stream import has_room
from pipeline.inbox.tap import Tap
from pipeline.inbox.way_in import WayIn
from pipeline.inbox.writer import Writer
from pipeline.ledger.engine import make_engine
from pipeline.ledger.revocations import Revocations
from pipeline.settings import Settings
from receiver.intake import Intake
from receiver.pages.site import Site, open_site
from receiver.revoked import Revoked
from receiver.watch.watched import Watch, watch


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the web application is built from."""

    intake: Intake
    writer: Writer
    watch: Watch | None = None
    site: Site | None = None
    revoked: Revoked | None = None


def wire(settings: Settings, kick: Callable[[], None] | None = None) -> Wiring:
    """The way in; `kick` wakes the chain and is Celery's unless another is handed in."""
    writer = Writer(partial(way_in, settings, kick or publish_kick))
    revoked = Revoked(Revocations(make_engine(settings.database_url), time.monotonic), now_us, time.monotonic)
    intake = Intake(
        verify=partial(tokens.verify, settings.secret_keys),
        offer=writer.offer,
        max_bytes=settings.max_hook_bytes,
        now=now_us,
        receipt=new_receipt,
        is_revoked=revoked,
    )
    return Wiring(intake, writer, watch(settings, writer, intake.tally, now_us), open_site(settings), revoked)


def way_in(settings: Settings, kick: Callable[[], None]) -> WayIn:
    """Redis, the spools and the order between them, for the writer thread of this process."""
    redis = connect(settings.redis_url, settings.redis_timeout)
    tap = Tap(partial(has_room, redis), time.monotonic)
    return WayIn(redis, Spools(settings.data_dir / "spool"), tap, Kicker(kick).request)


def publish_kick() -> None:
    """Tell Celery that the inbox holds something."""
    from tasks.kick import publish  # noqa: PLC0415 Celery is large, and the first hook need not wait for it

    publish()


def now_us() -> int:
    """The clock, in µs."""
    return time.time_ns() // 1_000


def new_receipt(at: int) -> str:
    """32 hexadecimal digits that sort by time and cannot be guessed."""
    return f"{at:014x}{secrets.token_hex(9)}"
