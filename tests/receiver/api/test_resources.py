"""What the API answers, for whom, and in which form."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.exc import OperationalError

from pipeline.ledger.engine import writing
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.core import Delivery, Event, StoreConnection
from receiver.api.app import create_api
from receiver.api.caller import get_required_scope
from receiver.api.docs import PUBLIC_ENDPOINTS
from receiver.api.limits import RequestLimits
from tests.receiver.api.conftest import Caller

LISTS = ["/shops", "/events", "/people", "/messages", "/connections", "/attention", "/stats", "/unreadable"]


def items(answer):
    assert answer.status_code == 200, answer.text
    return answer.get_json()["items"]


def list_audited(filled, action):
    """What the audit log has about an action: from where, by which token, and about what."""
    rows = filled.installed.rows(AuditEntry)
    return [(row.via, row.token_id, row.about) for row in rows if row.action == action]


def paths_of(app):
    """Method and path of every view, with ids that exist in neither account."""
    known = {"shop": "eves", "reference": "999", "filename": "x"}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], "999"), rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, path.removeprefix("/api/v1"), rule.endpoint


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_nothing_of_another_account(filled, path):
    text = filled.caller().get(path).text

    assert [mark for mark in ("eves", "eve.buyer", "9900") if mark in text] == []


def test_every_view_needs_a_scope(api):
    with api.app.app_context():
        open_ = {rule.endpoint for rule in api.app.url_map.iter_rules() if get_required_scope(rule.endpoint) is None}

    assert open_ == PUBLIC_ENDPOINTS


def test_no_view_answers_without_a_token(filled):
    visitor = Caller(filled.app, None)
    found = {
        (method, path): visitor.call(method, path).status_code
        for method, path, endpoint in paths_of(filled.app)
        if endpoint not in PUBLIC_ENDPOINTS
    }

    assert set(found.values()) == {401}


def test_no_view_answers_a_token_without_its_scope(filled):
    callers = {scope: filled.caller("read" if scope != "read" else "operate") for scope in ("read", "other")}
    with filled.app.app_context():
        scopes = {endpoint: get_required_scope(endpoint) for _, _, endpoint in paths_of(filled.app)}
    found = {
        (method, path): callers["read" if scopes[endpoint] == "read" else "other"].call(method, path).status_code
        for method, path, endpoint in paths_of(filled.app)
        if endpoint not in PUBLIC_ENDPOINTS
    }

    assert set(found.values()) == {403}


def test_what_belongs_to_another_account_is_not_there(filled, foreign):
    caller = filled.caller()
    with writing(filled.engine) as conn:  # a connection and a message of the other account
        conn.execute(StoreConnection.__table__.update().values(store_id=2))
        conn.execute(Delivery.__table__.update().values(store_id=2))
    message, connection = filled.ids(Delivery)[0], filled.ids(StoreConnection)[0]
    theirs = {
        ("GET", "/shops/eves"): None,
        ("GET", f"/events/{foreign['event']}"): None,
        ("GET", f"/people/{foreign['person']}"): None,
        ("GET", f"/people/{foreign['person']}/profile"): None,
        ("GET", f"/people/{foreign['person']}/why"): None,
        ("GET", f"/people/{foreign['person']}/export"): None,
        ("POST", f"/people/{foreign['person']}/erase"): {"confirm": str(foreign["person"])},
        ("POST", "/people/search"): {"shop": "eves", "wanted": "eve.buyer@example.com"},
        ("GET", f"/messages/{message}"): None,
        ("GET", f"/connections/{connection}"): None,
        ("POST", f"/connections/{connection}/pause"): None,
        ("POST", f"/connections/{connection}/resume"): None,
        **{("GET", f"{path}?shop=eves"): None for path in LISTS[1:]},
    }
    answers = {key: caller.call(*key, json=body).status_code for key, body in theirs.items()}

    assert {key: status for key, status in answers.items() if status != 404} == {}


def test_pages_show_every_event_once_while_others_arrive(filled):
    caller = filled.caller()
    seen, cursor = [], ""
    while True:
        page = caller.get(f"/events?limit=2{cursor}").get_json()
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        with writing(filled.engine) as conn:
            conn.execute(Event.__table__.update().where(Event.id == int(seen[0])).values(is_test=True))

    ours = [str(event_id) for event_id in filled.ids(Event)[:-1]]

    assert seen == ours[::-1]


def test_an_event_is_found_by_id_ulid_and_receipt_with_its_messages(filled):
    caller = filled.caller()
    listed = items(caller.get("/events"))[0]
    found = [caller.get(f"/events/{listed[key]}").get_json() for key in ("id", "ulid", "receipt")]

    assert {row["id"] for row in found} == {listed["id"]}
    assert found[0]["data"]["id"] == 7005
    assert {message["state"] for message in found[0]["messages"]} == {"waiting"}
    assert listed["sentence"].startswith("Bea")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", listed["received_at"])


def test_who_people_are_needs_its_own_scope(filled):
    caller = filled.caller("read", "replay", "operate")
    event = items(caller.get("/events"))[0]["id"]
    shown = "".join(caller.get(path).text for path in [*LISTS, f"/events/{event}", f"/messages?event={event}"])

    assert [mark for mark in ("bea.buyer", "Bea") if mark in shown] == []


def test_messages_are_listed_by_state_event_and_person(filled):
    caller = filled.caller()
    with writing(filled.engine) as conn:
        first = filled.ids(Delivery)[0]
        conn.execute(Delivery.__table__.update().where(Delivery.id == first).values(status="dead", done_at=1))
    waiting, refused = items(caller.get("/messages")), items(caller.get("/messages?state=refused"))
    of_person = items(caller.get(f"/messages?person={refused[0]['person']}&limit=200"))

    assert [row["id"] for row in refused] == [str(first)]
    assert {row["state"] for row in waiting} == {"waiting"}
    assert len(of_person) == len(waiting) + 1
    assert caller.get(f"/messages/{first}").get_json()["calls"] == []


def test_a_person_is_found_without_an_address_in_the_url(filled):
    found = filled.caller().post("/people/search", {"shop": "acme", "wanted": "Bea.Buyer@example.com"}).get_json()

    assert (found["customer_id"], found["name"]) == ("7001", "Bea")
    assert {"kind": "customer", "value": "7001"} in found["keys"]


def test_a_person_has_earlier_values_and_answers_in_the_words_of_the_pages(filled):
    caller = filled.caller()
    person = items(caller.get("/people"))[0]["id"]
    profile = caller.get(f"/people/{person}/profile").get_json()
    why = caller.get(f"/people/{person}/why?event=order_new").get_json()

    assert profile["headline"] == "Bea · bea.buyer@example.com · customer with 5 orders"
    history = {part["attribute"]: [value["value"] for value in part["values"]] for part in profile["history"]}
    assert (history["order_count"], history["first_name"]) == ([5, 4, 3, 2, 1], ["Bea"])
    assert [event["event"] for event in why["events"]] == ["5", "4", "3", "2", "1"]
    assert {verdict["cause"] for event in why["events"] for verdict in event["verdicts"]} == {"waiting_turn"}
    assert items(caller.get("/people?withheld=true")) == []


def test_a_person_is_exported_and_erased(filled):
    caller = filled.caller()
    person = items(caller.get("/people"))[0]["id"]
    exported = caller.get(f"/people/{person}/export").text
    mistyped = caller.post(f"/people/{person}/erase", {"confirm": "999"}).status_code
    done = caller.post(f"/people/{person}/erase", {"confirm": person})

    assert ("bea.buyer@example.com" in exported, mistyped, done.status_code) == (True, 409, 200)
    assert "bea.buyer" not in caller.get(f"/people/{person}").text
    assert list_audited(filled, "person.erased") == [("api", 1, {"person": int(person), "regulation": 1})]


def test_a_connection_is_paused(filled):
    caller = filled.caller()
    [row] = items(caller.get("/connections"))

    assert row["status"] == "active"
    assert caller.post(f"/connections/{row['id']}/pause").get_json()["status"] == "paused"
    assert list_audited(filled, "connection.paused") == [("api", 1, {"connection": int(row["id"])})]


def test_a_hook_that_could_not_be_read_is_listed_with_its_bytes(filled):
    caller = filled.caller()
    [row] = items(caller.get("/unreadable"))

    assert caller.get(f"/unreadable/{row['id']}").get_json()["raw"] == "{"
    assert filled.caller("read").get(f"/unreadable/{row['id']}").get_json()["raw"] is None


def test_figures_have_the_names_of_the_pages(filled):
    [row] = items(filled.caller().get("/stats"))

    assert row["figures"]["events.by_name.order_new"] == 5
    assert row["figures"]["hooks.unreadable"] == 1


def test_what_has_not_changed_is_not_sent_again(filled):
    caller = filled.caller()
    tag = caller.get("/shops").headers["ETag"]
    again = caller.get("/shops", **{"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_the_api_sets_no_cookie_and_lets_no_other_site_read(filled, method):
    answer = filled.caller().call(method, "/shops", headers={"Origin": "https://elsewhere.example.com"})
    names = {name.lower() for name, _ in answer.headers}

    assert names & {"set-cookie", "access-control-allow-origin"} == set()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("DELETE", "/shops", None, 405),
        ("GET", "/events?limit=0", None, 422),
        ("GET", "/events?shops=acme", None, 422),
        ("GET", "/events?cursor=A%27", None, 422),
        ("GET", "/events?since=yesterday", None, 422),
        ("POST", "/people/search", [], 422),
        ("POST", "/people/search", {"shop": "acme"}, 422),
    ],
)
def test_every_error_is_a_problem(filled, method, path, body, status):
    answer = filled.caller().call(method, path, json=body)
    problem = answer.get_json()

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert (problem["status"], bool(problem["detail"])) == (status, True)
    assert ("errors" in problem) == (status == 422)


def test_a_body_that_is_not_json_is_a_problem(filled):
    answer = filled.caller().call("POST", "/people/search", data=b"{", content_type="application/json")

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_a_database_that_is_away_is_a_problem_that_says_when_to_try_again(api):
    token = api.make_token()

    def raise_error():
        raise OperationalError("SELECT", None, Exception("away"))

    app = create_api(api.app.extensions["cratewire.context"], RequestLimits())
    app.before_request_funcs[None] = [raise_error]
    answer = Caller(app, token).get("/shops")

    assert (answer.status_code, answer.headers["Retry-After"], "SELECT" in answer.text) == (503, "5", False)


def test_the_page_of_the_document_shows_every_operation(api):
    visitor = Caller(api.app, None)
    document, page = visitor.get("/openapi.json").get_json(), visitor.get("/docs")

    assert document["openapi"] == "3.1.0"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert [path for path in document["paths"] if page.text.count(f"<code>{path}</code>") == 0] == []
    assert ("<script" in page.text, "style=" in page.text) == (False, False)
    assert page.text.count("--data-binary @FILE") == 1  # a returned file of a warehouse
