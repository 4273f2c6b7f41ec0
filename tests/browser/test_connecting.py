"""A merchant in a browser: from the form to events, a failure that is mended, and a person who is erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from receiver.demo.scenario import call_sandbox
from sandbox.store.server import RunningStore as CratejoySandbox
from sandbox.store.server import run_in_thread as run_store
from sandbox.store.world import Options
from sandbox.warehouse.server import run_in_thread as run_warehouse
from sandbox.warehouse.world import Keys
from tests.browser import steps, warehouse_steps
from tests.browser.warehouse_steps import Boxes
from tests.browser.world import DESK, LONG, PASSWORD, PHONE, World, fill_in, start_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIZES = (DESK, {"width": 640, "height": 450}, PHONE, {"width": 320, "height": 450})  # at 200 % a window is half as wide


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with start_world(tmp_path_factory.mktemp("browser") / "data") as world:
        yield world


@pytest.fixture
def page(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESK)
    context.set_default_timeout(LONG)
    page = context.new_page()
    page.faults = []
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    context.close()


@pytest.fixture
def boxes(world: World) -> Iterator[Boxes]:
    """Another shop of the installation, and the warehouse that its boxes are to go to."""
    began = warehouse_steps.format_time(hours=-warehouse_steps.HOURS_BEHIND)
    with (
        run_store(Options("a-second-id", "a-second-secret", start=began)) as store,
        run_warehouse(Keys()) as warehouse,
    ):
        yield warehouse_steps.connect_a_shop(world, store, warehouse)


CUSTOMERS = 150
ALLOWED = 5  # requests a second; the installation thinks that it may send twenty, and has to learn otherwise


def answers_of(cratejoy: CratejoySandbox) -> set[int]:
    return {request["status"] for request in call_sandbox(f"{cratejoy.url}/_sandbox/requests")["requests"]}


def test_a_merchant_connects_sees_events_arrive_mends_what_fails_and_erases_a_person(world: World, page: Page):
    store = world.cratejoy.url
    call_sandbox(f"{store}/_sandbox/customers", {"count": CUSTOMERS})
    page.goto(world.url)
    page.get_by_role("link", name="Connect a shop").click()
    page.get_by_label("Client ID").fill("an-id")
    page.get_by_label("Client Secret").fill("not it")
    page.get_by_label("Address of the Merchant API").fill(f"{store}/v1/")
    page.get_by_label("Site ID").focus()  # a step is checked when it is left
    expect(page.locator("#client_secret-errors")).to_contain_text("Cratejoy refused", timeout=LONG)
    page.get_by_label("Client Secret").fill("a-secret")
    page.locator("#step-cratejoy").get_by_role("button", name="Check").click()
    expect(page.locator("#cratejoy-checked")).to_contain_text(f"{CUSTOMERS} customers", timeout=LONG)
    expect(page.locator("#before-reading")).to_contain_text(f"{CUSTOMERS} customers")
    expect(page.locator("#client_secret-errors")).to_be_hidden()

    fill_in(page, world, Password="short")
    page.locator("form.connect > input[type=submit]").click()
    expect(page.get_by_label("Password")).to_be_focused(timeout=LONG)
    expect(page.locator("#password-errors")).to_be_visible()

    page.get_by_label("Password").fill(PASSWORD)  # all else is as it was
    call_sandbox(f"{store}/_sandbox/faults", {"rate": ALLOWED, "retry_after": 1})
    page.locator("form.connect > input[type=submit]").click()
    questions = page.get_by_label("Orders with source")
    expect(questions.first).to_be_visible(timeout=LONG)
    for question in questions.all():
        question.select_option("storefront")
    page.get_by_role("button", name="Connect").first.dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your store is connected", timeout=LONG)

    page.goto(world.link_in_mail())
    page.get_by_role("button", name="Confirm").click()  # which logs in, in the browser the account was made in
    page.get_by_role("link", name="acme").click()
    expect(page.get_by_text("17 of 17 hooks registered at Cratejoy.")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(f"{CUSTOMERS} of {CUSTOMERS} customers read.")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("Waiting for the first event from your shop …")).to_be_visible()
    world.run.until(lambda: len(world.customerio.control("people")) == CUSTOMERS)
    assert world.customerio.events() == []

    call_sandbox(f"{store}/_sandbox/life", {"hooks": 40, "seed": 1})
    expect(page.get_by_text("First event:")).to_be_visible(timeout=LONG)  # by itself
    expect(page.locator("ol.activities li")).to_have_count(10, timeout=LONG)
    world.run.until(world.customerio.events)
    see_that_a_refresh_leaves_alone_what_the_reader_does(world, page)

    for size in SIZES:
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert words_on_two_lines(page) == []

    page.set_viewport_size(DESK)
    for step in steps.OF_A_DAY:
        step(world, page)
    for path in ("/activity", "/stores/acme"):
        page.goto(f"{world.url}{path}")
        steps.see_that_a_server_is_gone_and_comes_back(world, page)

    assert 429 in answers_of(world.cratejoy)
    # A form that is refused is answered with 400 or 422, which browsers note; nothing else may be amiss.
    assert [fault for fault in page.faults if "of 400" not in fault and "of 422" not in fault] == []


def see_that_a_refresh_leaves_alone_what_the_reader_does(world: World, page: Page) -> None:
    """What is open stays open, the focus stays, and a chart stays drawn, although all around them changes."""
    opened = page.locator("[data-chart] details")
    opened.locator("summary").click()
    expect(page.locator("[data-chart] canvas")).to_be_visible()
    newest = page.locator("ol.activities li").first.get_attribute("id")
    call_sandbox(f"{world.cratejoy.url}/_sandbox/life", {"hooks": 5, "seed": 4})
    expect(page.locator("ol.activities li").first).not_to_have_attribute("id", newest or "", timeout=LONG)

    assert opened.evaluate("(one) => one.open && document.activeElement === one.querySelector('summary')")
    expect(page.locator("[data-chart] canvas")).to_be_visible()


def words_on_two_lines(page: Page) -> list[str]:
    """Words that stand on two lines."""
    return page.evaluate(
        """() => {
          const broken = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (const word of node.data.matchAll(/[A-Za-z]{2,20}/g)) {
              const range = document.createRange();
              range.setStart(node, word.index);
              range.setEnd(node, word.index + word[0].length);
              const lines = new Set([...range.getClientRects()].filter((one) => one.width).map((one) => one.top));
              if (lines.size > 1) broken.push(word[0]);
            }
          }
          return broken;
        }"""
    )


def test_a_step_that_was_left_before_the_scripts_came_is_checked_once_they_have(world: World, page: Page):
    """Over a slow line, or on a busy machine, people type before the last script is there."""
    scripts: list[Route] = []
    page.route("**/connect.js*", lambda script: scripts.append(script))  # noqa: PLW0108  Playwright marks the function
    with page.expect_request("**/connect.js*"):
        page.goto(f"{world.url}/connect", wait_until="commit")
    page.get_by_label("Client ID").fill("an-id")
    page.get_by_label("Client Secret").fill("not it")
    page.get_by_label("Address of the Merchant API").fill(f"{world.cratejoy.url}/v1/")
    page.get_by_label("Site ID").focus()

    for script in scripts:
        script.continue_()

    expect(page.locator("#client_secret-errors")).to_contain_text("Cratejoy refused", timeout=LONG)
    assert page.locator("#step-platform .errors").count() == 0  # which is not filled in


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("path", ["/connect", "/login", "/register", "/reset", "/confirm/x"])
def test_no_page_breaks_words_or_is_wider_than_its_window(world: World, chromium: Browser, path: str, size: dict):
    context = chromium.new_context(viewport=size)
    page = context.new_page()
    page.set_default_timeout(LONG)
    page.goto(f"{world.url}{path}")
    page.wait_for_load_state()
    wide, broken = page.evaluate("document.documentElement.scrollWidth"), words_on_two_lines(page)
    context.close()

    assert wide <= size["width"]
    assert broken == []


def test_the_form_works_without_javascript_and_fits_a_phone(world: World, chromium: Browser):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(LONG)
    page.goto(f"{world.url}/connect")
    fill_in(page, world, **{"Shop name": "other", "Mail address": "robin@example.com", "Password": "short"})
    page.locator("form.connect > input[type=submit]").click()

    error = page.locator("#password-errors")
    expect(error).to_be_visible(timeout=LONG)
    wide = page.locator("body").bounding_box()
    context.close()
    assert wide is not None
    assert wide["width"] <= PHONE["width"]


def test_a_merchants_boxes_go_out_and_come_back_confirmed(boxes: Boxes, page: Page):
    first = boxes.sell()["shipment_ids"][0]
    held = boxes.sell()
    boxes.do(f"subscriptions/{held['subscription_id']}/cancel", keep_boxes=True)
    boxes.sell(is_paid=False)
    warehouse_steps.accept_the_invitation(boxes, page)
    warehouse_steps.connect_past_a_wrong_key(boxes, page)
    warehouse_steps.read_the_report_and_go_live(boxes, page, would_go=1)
    warehouse_steps.watch_a_box_go_out_and_come_back_confirmed(boxes, page, first)
    warehouse_steps.release_a_held_one(boxes, page, held["shipment_ids"][0])
    warehouse_steps.cancel_one_in_time(boxes, page)
    on_paper = warehouse_steps.change_to_a_spreadsheet(boxes, page)
    warehouse_steps.freeze_its_batch(boxes, page, on_paper)
    warehouse_steps.export_it_and_import_the_tracking(boxes, page, on_paper)

    assert [fault for fault in page.faults if "of 400" not in fault and "of 422" not in fault] == []
