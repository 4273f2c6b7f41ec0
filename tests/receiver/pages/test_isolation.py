"""A merchant sees nothing of another one: every URL of the site is requested, by its own URL map."""

from __future__ import annotations

from itertools import product

import pytest
from werkzeug.routing import Rule

from pipeline.core.roles import OPERATOR, READER, is_allowed
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.invitations import create_invitation
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.replays import Selection, insert_replay
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.store_apis import save_store_api
from receiver.pages.auth.permissions import PERMISSION_ATTRIBUTE

HERS, OTHERS, READERS, OPERATORS = "bea@example.com", "eve@example.com", "robin@example.com", "ola@example.com"

# URLs that need no log-in. What they show depends on who is logged in, or on the token in the URL.
PUBLIC = {
    "home.show",
    "demo_visitor.look",
    "connect.show",
    "connect.connected",
    "invitations.show",
    "invitations.accept",
    "static",
}

# URLs with a name or id of a merchant -> the answer to another merchant. New URLs must be added here.
ANSWERS = {
    "home.store": 404,
    "home.latest": 404,
    "home.hooks": 404,
    "activity.event": 404,
    "event.inline": 404,
    "event.raw": 404,
    "event.document": 404,
    "unreadable.show": 404,
    "asked.ask": 404,
    "asked.show": 404,
    "samples.show": 404,
    "samples.save": 404,
    "samples.delete": 404,
    "saved_views.delete": 404,
    "unreadable.raw": 404,
    "attention.ask": 404,
    "attention.act": 404,
    "attention.put_aside": 404,
    "attention.bring_back": 404,
    "backfills.show": 404,
    "backfills.steer": 404,
    "resuming.resume": 404,
    "people.search": 404,
    "people.find": 404,
    "people.show": 404,
    "people.export": 404,
    "people.confirm": 404,
    "people.erase": 404,
    "people.release": 404,
    "store_settings.show": 404,
    "store_settings.rename": 404,
    "store_settings.change_consent": 404,
    "store_keys.show": 404,
    "store_keys.change": 404,
    "store_events.switch": 404,
    "store_events.preview": 404,
    "store_alarms.send_test": 404,
    "store_mapping.show": 404,
    "store_mapping.change": 404,
    "store_rehearsals.index": 404,
    "store_rehearsals.create": 404,
    "store_rehearsals.show": 404,
    "store_rehearsals.result": 404,
    "store_connections.pause": 404,
    "store_connections.resume": 404,
    "store_connections.ask": 404,
    "store_connections.add": 404,
    "store_removal.ask": 404,
    "store_removal.remove": 404,
    "store_removal.call_off": 404,
    "warehouse.show": 404,
    "warehouse.go_live": 404,
    "warehouse.pause": 404,
    "warehouse.resume": 404,
    "warehouse_connect.ask": 404,
    "warehouse_connect.connect": 404,
    "warehouse_settings.show": 404,
    "warehouse_settings.save": 404,
    "orders.show_box": 404,
    "orders.ask": 404,
    "orders.act": 404,
    "tracking.show": 404,
    "tracking.attach": 404,
    "tracking.dismiss": 404,
    "batches.index": 404,
    "batches.show": 404,
    "batches.forecast": 404,
    "batches.ask": 404,
    "batches.freeze": 404,
    "batches.manifest": 404,
    "files.show": 404,
    "files.export": 404,
    "files.download": 404,
    "imports.upload": 404,
    "imports.show": 404,
    "imports.apply": 404,
    "account.invite": 404,
    "account.withdraw_invitation": 404,
    "account.remove": 404,
    "account.set_role": 404,
    "account.log": 404,
    "tokens.show": 404,
    "tokens.new": 404,
    "tokens.revoke": 404,
    "invitations.show": 404,
    "invitations.accept": 404,
    "replays.show": 404,
    "replays.progress": 404,
    "replays.steer": 404,
    "own_test_event.ask": 404,
    "own_test_event.send": 404,
    "own_test_event.show": 404,
    "own_test_event.arrival": 404,
    "static": 404,
    # Flask-Security's links hold a signed token; without one there is nothing to see.
    "security.two_factor_setup_validate": None,
    "security.reset_password": None,
    "security.confirm_email": None,
    "security.change_email_confirm": None,
}


@pytest.fixture
def hers(pages):
    """A merchant with a store and a reader, and another merchant with a store of her own."""
    account = pages.member(HERS)
    pages.member(READERS, account, "reader")
    pages.member(OPERATORS, account, "operator")
    store_id = pages.store("secretive", account)
    other = pages.member(OTHERS)
    pages.store("not-hers", other)
    with writing(pages.site.engine) as conn:
        save_store_api(conn, store_id, b"sealed", pages.site.now())
        insert_replay(conn, store_id, Selection("refused"), delivers_again=False, user_id=None, now=pages.site.now())
        said = {"headline": "secretive: it is x", "effect": "It is.", "to_do": "Do it."}
        open_alarm(conn, NewAlarm("platform_keys_refused", store_id, subject="x", said=said), pages.site.now())
        create_invitation(conn, account, "guest@example.com", "reader", pages.site.now())
    pages.mail()
    return account


def values_of(rule: Rule, account: int) -> dict[str, object]:
    numbers = dict.fromkeys(
        (
            "user_id",
            "invitation_id",
            "person_id",
            "event_id",
            "dead_id",
            "sample_id",
            "view_id",
            "token_id",
            "alarm_id",
            "tracking_id",
            "batch_id",
            "export_id",
            "work_id",
        ),
        1,
    )
    known = {"name": "secretive", "replay_id": 1, "action": "start", "account_id": account, **numbers}
    known["adapter"] = "cartrover"
    known["connection_id"] = 99  # one that there is not: resuming another would call the platform
    return {argument: known.get(argument, "secretive") for argument in rule.arguments}


def asked(pages, account):
    """Every URL of the site with every method: path, method, endpoint."""
    urls = pages.app.url_map.bind("hooks.example.com", url_scheme="https")
    for rule in pages.app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield urls.build(rule.endpoint, values_of(rule, account), method=method), method, rule.endpoint


def logged_in_again(pages, email):
    """A browser for each request, on a page with a form; logged in again after a request that logs it out."""
    visitor = pages.logged_in(email)
    while True:
        if not visitor.is_logged_in():
            visitor = pages.logged_in(email)
            visitor.go("/account")
        yield visitor


def test_every_address_with_a_name_or_number_is_in_the_table(pages):
    assert {rule.endpoint for rule in pages.app.url_map.iter_rules() if rule.arguments} == set(ANSWERS)


def test_no_address_shows_a_stranger_anything_of_hers(pages, hers):
    shown = []
    for (path, method, endpoint), visitor in zip(asked(pages, hers), logged_in_again(pages, OTHERS), strict=False):
        visitor.go(path) if method == "GET" else visitor.send(path)
        text = visitor.text.replace(path, "")
        shown += [(path, mark) for mark in ("secretive", HERS, "guest@example.com") if mark in text]
        wanted = ANSWERS.get(endpoint)
        shown += [(path, visitor.status)] if wanted not in (None, visitor.status) else []

    assert shown == []


def test_no_url_shows_a_visitor_anything_of_a_user(pages, hers):
    shown = []
    for path, method, _ in asked(pages, hers):
        visitor = pages.visitor()
        visitor.go("/login")
        visitor.go(path) if method == "GET" else visitor.send(path)
        shown += [(path, mark) for mark in ("secretive", HERS, "not-hers", OTHERS) if mark in visitor.text]

    assert shown == []


def everything(pages):
    """All rows of the ledger, except those of log-ins."""
    passing = {"users", "mails", "log_ins", "failed_log_ins"}
    with reading(pages.site.engine) as conn:
        tables = [table for table in list_all_tables() if table.name not in passing]
        return {table.name: conn.execute(table.select()).all() for table in tables}


@pytest.mark.parametrize("email", [OTHERS, READERS])
def test_nothing_a_stranger_or_a_reader_sends_changes_anything_of_hers(pages, hers, email):
    forms = [path for path, method, _ in asked(pages, hers) if method == "POST"]
    sent = [path for path in forms if not path.startswith(("/reset", "/change", "/log"))]
    before = everything(pages)
    for (path, role), visitor in zip(product(sent, ("owner", "reader")), logged_in_again(pages, email), strict=False):
        visitor.send(path, email="intruder@example.com", role=role)

    assert everything(pages) == before


def test_every_view_that_is_not_public_says_what_it_requires(pages):
    views = pages.app.view_functions
    unguarded = {name for name, view in views.items() if not hasattr(view, PERMISSION_ATTRIBUTE)}

    assert {name for name in unguarded if not name.startswith("security.")} == PUBLIC


@pytest.mark.parametrize(("email", "role"), [(READERS, READER), (OPERATORS, OPERATOR)])
def test_a_role_may_exactly_what_the_table_says(pages, hers, email, role):
    wrong = []
    for (path, method, endpoint), visitor in zip(asked(pages, hers), logged_in_again(pages, email), strict=False):
        permission = getattr(pages.app.view_functions[endpoint], PERMISSION_ATTRIBUTE, None)
        if permission is None or endpoint not in ANSWERS:
            continue
        visitor.go(path) if method == "GET" else visitor.send(path)
        forbidden = visitor.status == 403
        # A reader may remove only themselves: what is asked for here is another member.
        allowed = is_allowed(role, permission) and endpoint != "account.remove"
        wrong += [(endpoint, method, visitor.status)] if forbidden == allowed else []

    assert wrong == []


def test_she_sees_hers(pages, hers):
    visitor = pages.logged_in(HERS)

    assert "secretive" in visitor.go("/")
    assert "not-hers" not in visitor.text
