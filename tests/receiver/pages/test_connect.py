"""The connect form, against the two sandboxes: what it saves, and what it says where."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from pipeline.ledger.account_tables import Mail, Membership, User
from pipeline.ledger.api_tables import StoreAPI
from pipeline.ledger.engine import reading
from pipeline.ledger.tables import Account, Connection, Store
from receiver.demo.ask import ask
from receiver.pages.connect.form import form_for
from receiver.pages.connect.trying import MOST_A_MINUTE
from sandbox.store.server import serving
from sandbox.store.world import Options
from tests.receiver.pages.visitors import PASSWORD, House
from tests.servers.process import free_port
from tests.servers.sandbox import sandbox_customerio

EMAIL = "bea@example.com"


@pytest.fixture(scope="module")
def cratejoy():
    with serving(Options("an-id", "a-secret")) as running:
        yield running


@pytest.fixture(scope="module")
def customerio():
    with sandbox_customerio() as running:
        yield running


@pytest.fixture
def house(site):
    clock = [site.now()]
    return House.of(
        replace(
            site, settings=replace(site.settings, connect_anywhere=True, cratejoy_rate=1000.0), now=lambda: clock[0]
        ),
        clock,
    )


@pytest.fixture
def filled_in(cratejoy, customerio):
    """Everything right."""
    platform = {f"customerio-{key}": value for key, value in customerio.config.items()}
    return {
        "store": "acme",
        "currency": "EUR",
        "client_id": "an-id",
        "client_secret": "a-secret",
        "cratejoy_url": f"{cratejoy.url}/v1/",
        "email": EMAIL,
        "password": PASSWORD,
        **platform,
    }


def send(visitor, form):
    visitor.go("/connect")
    return visitor.send(**form)


def errors_on(page):
    """Field -> what stands next to it."""
    found = re.findall(r'<ul class="errors" id="([^"]+)-errors"[^>]*>(.*?)</ul>', page, re.DOTALL)
    return {field: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for field, text in found}


def counts(house):
    with reading(house.site.engine) as db:
        tables = (Account, Store, Connection, StoreAPI, User, Membership, Mail)
        return {table.__tablename__: db.execute(select(func.count()).select_from(table)).scalar() for table in tables}


NOTHING = dict.fromkeys(("accounts", "stores", "connections", "store_apis", "users", "memberships", "mails"), 0)


def test_the_first_visit_shows_the_form(house):
    visitor = house.visitor()
    visitor.go("/")

    assert visitor.where == "/connect"


def test_the_form_connects_a_store_and_makes_an_account(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in)

    assert visitor.where == "/connected"
    assert counts(house) == dict.fromkeys(NOTHING, 1)


def test_after_confirming_and_logging_in_the_store_is_there(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in)
    visitor.go(house.mail()[0].links[0])
    visitor.log_in(EMAIL)

    assert "acme" in visitor.go("/")


def test_the_hooks_are_due_for_registering_once_it_is_saved(house, filled_in):
    send(house.visitor(), filled_in)

    with reading(house.site.engine) as db:
        assert db.execute(select(StoreAPI.audit_at, StoreAPI.registers)).one() == (house.site.now(), True)


def test_no_key_is_kept_as_it_was_typed(house, filled_in):
    send(house.visitor(), filled_in)

    house.site.engine.dispose()
    kept = b"".join(path.read_bytes() for path in house.site.settings.data_dir.glob("cratewire.db*"))
    assert not [key for key in ("a-secret", filled_in["customerio-api_key"], PASSWORD) if key.encode() in kept]


WRONG = [
    ({"store": "Ácme!"}, "store"),
    ({"store": ""}, "store"),
    ({"store": "a c me!"}, "store"),
    ({"store": "acme/../other"}, "store"),
    ({"currency": "Euro"}, "currency"),
    ({"client_id": ""}, "client_id"),
    ({"client_id": "a:b"}, "client_id"),
    ({"client_secret": "another"}, "client_secret"),
    ({"cratejoy_url": "http://192.0.2.1/v1/"}, "cratejoy_url"),
    ({"customerio-site_id": ""}, "customerio-site_id"),
    ({"customerio-api_key": "another"}, "customerio-api_key"),
    ({"customerio-base_url": "nowhere"}, "customerio-site_id"),
    ({"email": "bea"}, "email"),
    ({"password": "short"}, "password"),
]


@pytest.mark.parametrize(("change", "field"), WRONG)
def test_what_is_wrong_is_said_next_to_its_field_and_nothing_is_saved(house, filled_in, change, field):
    page = send(house.visitor(), filled_in | change)

    assert list(errors_on(page)) == [field]
    assert counts(house) == NOTHING


def test_another_region_is_named(house, filled_in):
    other = {"us": "eu", "eu": "us"}[filled_in["customerio-region"]]

    page = send(house.visitor(), filled_in | {"customerio-region": other})

    assert filled_in["customerio-region"] in errors_on(page)["customerio-region"]


def test_a_cratejoy_that_is_away_is_said_so(house, filled_in):
    page = send(house.visitor(), filled_in | {"cratejoy_url": f"http://127.0.0.1:{free_port()}/v1/"})

    assert "does not answer" in errors_on(page)["client_id"]


def test_a_cratejoy_that_asks_to_wait_is_obeyed(house, filled_in, cratejoy):
    ask(f"{cratejoy.url}/_sandbox/faults", {"status": 429, "times": 1, "retry_after": 7})

    page = send(house.visitor(), filled_in)

    assert "wait" in errors_on(page)["client_id"]


SECRETS = ("client_secret", "customerio-api_key", "password")


def test_no_secret_is_shown_again(house, filled_in):
    page = send(house.visitor(), filled_in | {"currency": "Euro"})

    assert [name for name in SECRETS if filled_in[name] in page] == []


def test_secrets_need_not_be_typed_again(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert visitor.where == "/connected"


def test_a_secret_that_was_refused_is_typed_again(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"client_secret": "another"})
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert list(errors_on(page)) == ["client_secret"]


def test_a_secret_is_kept_for_the_browser_it_was_typed_in(house, filled_in):
    page = send(house.visitor(), filled_in | {"currency": "Euro"})
    kept = re.search(r'name="kept"[^>]*value="([^"]+)"', page)[1]

    page = send(house.visitor(), filled_in | dict.fromkeys(SECRETS, "") | {"kept": kept})

    assert sorted(errors_on(page)) == sorted(SECRETS)


def test_a_secret_is_kept_for_an_hour(house, filled_in):
    visitor = house.visitor()
    send(visitor, filled_in | {"currency": "Euro"})
    house.clock[0] += 3_600_000_001
    page = visitor.send(**filled_in | dict.fromkeys(SECRETS, ""))

    assert sorted(errors_on(page)) == sorted(SECRETS)


def test_the_same_form_sent_twice_connects_once_and_says_so_both_times(house, filled_in):
    visitor = house.visitor()
    page = visitor.go("/connect")
    for _ in range(2):
        visitor.page, visitor.where = page, "/connect"
        visitor.send(**filled_in)

    assert visitor.where == "/connected"
    assert counts(house) == dict.fromkeys(NOTHING, 1)


def test_the_same_form_sent_twice_at_once_is_no_fault(house, filled_in):
    visitor = house.visitor()
    page = visitor.go("/connect")
    again = house.visitor()
    again.share(visitor)

    def press(who):
        who.page, who.where = page, "/connect"
        who.send(**filled_in)
        return who.where

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, (visitor, again))) == ["/connected", "/connected"]
    assert counts(house) == dict.fromkeys(NOTHING, 1)


def test_another_form_for_the_same_address_is_not_taken_for_the_same(house, filled_in):
    send(house.visitor(), filled_in)

    page = send(house.visitor(), filled_in | {"store": "other"})

    assert "Log in first" in errors_on(page)["email"]


def test_an_address_that_has_an_account_is_asked_to_log_in(house, filled_in):
    house.user(EMAIL)

    page = send(house.visitor(), filled_in)

    assert "Log in first" in errors_on(page)["email"]
    assert counts(house)["stores"] == 0


def test_the_store_of_another_merchant_cannot_be_taken_over(house, filled_in):
    house.store("acme", house.member("eve@example.com"))

    page = send(house.visitor(), filled_in)

    assert "taken" in errors_on(page)["store"]
    assert counts(house)["users"] == 1


def test_a_store_of_the_command_line_cannot_be_taken_over_either(house, filled_in):
    from pipeline.ledger.engine import writing  # noqa: PLC0415
    from pipeline.ledger.stores import save_store  # noqa: PLC0415

    with writing(house.site.engine) as db:
        save_store(db, "acme", house.site.now())

    page = send(house.visitor(), filled_in)

    assert "taken" in errors_on(page)["store"]


def test_who_is_logged_in_connects_without_an_account_being_made(house, filled_in):
    house.member(EMAIL)
    visitor = house.logged_in(EMAIL)
    send(visitor, filled_in)

    assert visitor.where == "/stores/acme"
    assert counts(house)["users"] == 1


def test_connecting_again_changes_the_connection(house, filled_in):
    house.member(EMAIL)
    visitor = house.logged_in(EMAIL)
    send(visitor, filled_in)
    send(visitor, filled_in | {"currency": "USD"})

    assert (counts(house)["stores"], counts(house)["connections"]) == (1, 1)


def test_a_reader_connects_nothing_to_the_account_they_read(house, filled_in):
    account = house.member("eve@example.com")
    house.member(EMAIL, account, "reader")
    send(house.logged_in(EMAIL), filled_in)

    with reading(house.site.engine) as db:
        assert db.execute(select(Store.account_id)).scalar_one() != account


def test_keys_cannot_be_guessed_through_us(house, filled_in):
    visitor = house.visitor()
    for _ in range(MOST_A_MINUTE):
        page = send(visitor, filled_in | {"client_secret": "another"})
    before = errors_on(page)

    page = send(visitor, filled_in)

    assert (list(before), list(errors_on(page))) == (["client_secret"], ["store"])


def test_strangers_are_not_asked_where_to_connect_to(house, filled_in):
    closed = House.of(replace(house.site, settings=replace(house.site.settings, connect_anywhere=False)), house.clock)

    page = closed.visitor().go("/connect")

    assert "cratejoy_url" not in page
    assert "base_url" not in page


def test_an_address_that_was_not_asked_for_is_not_listened_to(house, filled_in):
    with house.app.test_request_context("/connect", method="POST", data=filled_in):
        form = form_for(None, anywhere=False)

    assert "base_url" not in form.config()


def test_where_only_the_invited_may_come_the_form_asks_to_log_in(house):
    closed = House.of(replace(house.site, settings=replace(house.site.settings, registration="invited")), house.clock)

    visitor = closed.visitor()
    visitor.go("/")

    assert visitor.where == "/login"


def test_the_form_says_what_to_do_at_cratejoy_and_at_the_platform(house):
    visitor = house.visitor()
    visitor.go("/connect")

    assert "generate a new key" in visitor.text
    assert "Track API keys" in visitor.text
