"""Batches and files by a token: asked for, done by a worker, and read; each thing once."""

from __future__ import annotations

import io

import pytest

from pipeline.fulfilment.work_turns import take_turn
from pipeline.ledger.accounts import create_account, get_account_name
from pipeline.ledger.api_tokens import SCOPES, NewToken, create_token
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.schema.core import Store
from pipeline.ledger.stores import save_store
from pipeline.warehouses.spreadsheet.references import make_reference
from receiver.api.app import create_api
from receiver.api.limits import RequestLimits
from tests.pipeline.fulfilment.bridge import DAY
from tests.pipeline.fulfilment.conftest import (  # noqa: F401 - fixtures
    clock,
    ledger,
    make_bridge,
    running_store,
    running_warehouse,
)
from tests.pipeline.fulfilment.test_spreadsheet import file, read
from tests.receiver.api.conftest import NO_LIMIT, Caller, find_deviations
from tests.receiver.api.test_resources import items

NUMBER = "9400100000000000000123"


class Client:
    """A program of the account of a store whose warehouse is a spreadsheet, and the worker."""

    def __init__(self, bridge):
        self.bridge, self.context = bridge, bridge.context
        self.app = create_api(bridge.context, RequestLimits(NO_LIMIT))
        with reading(bridge.engine) as conn:
            row = conn.execute(Store.__table__.select().filter_by(id=bridge.store_id)).one()
        self.account, self.path = row.account_id, f"/warehouses/{row.name}"

    def caller(self, *scopes, account=None):
        now = self.context.now()
        new = NewToken(account or self.account, "a test", scopes or SCOPES, 30)
        with writing(self.bridge.engine) as conn:
            keys, rng = self.context.settings.secret_keys, self.context.rng
            return Caller(self.app, create_token(conn, keys, new, rng, COMMAND_LINE_ACTOR, now))

    def stranger(self):
        with writing(self.bridge.engine) as conn:
            account = create_account(conn, 0)
            save_store(conn, "strange", 0, account=get_account_name(conn, account))
        return self.caller(account=account)

    def sell(self, **sale):
        shipment = self.bridge.sell(**sale)
        self.bridge.search()
        return f"SUB-{shipment}"

    def sell_ahead(self):
        """A box of a batch that ends some days later."""
        return self.sell(billing="standard", target=self.bridge.iso(3 * DAY))

    def work(self, answer):
        """Let a worker do what was asked for; returns it as it is then."""
        assert answer.status_code == 202, answer.text
        work_id = int(answer.get_json()["id"])
        take_turn(self.context, self.bridge.store_id, work_id)
        return self.caller("read").get(f"{self.path}/work/{work_id}").get_json()

    def audited(self):
        with reading(self.bridge.engine) as conn:
            return [row.action for row in list_actions(conn, None) if row.via == "api"]

    def upload(self, content):
        return self.caller("replay").call("POST", f"{self.path}/imports", data=content, content_type="text/csv")


@pytest.fixture
def client(make_bridge):  # noqa: F811
    bridge = make_bridge("spreadsheet")
    bridge.go_live()
    return Client(bridge)


def test_boxes_are_exported_once_and_the_file_needs_both_scopes(client):
    caller, path = client.caller("read", "replay"), f"{client.path}/exports"
    nothing = caller.post(path, {})
    number = client.sell()
    first, second = (caller.post(path, {"format": "csv", "preset": "generic"}) for _ in range(2))
    done = client.work(first)
    [export] = items(caller.get(path))
    refused = caller.get(f"{path}/{export['id']}/file")
    got = client.caller("replay", "read-people").get(f"{path}/{export['id']}/file")
    excel = client.caller("replay", "read-people").get(f"{path}/{export['id']}/file?format=xlsx")

    assert (nothing.status_code, nothing.get_json()["detail"]) == (409, "No box is ready.")
    assert first.get_json()["id"] == second.get_json()["id"]
    assert (done["state"], done["boxes"], done["export_id"], done["left_out"]) == ("done", 1, export["id"], {})
    assert (refused.status_code, 'scope="read-people"' in refused.headers["WWW-Authenticate"]) == (403, True)
    assert [row["Reference"] for row in read(got.data)] == [make_reference(number)]
    assert (excel.data[:2], ".xlsx" in excel.headers["Content-Disposition"]) == (b"PK", True)
    assert caller.post(path, {}).status_code == 409
    assert client.audited() == ["boxes.exported_again", "boxes.exported_again", "boxes.exported"]


def test_what_is_wrong_with_a_file_that_is_asked_for_is_named(client):
    client.sell()
    wrong = {
        "columns": {"columns": "Name = name"},
        "preset": {"preset": "paper"},
        "format": {"format": "pdf"},
        "wave": {"wave": "Gifts"},
    }
    answers = {name: client.caller().post(f"{client.path}/exports", body) for name, body in wrong.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(wrong, 422)
    assert {name: answer.get_json()["errors"][0]["field"] for name, answer in answers.items()} == {
        name: name for name in wrong
    }


def test_a_returned_file_is_previewed_and_written_once(client):
    number = client.sell()
    client.work(client.caller().post(f"{client.path}/exports", {}))
    content = file([(make_reference(number), NUMBER), ("CW-NONE-ABC", "")], ("Order ID", "Tracking Number"))
    sent, again = client.upload(content), client.upload(content)
    place = f"{client.path}/imports/{sent.get_json()['id']}"
    rows = {scope: items(client.caller("read", scope).get(f"{place}/rows")) for scope in ("replay", "read-people")}
    page = client.caller("read").get(f"{place}/rows?verdict=match&limit=1").get_json()
    before = client.bridge.box(int(number[4:])).state.value
    done = client.work(client.caller("replay").post(f"{place}/apply"))
    repeated = client.caller("replay").post(f"{place}/apply").get_json()
    shown = client.caller("read").get(place).get_json()
    later = client.upload(content).get_json()

    assert (sent.status_code, sent.get_json()["state"], sent.get_json()["counts"]["match"]) == (201, "previewed", 1)
    assert again.get_json()["id"] == sent.get_json()["id"]
    assert [row["verdict"] for row in rows["replay"]] == ["match", "unknown"]
    assert [row["tracking_numbers"] for row in rows["replay"]] == [None, None]
    assert rows["read-people"][0]["tracking_numbers"] == [NUMBER]
    assert ([row["order_number"] for row in page["items"]], page["next_cursor"]) == ([number], None)
    assert (before, client.bridge.box(int(number[4:])).state.value) == ("at_warehouse", "shipped")
    assert (done["state"], done["written"], repeated["state"], shown["counts"]["match"]) == ("done", 1, "done", 1)
    assert (later["earlier"], later["counts"]["already_there"], later["counts"]["match"]) == (shown["id"], 1, 0)
    assert client.audited().count("boxes.imported") == 1


def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(client):
    answers = [client.upload(content) for content in (b"", b"nothing of ours\n", b"x" * (11 * 1024 * 1024))]

    form = {"file": (io.BytesIO(b"Order ID,Tracking Number\n"), "labels.csv")}
    answers.append(client.caller().call("POST", f"{client.path}/imports", data=form))

    assert [answer.status_code for answer in answers] == [409, 409, 413, 415]
    assert "--data-binary" in answers[-1].get_json()["detail"]
    assert items(client.caller().get(f"{client.path}/work")) == []


def test_a_batch_is_forecast_and_frozen_by_a_worker(client):
    number = client.sell_ahead()
    caller = client.caller("read", "replay")
    [batch] = items(caller.get(f"{client.path}/batches"))
    place = f"{client.path}/batches/{batch['batch_id']}"
    early = [caller.get(f"{place}/forecast").status_code, caller.get(place).status_code]
    expected = client.work(caller.post(f"{place}/forecast"))
    forecast = caller.get(f"{place}/forecast").get_json()
    unsure = caller.post(f"{place}/freeze", {})
    done = client.work(caller.post(f"{place}/freeze", {"confirm": True}))
    [frozen] = items(caller.get(place))
    again = caller.post(f"{place}/freeze", {"confirm": True})

    assert (early, expected["state"]) == ([404, 404], "done")
    assert (forecast["expected"]["total"]["likely"], forecast["batch"]["batch_id"]) == (1, batch["batch_id"])
    assert (unsure.status_code, again.status_code) == (409, 409)
    assert (done["state"], done["boxes"], done["batch_id"]) == ("done", 1, batch["batch_id"])
    assert [entry["order_number"] for entry in frozen["manifest"]["entries"]] == [number]
    assert (frozen["digest"], frozen["changes"]) == (frozen["manifest"]["digest"], [])
    assert items(caller.get(f"{client.path}/batches"))[0]["frozen_boxes"] == 1
    assert [row["kind"] for row in items(caller.get(f"{client.path}/work"))] == ["freeze", "forecast"]
    assert items(caller.get(f"{client.path}/work?kind=export")) == []
    assert caller.post(f"{client.path}/batches/999999/freeze", {"confirm": True}).status_code == 404
    assert client.audited() == ["batch.frozen"]
    assert find_deviations(client.caller(), {"FrozenBatchPage": place, "Forecast": f"{place}/forecast"}) == {}


def test_what_is_answered_is_as_the_document_says(client):
    number = client.sell()
    client.work(client.caller().post(f"{client.path}/exports", {}))
    sent = client.upload(file([(make_reference(number), NUMBER)], ("Order ID", "Tracking Number"))).get_json()
    answers = {
        "WorkPage": f"{client.path}/work",
        "ExportPage": f"{client.path}/exports",
        "Import": f"{client.path}/imports/{sent['id']}",
        "ImportRowPage": f"{client.path}/imports/{sent['id']}/rows",
        "BatchPage": f"{client.path}/batches",
    }

    assert find_deviations(client.caller(), answers) == {}


def test_batches_and_files_of_another_account_are_not_there(client):
    client.sell()
    work_id = client.caller().post(f"{client.path}/exports", {}).get_json()["id"]
    stranger = client.stranger()
    gets = ("work", f"work/{work_id}", "batches", "batches/1", "batches/1/forecast", "exports", "exports/1/file")
    posts = {"exports": {}, "batches/1/forecast": None, "batches/1/freeze": {"confirm": True}, "imports/1/apply": None}
    answers = [stranger.get(f"{client.path}/{path}") for path in (*gets, "imports/1", "imports/1/rows")]
    answers += [stranger.post(f"{client.path}/{path}", body) for path, body in posts.items()]
    answers.append(stranger.call("POST", f"{client.path}/imports", data=b"x"))
    own = [stranger.get(f"/warehouses/strange/{path}") for path in (f"work/{work_id}", "exports/1/file")]

    assert {answer.status_code for answer in (*answers, *own)} == {404}
