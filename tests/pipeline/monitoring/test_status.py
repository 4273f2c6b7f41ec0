"""Whose alarms a store's page shows, and which of them are silences."""

from __future__ import annotations

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import list_alarms_since, open_alarm
from pipeline.ledger.monitoring.rows import OPERATOR, NewAlarm
from pipeline.monitoring.status import get_hook_health


def test_a_store_is_shown_its_own_alarms_and_the_way_in_and_not_the_operators(shops):
    acme, moon = shops.store("acme"), shops.store("moon")
    wanted = [
        NewAlarm("silence", acme),
        NewAlarm("silence", moon),
        NewAlarm("way_in", audience=OPERATOR),
        NewAlarm("redis", subject="eviction", audience=OPERATOR),
    ]
    with writing(shops.engine) as conn:
        for one in wanted:
            open_alarm(conn, one, shops.clock)
    with reading(shops.engine) as conn:
        shown = [(one.kind, one.store) for one in get_hook_health(conn, shops.clock, acme).alarms]

    assert shown == [("silence", "acme"), ("way_in", None)]


def test_what_is_no_silence_is_not_held_against_the_past_of_a_store(shops):
    acme = shops.store("acme")
    with writing(shops.engine) as conn:
        open_alarm(conn, NewAlarm("silence", acme), shops.clock)
        open_alarm(conn, NewAlarm("platform_keys_refused", acme, subject="acme/customerio"), shops.clock)
        open_alarm(conn, NewAlarm("way_in", audience=OPERATOR), shops.clock)

        assert [one.kind for one in list_alarms_since(conn, acme, 0)] == ["silence", "way_in"]
