"""The pages in this process, over a ledger that has something for each of them: quicker than an installation."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import redis
from sqlalchemy import Connection, insert, update
from werkzeug.serving import make_server

from pipeline.context import build_context
from pipeline.core.fulfilment import Package, State
from pipeline.fulfilment.rules.search_windows import BILLING_TYPES
from pipeline.fulfilment.settings_json import change_settings
from pipeline.fulfilment.steps.pull import get_job
from pipeline.fulfilment.work import request_forecast, request_freeze, take_in_file
from pipeline.fulfilment.work_turns import take_turn
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.backfills import ALL, insert_backfill
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.fulfilment.exports import add_exported, insert_export
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.fulfilment.quarantine import quarantine_packages
from pipeline.ledger.fulfilment.runs import begin_run, end_run
from pipeline.ledger.fulfilment.warehouses import build_warehouse_identity, save_warehouse, update_warehouse
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.rehearsals import end_rehearsal, insert_rehearsal
from pipeline.ledger.replays import Selection, insert_replay
from pipeline.ledger.samples import save_sample
from pipeline.ledger.schema import backfills, core
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.operations.own_test_event import TestEvent, send_test_event
from pipeline.operations.replays.count import count_replay
from pipeline.rehearsal.change import NO_CHANGE, dump_change
from pipeline.settings import Settings
from pipeline.warehouses.spreadsheet.references import make_reference
from receiver.demo.processes import find_free_ports
from tests.builders import NOW, order
from tests.pipeline.ledger.rows import add_dead_hook, add_deliveries, add_event, add_person
from tests.receiver.pages.browser import PagesInstallation

HERS = "bea@example.com"
SAID = {
    "headline": "acme: Customer.io refused 12 messages",
    "effect": "They are kept.",
    "to_do": "`cratewire dead list`",
}


@contextmanager
def serve_pages(
    data: Path, migrated_sqlite: Path, valkey_url: str
) -> Iterator[tuple[PagesInstallation, dict[str, object]]]:
    """`data`: an empty folder. With the pages comes what the addresses of the list of pages name."""
    shutil.copy(migrated_sqlite, data / "cratewire.db")
    [port] = find_free_ports(1)
    environment = {
        "CRATEWIRE_DATA_DIR": str(data),
        "CRATEWIRE_SECRET_KEY": "a-key-that-only-tests-know",
        "CRATEWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "REDIS_URL": valkey_url,
        "CRATEWIRE_CONNECT_ANYWHERE": "true",
    }
    settings = Settings.from_environment(environment)
    engine, client = make_engine(settings.database_url), redis.Redis.from_url(valkey_url)
    clock = [NOW + 600_000_000]
    site = replace(build_context(settings, engine, client), now=lambda: clock[0])
    installation = PagesInstallation.of(site, clock)
    known = fill(installation)
    server = make_server("127.0.0.1", port, installation.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield installation, known
    finally:
        server.shutdown()
        thread.join()
        engine.dispose()
        client.close()


def fill(installation: PagesInstallation) -> dict[str, object]:
    """Fill the ledger; return what the addresses of the list name."""
    account = installation.member(HERS)
    installation.member("robin@example.com", account, "reader")
    acme, beta = installation.store("acme", account), installation.store("beta-box", account)
    paper = installation.store("paper-box", account)
    with writing(installation.site.engine) as conn:
        [link] = list_store_connections(conn, acme)
        person = add_person(conn, acme, "mila@example.com", attributes={"first_name": "Mila"}, customer_id=7)
        for number, (name, status) in enumerate((("sent", "sent"), ("waits", "pending"), ("refused", "dead")), 1):
            event = add_event(conn, acme, number, data=order(id=number))
            conn.execute(insert(core.EventPerson).values(event_id=event, person_id=person, role="customer"))
            done = {} if status == "pending" else {"done_at": NOW + 300_000}
            reason = {"reason": "name_too_long"} if status == "dead" else {}
            add_deliveries(conn, link, person, event_id=event, status=status, message_id=name, **done, **reason)
        add_event(conn, acme, 4, outcome="withheld", notes=[{"code": "withheld_marketplace", "role": "customer"}])
        dead = add_dead_hook(conn, store="acme", store_id=acme)
        keys = {"client_id": "an-id", "client_secret": "a-secret", "base_url": "https://api.cratejoy.com/v1/"}
        sealed = encrypt(installation.site.settings.secret_keys, keys, build_api_identity(acme))
        save_store_api(conn, acme, sealed, NOW)
        insert_backfill(conn, acme, ALL, "customers", NOW)
        ended = {"state": "done", "ended_at": NOW, "done": {"customers": 412}, "totals": {"customers": 412}}
        conn.execute(update(backfills.Backfill).values(**ended))
        save_store_api(conn, beta, b"sealed", NOW)
        alarm = NewAlarm("messages_refused", acme, subject="acme/customerio", said=SAID)
        open_alarm(conn, alarm, NOW)
        stopped = NewAlarm("backfill_stopped", acme, subject="acme", said=SAID | {"headline": "acme: reading stopped"})
        open_alarm(conn, stopped, NOW)
        names: dict[str, object] = {"alarm": 1, "question": 2}
        names["sample"] = save_sample(conn, 1, "An order", COMMAND_LINE_ACTOR, NOW)
        owner = TestEvent("acme", HERS, "nonce", NOW, COMMAND_LINE_ACTOR, installation.site.settings.secret_keys)
        names["test_event"] = send_test_event(conn, owner)
        save_store_api(
            conn, paper, encrypt(installation.site.settings.secret_keys, keys, build_api_identity(paper)), NOW
        )
        add_warehouse(conn, installation, acme)
        add_spreadsheet(conn, installation, paper)
        names["order"] = "SUB-1"
        names["rehearsal"] = add_rehearsal(conn, acme, link.id, person)
        names["replay"] = insert_replay(
            conn, acme, Selection("refused"), delivers_again=False, user_id=None, now=installation.site.now()
        )
    count_replay(installation.site.engine, 1, installation.site.now)
    names |= {
        "batch": 22,
        "frozen_batch": 21,
        "files_store": "paper-box",
        "import": ask_for_work(installation, acme, paper),
    }
    known = {"store": "acme", "new_store": "beta-box", "account": account, "event": 1, "person": person, "dead": dead}
    return known | names


def add_rehearsal(conn: Connection, store_id: int, connection_id: int, person: int) -> int:
    """A rehearsal of another mapping that has found one difference."""
    number = insert_rehearsal(conn, store_id, dump_change(NO_CHANGE), 30, NOW, is_waiting=False)
    group = {"connection": connection_id, "change": "changed", "kind": "event", "event": "order_new", "people": 1}
    shown = {"fields": ["name"], "more_fields": 0, "count": 1, "examples": [{"event": 1, "person": person}]}
    counts = {"hooks": 4, "from_data": 1, "emptied": 0, "messages_before": 8, "messages_after": 8, "more_groups": 0}
    unsendable = [{"connection": connection_id, "event": "order_new", "kind": "profile", "count": 1}]
    report = {**counts, "groups": [{**group, **shown}], "unsendable": unsendable}
    end_rehearsal(conn, number, NOW, report=report, differences=1, release=None)
    return number


def add_spreadsheet(conn: Connection, installation: PagesInstallation, store_id: int) -> None:
    """A spreadsheet as the warehouse, live: one box was exported, and one is ready."""
    sealed = encrypt(installation.site.settings.secret_keys, {"preset": "generic"}, build_warehouse_identity(store_id))
    save_warehouse(conn, store_id, "spreadsheet", sealed, NOW)
    update_warehouse(conn, store_id, settings=change_settings({}, {"earliest_order_at": "2026-01-01"}), mode="live")
    export_id = insert_export(conn, store_id, None, NOW)
    add_exported(conn, export_id, 1)
    for number, (state, file) in enumerate(((State.AT_WAREHOUSE, export_id), (State.READY, None)), 1):
        new = NewOrder(store_id, number, f"SUB-{number}", "subscription", "adhoc", state)
        insert_order(conn, new, NOW, country="US", target_at=NOW, export_id=file)


def ask_for_work(installation: PagesInstallation, store_id: int, with_files: int) -> int:
    """The forecast of a batch, the freeze of another, and a returned file of the other shop; returns its import."""
    context = installation.site
    for work in (
        request_forecast(context, store_id, 22, COMMAND_LINE_ACTOR),
        request_freeze(context, store_id, 21, COMMAND_LINE_ACTOR),
    ):
        take_turn(context, store_id, work.id)
    rows = f"{make_reference('SUB-1')},9400100000000000000123\n,9400100000000000000124\n"
    returned = f"Order ID,Tracking Number\n{rows}".encode()
    return take_in_file(context, with_files, returned, COMMAND_LINE_ACTOR).id


def add_warehouse(conn: Connection, installation: PagesInstallation, store_id: int) -> None:
    """A warehouse in dry run whose first pass has ended: one box would go, one is held."""
    config = {"api_user": "a-user", "api_key": "a-key", "cancel_call": "wms_cancel"}
    sealed = encrypt(installation.site.settings.secret_keys, config, build_warehouse_identity(store_id))
    save_warehouse(conn, store_id, "cartrover", sealed, NOW)
    update_warehouse(conn, store_id, settings=change_settings({}, {"earliest_order_at": "2026-01-01"}))
    for number, (state, reason) in enumerate(((State.READY, None), (State.HELD, "unpaid"), (State.READY, None)), 1):
        batch = {"batch_id": 20 + min(number, 2), "batch_starts_at": NOW, "batch_ends_at": NOW + 20 * 86_400_000_000}
        new = NewOrder(store_id, number, f"SUB-{number}", "subscription", "adhoc", state, reason)
        lines = [{"line_no": 1, "sku": "BOX", "source_sku": "BOX", "description": "Box", "quantity": 1}]
        insert_order(conn, new, NOW, lines=lines, country="US", target_at=NOW, cratejoy_checked_at=NOW, **batch)
    quarantine_packages(conn, store_id, "SUB-77", [Package("1Z999", "UPS")], NOW, is_complete=True)
    for kind in BILLING_TYPES:
        end_run(conn, begin_run(conn, store_id, get_job(kind), NOW, is_full=True), NOW, pages=1, rows=1)
