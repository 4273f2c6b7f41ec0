"""Steps of a merchant's way through the pages of a running installation. Each begins on any page, logged in."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.world import LONG, World
from tests.receiver.supervisor.running_installation import processes_of

NOT_LIVE_WITHIN_MS = 5000


def list_rows(page: Page) -> list[str | None]:
    """The ids of the rows of the feed that can be seen, newest first."""
    return page.locator("#rows > li:visible").evaluate_all("(rows) => rows.map((row) => row.id)")


def watch_events_arrive(world: World, page: Page) -> None:
    """The feed shows what happens without being reloaded."""
    page.get_by_role("link", name="Activity", exact=True).click()
    expect(page.get_by_text("● Live")).to_be_visible(timeout=LONG)
    rows = page.locator("#rows li")
    before = rows.count()
    world.live(hooks=5, seed=2)
    expect(rows).not_to_have_count(before, timeout=LONG)
    expect(page.locator(".mark.waits")).to_have_count(0, timeout=LONG)
    expect(rows.locator(".mark.good").first).to_contain_text("at Customer.io after")


def pause_and_resume_without_a_loss(world: World, page: Page) -> None:
    """While the feed is paused nothing moves; when it is resumed, it shows what a reload would show."""
    page.goto(f"{world.url}/activity")
    expect(page.get_by_text("● Live")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Pause").click()
    shown = list_rows(page)
    for seed in (3, 5):
        world.live(hooks=3, seed=seed)
        expect(page.get_by_role("button", name="new event")).to_be_visible(timeout=LONG)
    assert list_rows(page) == shown

    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="new event")).to_be_hidden(timeout=LONG)
    again = page.context.new_page()
    again.goto(f"{world.url}/activity")
    whole = list_rows(again)
    again.close()
    expect(page.locator(f"#{whole[0]}")).to_be_visible(timeout=LONG)
    resumed = list_rows(page)
    assert [row for row in resumed if row in whole] == whole  # above them may be what came since the reload
    assert [row for row in resumed if row in shown] == shown
    assert len(resumed) > len(shown)


def filter_and_open_an_event_in_place(world: World, page: Page) -> None:
    """The address keeps the filter; an event opens in its row, and stays open while others arrive."""
    page.goto(f"{world.url}/activity?show=all")
    page.locator("details.filters > summary").click()
    page.get_by_label("Event", exact=True).select_option("customer_new")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile("event=customer_new"))
    rows = page.locator("#rows > li")
    expect(rows.filter(has_text="joined")).to_have_count(rows.count())

    page.get_by_role("link", name="Clear filters").first.click()
    expect(page.get_by_text("● Live")).to_be_visible(timeout=LONG)
    opened = page.locator("#rows > li").nth(1)
    name = opened.get_attribute("id")
    opened.locator("details.opens summary").click()
    row = page.locator(f"#{name}")
    expect(row.get_by_text("reached us")).to_be_visible(timeout=LONG)
    world.live(hooks=3, seed=6)
    expect(page.locator("#rows > li").nth(1)).not_to_have_id(name or "", timeout=LONG)
    expect(row.get_by_text("reached us")).to_be_visible()
    row.get_by_role("link", name="All about this event").click()
    expect(page.get_by_role("heading", name="What Cratejoy sent")).to_be_visible()


def see_that_messages_are_refused(world: World, page: Page) -> None:
    """Customer.io refuses some items of every batch: their rows turn red by themselves, and say why when opened."""
    page.goto(f"{world.url}/activity")
    world.customerio.control("faults", {"mode": "partial", "indexes": [0, 1, 2, 3], "n": 100})
    world.live(hooks=3, seed=11)
    red = page.locator("#rows > li").filter(has=page.locator(".mark.bad")).first
    expect(red.locator(".mark.bad")).to_contain_text("refused by Customer.io: rejected", timeout=LONG)
    expect(page.locator(".mark.waits")).to_have_count(0, timeout=LONG)
    world.customerio.delete("faults")
    red.locator("details.opens summary").click()
    expect(red.locator("details.opens").get_by_text("for Customer.io: refused").last).to_be_visible(timeout=LONG)


def mend_a_key_that_is_refused(world: World, page: Page) -> None:
    """The key is refused: the shop's page says so, a form takes the right one, and what waited leaves."""
    world.customerio.control("faults", {"mode": "auth-revoked"})
    page.goto(f"{world.url}/stores/acme")
    world.live(hooks=3, seed=12)
    verdict = page.locator("p.verdict")
    expect(verdict).to_contain_text("Needs you", timeout=LONG)

    page.get_by_role("link", name="Change the settings").click()
    page.get_by_role("link", name="Change API key of Customer.io").click()
    enter_key(page, "not it")
    expect(page.get_by_role("alert")).to_contain_text("Customer.io refused these keys")
    world.customerio.delete("faults")
    enter_key(page, world.customerio.config["api_key"])
    expect(page.get_by_text("API key is saved. Customer.io takes it.")).to_be_visible(timeout=LONG)

    page.goto(f"{world.url}/activity?show=waiting")
    expect(page.locator(".mark.waits")).to_have_count(0, timeout=LONG)
    page.goto(f"{world.url}/stores/acme")
    expect(verdict).not_to_contain_text("credentials")


def enter_key(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Check and save").click()


def send_again_what_was_refused(world: World, page: Page) -> None:
    """A replay says what it would send, asks, reports its progress; every event is at Customer.io exactly once."""
    page.goto(f"{world.url}/activity?show=refused")
    page.locator("#rows > li .when").first.click()
    page.locator("summary", has_text="Identifiers").click()
    refused = page.locator("div", has=page.get_by_text("id at the platform", exact=True)).locator("dd code").last
    event_id = refused.inner_text()
    assert event_id not in world.list_event_ids()

    page.go_back()
    page.get_by_role("link", name="Send these again").click()
    page.get_by_role("button", name="Say what would be sent").click()
    expect(page.locator("#progress")).to_contain_text("messages will be sent", timeout=LONG)
    assert event_id not in world.list_event_ids()
    page.get_by_role("button", name=re.compile(r"^Send \d+ again")).click()
    expect(page.locator("#progress")).to_contain_text("Done", timeout=LONG)

    page.get_by_role("link", name="The events that it touched").click()
    rows = page.locator("#rows > li")
    expect(rows.filter(has=page.locator(".mark.good"))).to_have_count(rows.count(), timeout=LONG)
    held = world.list_event_ids()
    assert held.count(event_id) == 1
    assert len(held) == len(set(held))
    page.goto(f"{world.url}/activity?show=refused")
    expect(page.locator("#rows > li")).to_have_count(0)


def export_and_erase_a_person(world: World, page: Page) -> None:
    """What is stored about a person can be taken along; then they are gone, here and at Customer.io."""
    page.goto(f"{world.url}/people")
    name = page.locator("table.people tbody a").first
    name.click()
    address = page.locator("p.headline bdi", has_text="@").first.inner_text()
    assert address in list_addresses(world)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    assert address in json.dumps(json.loads(Path(download.value.path()).read_text()))

    page.get_by_role("link", name="Erase …").click()
    page.get_by_label("To erase the person").fill("another@example.com")
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("To erase the person").fill(address)
    page.get_by_label("At the platforms").check()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.get_by_text("The person was erased.")).to_be_visible(timeout=LONG)
    assert address not in page.content()
    world.run.until(lambda: address not in list_addresses(world))


def list_addresses(world: World) -> list[str]:
    return [person["email"] for person in world.customerio.control("people")]


def see_that_a_server_is_gone_and_comes_back(world: World, page: Page) -> None:
    """A server that is stopped closes no connection: only its silence says so."""
    expect(page.get_by_text("● Live")).to_be_visible(timeout=LONG)
    web = [pid for pid, command in processes_of(world.run.data).items() if "cw web" in command]
    try:
        for pid in web:
            os.kill(pid, signal.SIGSTOP)
        expect(page.get_by_text("Not live since")).to_be_visible(timeout=NOT_LIVE_WITHIN_MS)
    finally:
        for pid in web:
            os.kill(pid, signal.SIGCONT)
    expect(page.get_by_text("● Live")).to_be_visible(timeout=LONG)


OF_A_DAY = (
    watch_events_arrive,
    pause_and_resume_without_a_loss,
    filter_and_open_an_event_in_place,
    see_that_messages_are_refused,
    mend_a_key_that_is_refused,
    send_again_what_was_refused,
    export_and_erase_a_person,
)
