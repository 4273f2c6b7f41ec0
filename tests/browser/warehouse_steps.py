"""Steps of a merchant whose boxes go out through a warehouse. Each begins on any page, logged in."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from receiver.demo.scenario import call_sandbox
from sandbox.store.server import RunningStore
from sandbox.warehouse.server import RunningWarehouse
from tests.browser.world import LONG, PASSWORD, World

SHOP, OWNER = "moon-box", "ola@example.com"
TRACKING = "TEST0000000000000042"
HOURS_BEHIND = 5  # of the shop's time when its boxes are bought: they have cooled off by now


@dataclass(frozen=True)
class Boxes:
    """A shop that is connected, its boxes, and a warehouse that is not. `invitation`: the link for its owner."""

    world: World
    store: RunningStore
    warehouse: RunningWarehouse
    invitation: str

    @property
    def url(self) -> str:
        return f"{self.world.url}/stores/{SHOP}"

    def sell(self, **sale: Any) -> Mapping[str, Any]:
        """A sale whose hooks are lost; its box was due yesterday."""
        given = {"billing": "adhoc", "target": format_time(days=-1), "silent": True}
        sold: dict[str, Any] = call_sandbox(f"{self.store.url}/_sandbox/sales", given | sale)
        return sold

    def do(self, what: str, **given: Any) -> None:
        """What the shop's people do at Cratejoy: `do("shipments/7/cancel")`."""
        call_sandbox(f"{self.store.url}/_sandbox/{what}", given)

    def ship(self, number: str) -> None:
        """The warehouse packs it, and it leaves."""
        call_sandbox(f"{self.warehouse.url}/_control/ship", {"order_number": number})

    def list_sent(self) -> list[str]:
        """The order numbers that the warehouse was given."""
        return [order["order_number"] for order in call_sandbox(f"{self.warehouse.url}/_control/state")["orders"]]

    def get_tracking(self, shipment: int) -> str | None:
        """The tracking number that Cratejoy shows."""
        number: str | None = self.store.world.state.get("shipments", shipment)["tracking_number"]
        return number


def format_time(**distance: float) -> str:
    return (datetime.fromtimestamp(time.time(), UTC) + timedelta(**distance)).strftime("%Y-%m-%dT%H:%M:%SZ")


def connect_a_shop(world: World, store: RunningStore, warehouse: RunningWarehouse) -> Boxes:
    """A shop that the operator has connected, and the invitation of its owner."""
    config = world.customerio.config
    platform = ("--site-id", config["site_id"], "--api-key", config["api_key"], "--base-url", config["base_url"])
    keys = ("--client-id", store.world.options.client_id, "--client-secret", store.world.options.client_secret)
    api = ("--cratejoy-url", f"{store.url}/v1/", "--storefront-source", "1", "--marketplace-source", "2")
    world.call("connect", "--store", SHOP, "--platform", "customerio", *platform, "--region", "us", *keys, *api)
    said = world.call("accounts", "invite", OWNER)
    link = re.search(r"http\S+", said)
    assert link, said
    return Boxes(world, store, warehouse, link[0])


def accept_the_invitation(boxes: Boxes, page: Page) -> None:
    page.goto(boxes.invitation)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"{boxes.world.url}/")


def connect_past_a_wrong_key(boxes: Boxes, page: Page) -> None:
    """What is wrong is said at its field, which has the focus; all else stays as it was typed."""
    page.get_by_role("link", name=SHOP).click()
    page.get_by_role("link", name="The warehouse").click()
    page.get_by_role("link", name="Connect Extensiv Integration Manager").click()
    expect(page.get_by_text("switch off its own Cratejoy connection")).to_be_visible()
    keys = boxes.warehouse.world.keys
    page.get_by_label("API user").fill(keys.api_user)
    page.get_by_label("API key").fill("not it")
    page.get_by_label("Base URL").fill(f"{boxes.warehouse.url}/cartrover/v1")
    page.get_by_label("Earliest date").fill(format_time(days=-60)[:10])
    page.get_by_role("button", name="Check and connect").click()
    expect(page.locator("#api_key-errors")).to_contain_text("do not fit", timeout=LONG)
    expect(page.get_by_label("API key")).to_be_focused()
    page.get_by_label("API key").fill(keys.api_key)
    page.get_by_role("button", name="Check and connect").dblclick()
    expect(page.get_by_text("dry run: nothing is sent")).to_be_visible(timeout=LONG)


def read_the_report_and_go_live(boxes: Boxes, page: Page, would_go: int) -> None:
    """The report comes by itself. It is accepted as it was shown: if the number has changed, it is read again."""
    button = page.get_by_role("button", name="Accept and go live")
    expect(button).to_have_text(re.compile(f": {would_go} box"), timeout=LONG)
    assert boxes.list_sent() == []
    only_owner = page.get_by_label("Nothing else sends this shop's boxes")
    button.click()
    expect(only_owner).to_be_focused()  # the browser asks for it
    late = boxes.sell()["shipment_ids"][0]
    boxes.world.run.until(lambda: is_known(boxes, page, late))
    only_owner.check()
    button.click()
    expect(page.get_by_text("read the report again")).to_be_visible(timeout=LONG)
    assert boxes.list_sent() == []
    page.get_by_label("Nothing else sends this shop's boxes").check()
    page.get_by_role("button", name=f"Accept and go live: {would_go + 1} boxes").dblclick()
    expect(page.locator(".title")).to_contain_text("live", timeout=LONG)


def is_known(boxes: Boxes, page: Page, shipment: int) -> bool:
    return page.request.get(f"{boxes.url}/orders/SUB-{shipment}").ok


def watch_a_box_go_out_and_come_back_confirmed(boxes: Boxes, page: Page, shipment: int) -> None:
    """The page of the box goes on by itself, from the warehouse to the e-mail of Cratejoy."""
    page.get_by_role("link", name="Orders", exact=True).first.click()
    page.get_by_role("link", name=f"SUB-{shipment}").click()
    state = page.locator("#box .title")
    expect(state).to_contain_text("at the warehouse", timeout=LONG)
    boxes.ship(f"SUB-{shipment}")
    expect(state).to_contain_text("confirmed", timeout=LONG)
    number = boxes.get_tracking(shipment)
    assert number
    expect(page.locator("section", has=page.get_by_role("heading", name="Parcels"))).to_contain_text(number)
    expect(page.locator(".way .reached")).to_have_count(4)


def release_a_held_one(boxes: Boxes, page: Page, shipment: int) -> None:
    page.get_by_role("link", name="Orders", exact=True).first.click()
    page.get_by_role("link", name="Needs you").click()
    row = page.locator(".boxes > li", has_text=f"SUB-{shipment}")
    expect(row).to_contain_text("The subscription is not active")
    row.get_by_role("button", name="Release").dblclick()
    expect(page.get_by_text(f"SUB-{shipment}: Released.")).to_be_visible(timeout=LONG)
    expect(row).to_have_count(0)
    boxes.world.run.until(lambda: f"SUB-{shipment}" in boxes.list_sent())


def cancel_one_in_time(boxes: Boxes, page: Page) -> None:
    """A box that was just bought cools off, and says until when. A cancel meanwhile never reaches the warehouse."""
    boxes.do("clock", now=format_time())
    shipment = boxes.sell()["shipment_ids"][0]
    boxes.world.run.until(lambda: is_known(boxes, page, shipment))
    page.goto(f"{boxes.url}/orders/SUB-{shipment}")
    expect(page.get_by_text("It cools off until")).to_be_visible(timeout=LONG)
    boxes.do(f"shipments/{shipment}/cancel")
    expect(page.locator("#box .title")).to_contain_text("cancelled", timeout=LONG)
    assert f"SUB-{shipment}" not in boxes.list_sent()


def change_to_a_spreadsheet(boxes: Boxes, page: Page) -> int:
    """Another warehouse begins in dry run, too. Returns the shipment that waits for it, of a batch that has ended.

    Its payment is new: without the time to cool off, which the settings take away, it is ready.
    """
    ended = datetime.fromtimestamp(time.time(), UTC).replace(day=1) - timedelta(days=1)
    shipment: int = boxes.sell(billing="standard", target=ended.strftime("%Y-%m-%dT00:00:00Z"))["shipment_ids"][0]
    page.goto(f"{boxes.url}/warehouse")
    page.get_by_text("Another warehouse").click()
    page.get_by_role("link", name="Spreadsheet").click()
    expect(page.get_by_text("It takes the place of Extensiv Integration Manager")).to_be_visible()
    page.get_by_label("Columns for").select_option("generic")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("dry run: nothing is sent")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_label("Wait after a sign-up, in hours").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Boxes that are not sent yet are judged anew.")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Warehouse", exact=True).click()
    button = page.get_by_role("button", name="Accept and go live: 1 box goes")
    expect(button).to_be_visible(timeout=LONG)
    page.get_by_label("Nothing else sends this shop's boxes").check()
    button.click()
    expect(page.locator(".title")).to_contain_text("live", timeout=LONG)
    return shipment


def freeze_its_batch(boxes: Boxes, page: Page, shipment: int) -> None:
    """The page asks first; then it says by itself which boxes are in it."""
    page.get_by_role("link", name="Batches").click()
    page.locator("tr", has_text="ended, not frozen").get_by_role("link").click()
    page.get_by_role("link", name="Freeze …").click()
    page.get_by_role("button", name="Freeze", exact=True).dblclick()
    expect(page.get_by_role("heading", name="Manifest: 1 box")).to_be_visible(timeout=LONG)
    page.get_by_text("Which boxes").click()
    expect(page.get_by_role("link", name=f"SUB-{shipment}")).to_be_visible()


def export_it_and_import_the_tracking(boxes: Boxes, page: Page, shipment: int) -> None:
    """The file has one row with a reference. It comes back with a tracking number, which is written once."""
    page.get_by_role("link", name="Export this batch").click()
    page.get_by_role("button", name="Export", exact=True).dblclick()
    download = page.get_by_role("link", name="Download export 1 as CSV")
    expect(download).to_be_visible(timeout=LONG)
    with page.expect_download() as started:
        download.click()
    [row] = csv.DictReader(io.StringIO(Path(started.value.path()).read_text("utf-8-sig")))
    assert any(f"CW-SUB-{shipment}-" in value for value in row.values()), row

    send_back(page, row | {"Tracking number": TRACKING, "Carrier": "USPS"})
    expect(page.get_by_role("heading", name="Write 1 tracking number?")).to_be_visible(timeout=LONG)
    assert boxes.get_tracking(shipment) is None
    page.get_by_role("button", name="Write 1", exact=True).dblclick()
    expect(page.get_by_text("1 written: they are confirmed at Cratejoy")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name=f"SUB-{shipment}").click()
    expect(page.locator("#box .title")).to_contain_text("confirmed", timeout=LONG)
    assert boxes.get_tracking(shipment) == TRACKING

    page.goto(f"{boxes.url}/warehouse/files")
    send_back(page, row | {"Tracking number": TRACKING, "Carrier": "USPS"})
    expect(page.get_by_text("This very file was imported")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("heading", name="Nothing to write")).to_be_visible()


def send_back(page: Page, row: Mapping[str, str]) -> None:
    """Upload the file that the labels came with."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "labels.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    )
    page.get_by_role("button", name="Preview").click()
