"""An HTTP API that a document describes, on the pages."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from tests.contracts.http_kits import KEY, running_api
from tests.pipeline.ledger.rows import add_deliveries, add_person
from tests.receiver.pages.activity.feed import add
from tests.receiver.pages.browser import PagesInstallation

OWNER = "bea@example.com"
NEW = "/stores/acme/connections/new/http"


@pytest.fixture
def api():
    with running_api() as kit:
        yield kit


@pytest.fixture
def anywhere(pages: PagesInstallation):
    return PagesInstallation.of(
        replace(pages.site, settings=replace(pages.site.settings, connect_anywhere=True)), [pages.site.now()]
    )


@pytest.fixture
def visitor(anywhere):
    anywhere.store("acme", anywhere.member(OWNER))
    return anywhere.logged_in(OWNER)


def fill(api, **changed):
    return {"label": "own", "preset": "own", "account": "", "hook_url": api.url, "api_key": KEY, **changed}


def connect(visitor, api, **changed):
    visitor.go(NEW)
    visitor.send(NEW, **fill(api, **{"config": api.config()["config"], **changed}))


def errors_on(visitor):
    return dict(re.findall(r'id="(\w+)-errors" role="alert"><li>(.*?)</li>', visitor.page))


def test_the_document_has_a_field_of_many_lines(visitor):
    visitor.go(NEW)

    assert '<textarea id="config"' in visitor.page
    assert '<option value="omnisend"' in visitor.page


def test_a_document_is_connected_and_the_settings_say_how_long_it_is(visitor, api):
    connect(visitor, api, config=api.config()["config"].replace("\n", "\r\n"))

    lines = len(api.config()["config"].splitlines())
    assert f"Document {lines} lines" in visitor.text
    assert KEY not in visitor.page
    assert api.url not in visitor.page


def test_a_wrong_expression_is_beside_the_document_which_is_kept(visitor, api):
    connect(visitor, api, config=api.config()["config"].replace("person.email", "persn.email"))

    assert "profile.body.email: undeclared reference to &#39;persn.email&#39;" in errors_on(visitor)["config"]
    assert "persn.email" in visitor.page
    assert KEY not in visitor.page


def test_a_key_that_is_missing_is_asked_for(visitor, api):
    connect(visitor, api, preset="omnisend", api_key="", config="")

    assert errors_on(visitor) == {"api_key": "Api_key is missing: the document uses it."}


def test_no_saved_key_goes_where_another_document_leads(anywhere, visitor, api):
    connect(visitor, api)
    with reading(anywhere.site.engine) as conn:
        row = next(one for one in list_store_connections(conn, 1) if one.platform == "http")
    place = f"/stores/acme/settings/keys/{row.id}/config"
    visitor.go(place)
    visitor.send(place, config=api.config()["config"] + "\n# changed\n")

    assert visitor.status == 422
    assert "enter API key and Hook" in visitor.text
    saved = decrypt(anywhere.site.settings.secret_keys, row.config, row.identity)
    assert "# changed" not in saved["config"]


def test_the_page_of_an_event_shows_the_request_without_the_keys(anywhere, visitor, api):
    connect(visitor, api)
    with reading(anywhere.site.engine) as conn:
        row = next(one for one in list_store_connections(conn, 1) if one.platform == "http")
    event_id = add(anywhere, 1, 7015)
    with writing(anywhere.site.engine) as conn:
        add_deliveries(conn, row, add_person(conn, 1, "robin@example.com"), event_id=event_id)

    visitor.go(f"/activity/{event_id}")

    assert "https://HOOK_URL/v1/events" in visitor.text
    assert "Authorization: Bearer API_KEY" in visitor.text
    assert "Idempotency-Key: " in visitor.text
    assert KEY not in visitor.page
