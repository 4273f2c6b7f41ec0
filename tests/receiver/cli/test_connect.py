"""`cratewire connect` against a Customer.io on loopback."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.schema import core
from tests.installation import KEY
from tests.servers.process import free_port


@pytest.fixture
def typed(track):
    """The command that connects store acme to the running Customer.io."""
    where = ("--base-url", track.url, "--region", "us", "--site-id", track.site_id)
    return ("connect", "--store", "acme", "--platform", "customerio", *where, "--api-key", track.api_key)


def changed(typed, option, value):
    place = typed.index(option) + 1
    return (*typed[:place], value, *typed[place + 1 :])


def saved(installed):
    return (len(installed.rows(core.Store)), len(installed.rows(core.StoreConnection)))


def test_it_says_what_was_connected_and_a_url_for_every_event(shell, typed):
    document = shell.json(*typed)

    assert (document["store"], document["connection"], document["account"]) == ("acme", 1, "3")
    assert document["hooks"].keys() == EVENTS.keys()
    assert all(url.endswith(f"/{event}") for event, url in document["hooks"].items())


def test_a_human_reads_the_same_urls(shell, typed):
    urls = shell.json(*typed)["hooks"].values()
    text = shell.said(*typed)

    assert [url for url in urls if url not in text] == []
    assert "secrets" in text


def test_no_url_breaks_over_a_line(shell, typed):
    text = shell.said(*typed)

    assert sum("/hooks/acme/" in line for line in text.splitlines()) == len(EVENTS)


def test_urls_on_loopback_come_with_a_warning(shell, typed, monkeypatch):
    assert "CRATEWIRE_PUBLIC_URL" in shell.said(*typed)

    monkeypatch.setenv("CRATEWIRE_PUBLIC_URL", "https://hooks.example.com/cw/")
    assert "CRATEWIRE_PUBLIC_URL" not in shell.said(*typed)
    assert shell.json(*typed)["hooks"]["order_new"].startswith("https://hooks.example.com/cw/hooks/acme/")


def test_what_is_saved_of_the_credentials_is_sealed(shell, typed, track, installed):
    shell.said(*typed)

    (row,) = installed.rows(core.StoreConnection)
    assert track.api_key.encode() not in row.config
    assert decrypt([KEY], row.config)["api_key"] == track.api_key


def test_connecting_again_updates_and_makes_no_second_one(shell, typed, installed):
    before = shell.json(*typed)
    after = shell.json(*typed, "--currency", "EUR")

    assert after == before
    assert saved(installed) == (1, 1)
    assert [row.currency for row in installed.rows(core.Store)] == ["EUR"]


def test_what_is_not_said_again_stays(shell, typed, installed):
    shell.said(*typed, "--currency", "EUR", "--forward-also", "shipment_address_updated", "--forward-tests")
    shell.said(*typed)

    (store,) = installed.rows(core.Store)
    assert (store.currency, store.forward_also, store.forward_tests) == ("EUR", ["shipment_address_updated"], True)


@pytest.mark.parametrize("command", ["connect", "migrate"])
def test_an_unavailable_database_is_reported_in_one_sentence(shell, typed, monkeypatch, command):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:p@127.0.0.1:{free_port()}/nothing")

    complaint = shell.complaint(*(typed if command == "connect" else ("migrate",)))

    assert complaint == "Error: the database does not answer (OperationalError): check DATABASE_URL and the server\n"


def test_two_connections_of_a_store_are_distinguished_by_their_labels(shell, typed):
    shell.said(*typed)
    shell.said(*typed, "--label", "newsletter")

    assert "customerio newsletter" in shell.said("status")


@pytest.mark.parametrize("label", ["x" * 64, "two\nlines"])
def test_a_label_that_no_page_has_room_for_is_refused(shell, typed, label):
    assert "a label has at most 63 characters" in shell.complaint(*typed, "--label", label)


def test_an_unknown_event_is_reported_with_the_known_ones(shell, typed):
    complaint = shell.complaint(*typed, "--forward-also", "order_newest")

    assert "no such event: order_newest; there are: address_updated, " in complaint


def test_options_that_are_missing_are_named_as_they_are_typed(shell):
    complaint = shell.complaint("connect", "--store", "acme", "--platform", "customerio")

    assert complaint == "Error: --site-id is missing; --api-key is missing\n"


def test_a_store_api_that_does_not_answer_is_named_by_its_url(shell, typed):
    keys = ("--client-id", "id", "--client-secret", "secret", "--cratejoy-url", f"http://127.0.0.1:{free_port()}/v1")

    assert f"the store's API at {keys[-1]}/: GET hooks: connection refused" in shell.complaint(*typed, *keys)


def test_a_label_makes_a_second_connection_of_the_same_store(shell, typed, installed):
    shell.said(*typed)
    shell.said(*typed, "--label", "newsletter")

    assert saved(installed) == (1, 2)


def test_a_paused_connection_goes_on_when_connected_again(shell, typed, installed):
    shell.said(*typed)
    with installed.process.engine.begin() as conn:
        conn.execute(core.StoreConnection.__table__.update().values(status="paused", status_reason="revoked"))

    shell.said(*typed)

    assert [row.status for row in installed.rows(core.StoreConnection)] == ["active"]


def test_a_secret_may_come_from_the_environment(shell, typed, track, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_CONNECT_API_KEY", track.api_key)
    place = typed.index("--api-key")

    assert shell.json(*typed[:place])["account"] == "3"


def test_wrong_credentials_are_refused_and_nothing_is_saved(shell, typed, installed):
    complaint = shell.complaint(*changed(typed, "--api-key", "wrong-key-wrong-key"))

    assert "refused" in complaint
    assert "wrong-key" not in complaint
    assert saved(installed) == (0, 0)


def test_the_wrong_region_is_named_and_nothing_is_saved(shell, typed, track, installed):
    track.region = "eu"

    assert "region eu" in shell.complaint(*typed)
    assert saved(installed) == (0, 0)


def test_a_url_without_an_answer_is_reported(shell, typed, installed):
    assert "no answer from Customer.io" in shell.complaint(*changed(typed, "--base-url", "http://127.0.0.1:9"))
    assert saved(installed) == (0, 0)


@pytest.mark.parametrize("name", ["Acme", "a_b", "-a", "", "a" * 64, "a/b", "ä"])
def test_a_name_that_cannot_stand_in_a_url_is_refused(shell, typed, name):
    assert "lower-case letters" in shell.complaint(*changed(typed, "--store", name))


@pytest.mark.parametrize("currency", ["dollars", "", "US", "U$D", "EUR\n\n1"])
def test_what_is_no_currency_is_refused_as_the_form_refuses_it(shell, typed, installed, currency):
    assert "three letters, such as USD" in shell.complaint(*typed, "--currency", currency)
    assert saved(installed) == (0, 0)


def test_a_currency_may_be_written_small(shell, typed, installed):
    shell.said(*typed, "--currency", " eur ")

    assert [row.currency for row in installed.rows(core.Store)] == ["EUR"]


def test_an_event_cratejoy_does_not_have_cannot_be_forwarded(shell, typed, installed):
    assert "order_newest" in shell.complaint(*typed, "--forward-also", "order_newest")
    assert saved(installed) == (0, 0)


def test_a_platform_we_do_not_know_is_a_slip_of_the_pen(shell, typed):
    assert "customerio" in shell.complaint(*changed(typed, "--platform", "mailmoose"), code=2)


def test_a_fresh_directory_is_enough(shell, typed, tmp_path):
    assert shell.json(*typed, "--data", str(tmp_path / "fresh"))["connection"] == 1
    assert (tmp_path / "fresh").stat().st_mode & 0o077 == 0
