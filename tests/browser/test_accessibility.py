"""axe finds nothing, of any level, on any page, in light and in dark: WCAG AA and axe's advice."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, Page
from sqlalchemy import insert, update
from werkzeug.serving import make_server

from pipeline.context import build_context
from pipeline.ledger.backfills import ALL, insert_backfill
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.schema import backfills, core
from pipeline.ledger.store_apis import save_store_api
from pipeline.settings import Settings
from receiver.demo.processes import find_free_ports
from tests.browser.page_list import ListedPage, list_pages
from tests.builders import NOW, order
from tests.pipeline.ledger.rows import add_dead_hook, add_deliveries, add_event, add_person
from tests.receiver.pages.browser import PASSWORD, PagesInstallation

pytestmark = pytest.mark.slow

HERS = "bea@example.com"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN = """async (only) => {
  const options = {resultTypes: ["violations"], ...(only ? {runOnly: {type: "rule", values: only}} : {})};
  const found = await axe.run(document, options);
  const show = (one) => one.nodes.map((node) => node.html).join(" | ").slice(0, 300);
  return found.violations.map((one) => `${one.id} (${one.impact}): ${show(one)}`);
}"""
SAID = {
    "headline": "acme: Customer.io refused 12 messages",
    "effect": "They are kept.",
    "to_do": "`cratewire dead list`",
}


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, valkey_url: str
) -> Iterator[tuple[PagesInstallation, dict[str, object]]]:
    """The pages, in this process, over a ledger that has something for each of them."""
    data = tmp_path_factory.mktemp("axe")
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
    yield installation, known
    server.shutdown()
    thread.join()
    engine.dispose()
    client.close()


def fill(installation: PagesInstallation) -> dict[str, object]:
    """Fill the ledger; return what the addresses of the list name."""
    account = installation.member(HERS)
    installation.member("robin@example.com", account, "reader")
    acme, beta = installation.store("acme", account), installation.store("beta-box", account)
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
        save_store_api(conn, acme, b"sealed", NOW)
        insert_backfill(conn, acme, ALL, "customers", NOW)
        ended = {"state": "done", "ended_at": NOW, "done": {"customers": 412}, "totals": {"customers": 412}}
        conn.execute(update(backfills.Backfill).values(**ended))
        save_store_api(conn, beta, b"sealed", NOW)
        alarm = NewAlarm("messages_refused", acme, subject="acme/customerio", said=SAID)
        open_alarm(conn, alarm, NOW)
    names = {"store": "acme", "new_store": "beta-box", "account": account, "event": 1, "person": person, "dead": dead}
    return {**names, "alarm": 1}


def find_violations(page: Page, base: str, listed: ListedPage) -> Iterator[str]:
    """What axe finds on one page: everything in light, and what depends on the colours in dark."""
    page.emulate_media(color_scheme="light")
    answer = page.goto(f"{base}{listed.address}", wait_until="domcontentloaded")
    assert answer is not None
    if answer.status not in (200, 404) or (answer.status == 404) != (listed.name == "not-found"):
        yield f"{listed.name}: answered {answer.status}"
    page.evaluate(AXE)  # by the browser itself, not by the page, whose content security policy forbids it
    looks: tuple[tuple[Any, Any], ...] = (("light", None), ("dark", ["color-contrast", "link-in-text-block"]))
    for look, only in looks:
        page.emulate_media(color_scheme=look)
        yield from (f"{listed.name} in {look}: {said}" for said in page.evaluate(RUN, only))


def test_axe_finds_nothing_on_any_page(house: tuple[PagesInstallation, dict[str, object]], chromium: Browser):
    installation, known = house
    base = installation.site.settings.public_url
    found: list[str] = []
    visitor, member = (chromium.new_context(reduced_motion="reduce").new_page() for _ in range(2))
    member.goto(f"{base}/login")
    member.locator("#email").fill(HERS)
    member.locator("#password").fill(PASSWORD)
    member.locator("main [type=submit]").click()
    member.wait_for_url(f"{base}/")
    for listed in list_pages(known):
        found += find_violations(visitor if listed.is_public else member, base, listed)
    for page in (visitor, member):
        page.context.close()

    assert "\n".join(found) == ""
