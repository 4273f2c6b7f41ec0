"""Stores and connections: saving again updates, and never duplicates or changes the owner."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.connections import NewConnection, find_connection, list_all_connections, list_store_connections
from pipeline.ledger.deliveries import acquire_lane, pause_connection, postpone_lane
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import find_store, list_stores, rotate_token, save_store
from tests.pipeline.ledger.rows import NOW, add_connection, add_store


def test_a_new_store_has_the_usual_settings(engine):
    with writing(engine) as conn:
        store = save_store(conn, "sunny-box", NOW)

    settings = (store.token_version, store.currency, store.forward_also, store.forward_tests, store.created_at)
    assert settings == (1, "USD", (), False, NOW)


def test_a_saved_store_is_found_by_its_name(engine):
    with writing(engine) as conn:
        store = save_store(conn, "sunny-box", NOW, currency="EUR", forward_also=("order_updated",))

    with reading(engine) as conn:
        assert find_store(conn, "sunny-box") == store


def test_a_store_that_was_not_saved_is_not_found(engine):
    with reading(engine) as conn:
        assert find_store(conn, "moon-box") is None


def test_saving_a_store_again_changes_only_what_is_given(engine):
    with writing(engine) as conn:
        before = save_store(conn, "sunny-box", NOW, currency="EUR", forward_tests=True)
        after = save_store(conn, "sunny-box", NOW + 5, forward_tests=False)

    assert (after.id, after.currency, after.forward_tests, after.created_at) == (before.id, "EUR", False, NOW)


def test_a_store_name_cannot_be_taken_by_another_account(engine):
    with writing(engine) as conn:
        save_store(conn, "sunny-box", NOW)

    with pytest.raises(Misconfigured, match="sunny-box"), writing(engine) as conn:
        save_store(conn, "sunny-box", NOW, account="another-account", currency="XXX")


def test_stores_of_one_account_share_it(engine):
    with writing(engine) as conn:
        accounts = {save_store(conn, name, NOW).account_id for name in ("a", "b")}

    assert len(accounts) == 1


def test_stores_are_listed_by_name(engine):
    with writing(engine) as conn:
        for name in ("b", "c", "a"):
            save_store(conn, name, NOW)

        assert [store.name for store in list_stores(conn)] == ["a", "b", "c"]


def test_rotating_the_token_counts_its_version_up(engine):
    with writing(engine) as conn:
        store = add_store(conn)

        assert (rotate_token(conn, store.id), rotate_token(conn, store.id)) == (2, 3)


def test_a_connection_is_found_as_it_was_saved(shop):
    with reading(shop.engine) as conn:
        assert find_connection(conn, shop.link.id) == shop.link


def test_saving_a_connection_again_updates_it(shop):
    with writing(shop.engine) as conn:
        add_connection(conn, shop.store.id, config=b"newer", lanes=8)

        saved = [(link.id, link.config, link.lanes) for link in list_store_connections(conn, shop.store.id)]
    assert saved == [(shop.link.id, b"newer", 1)]


def test_a_second_label_is_a_second_connection(shop):
    with writing(shop.engine) as conn:
        add_connection(conn, shop.store.id, label="test workspace")

        assert len(list_store_connections(conn, shop.store.id)) == 2


def test_connections_of_every_store_are_loaded(shop):
    with writing(shop.engine) as conn:
        other = add_connection(conn, add_store(conn, "moon-box").id)

        assert list_all_connections(conn) == [shop.link, other]


def test_saving_a_paused_connection_again_resumes_it(shop):
    with writing(shop.engine) as conn:
        postpone_lane(conn, acquire_lane(conn, shop.link.id, 0, NOW), NOW + 9, 3, "http_401")
        pause_connection(conn, shop.link.id, "http_401", NOW)
        saved = add_connection(conn, shop.store.id, config=b"right")
        lane = conn.execute(select(core.Lane.next_attempt_at)).scalar_one()

    assert (saved.status, saved.status_reason, lane) == ("active", None, 0)


@pytest.mark.parametrize(("account", "left"), [("env-1", 1), ("env-2", 0)])
def test_no_profile_counts_as_sent_to_a_new_workspace(shop, account, left):
    with writing(shop.engine) as conn:
        introduced = {"connection_id": shop.link.id, "person_id": shop.person_id}
        conn.execute(core.ProfileSent.__table__.insert().values(introduced))
        add_connection(conn, shop.store.id, account=account)

        assert len(conn.execute(select(core.ProfileSent)).all()) == left


def test_encrypted_configs_are_not_in_the_repr(shop):
    wanted = NewConnection(1, "customerio", "env-1", b"sealed")

    assert "sealed" not in repr(wanted) + repr(shop.link)
