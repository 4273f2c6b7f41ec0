"""Makes a picture of every page, in light, dark and on a phone, from the data of a demo that it starts and stops.

python -m tests.browser.screenshots [--hooks N] [--only WORDS] [FOLDER]; `make screenshots` writes to docs/screenshots.
The pictures are WebP, which Chromium writes itself, cut at MAX_HEIGHT: small enough for the repository.
"""

from __future__ import annotations

import argparse
import base64
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import Connection, create_engine, text

from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import make_engine, writing
from pipeline.ledger.replays import Selection, insert_replay
from pipeline.ledger.samples import save_sample
from pipeline.ledger.stores import save_store
from pipeline.operations.replays.count import count_replay
from receiver.demo.processes import DemoInstallation, DemoProcesses, start_demo
from receiver.demo.scenario import run_scenario
from tests.browser.page_list import ListedPage, list_pages

FOLDER = Path("docs/screenshots")
QUALITY = 60  # of 100, for WebP
MAX_HEIGHT = 1600  # CSS pixels
SETTLE_MS = 700  # until the stream is open, and charts are drawn
HOUR_S = 3600
HOURS = 9 * 7 * 24  # of the history
MEMBER, PASSWORD = "mia@example.com", "a long enough one"
SIZES = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
# What the addresses of the list name -> a query for one that shows much.
WANTED = {
    "store": "SELECT name FROM stores ORDER BY id LIMIT 1",
    "new_store": "SELECT name FROM stores ORDER BY id DESC LIMIT 1",
    "account": "SELECT id FROM accounts ORDER BY id LIMIT 1",
    "event": "SELECT max(event_id) FROM deliveries WHERE status = 'sent' AND name = 'subscription_renewed'",
    "person": "SELECT person_id FROM deliveries WHERE status = 'sent' AND kind = 'event' GROUP BY 1 "
    "ORDER BY count(*) DESC LIMIT 1",
    "dead": "SELECT max(id) FROM dead_hooks",
    "sample": "SELECT max(id) FROM samples",
    "batch": "SELECT max(batch_id) FROM fulfilment_orders",
    "replay": "SELECT max(id) FROM replays",
    "order": "SELECT order_number FROM fulfilment_orders WHERE state = 'confirmed' AND is_gift ORDER BY id LIMIT 1",
    "frozen_batch": "SELECT min(batch_id) FROM fulfilment_orders",
    "test_event": "SELECT max(id) FROM events WHERE name = 'cratewire_test'",
}


def main(arguments: list[str] | None = None) -> None:
    """Start a demo, take the pictures, stop everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--hooks", type=int, default=400, help="hooks that the demo's store sends")
    parser.add_argument("--only", default="", metavar="WORDS", help="only pages whose names have one of these words")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cratewire-screenshots-") as place:
        processes = DemoProcesses(Path(place), {})
        try:
            installation = start_demo(processes, seed=1)
            run_scenario(processes, installation, options.hooks, 1, lambda *_: None)
            spread_over_weeks(installation)
            total = take_pictures(installation, options.folder, options.only.split())
        finally:
            processes.stop()
    sys.stdout.write(f"{options.folder}: {total / 1e6:.1f} MB\n")


def take_pictures(installation: DemoInstallation, folder: Path, only: Sequence[str] = ()) -> int:
    """Replace the pictures of the folder, or those of some pages; return the size of all in bytes."""
    if not only:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, open_browser(playwright) as browser:
        log_in = _accept_invitation(browser, installation)
        add_what_people_make(installation)
        pages = [page for page in list_pages(find_known(installation)) if _is_wanted(page, only)]
        for size, settings in SIZES.items():
            visitors = browser.new_context(**settings)
            members = browser.new_context(**settings, storage_state=log_in)
            for page in pages:
                picture = folder / f"{page.name}-{size}.webp"
                picture.write_bytes(_take(visitors if page.is_public else members, installation.web, page))
            visitors.close()
            members.close()
    return sum(picture.stat().st_size for picture in folder.iterdir())


def _is_wanted(page: ListedPage, only: Sequence[str]) -> bool:
    return not only or any(word in page.name for word in only)


def spread_over_weeks(installation: DemoInstallation) -> None:
    """Let the demo's events, which came within minutes, count in the hours of two days, and eight such weeks before.

    Only the kept counts change, so that the charts show what they show of a shop that has run for a while.
    """
    engine = create_engine(f"sqlite:///{installation.data / 'cratewire.db'}")
    chance = random.Random(1)  # the same picture every time
    with engine.begin() as conn:
        now = int(time.time()) // HOUR_S
        rows = conn.execute(text("SELECT store_id, outcome, sum(number) FROM hourly_counts GROUP BY 1, 2")).all()
        conn.execute(text("DELETE FROM hourly_counts WHERE outcome NOT LIKE 'took_%'"))
        conn.execute(text("DELETE FROM daily_counts"))
        for store_id, outcome, number in rows:
            if not outcome.startswith("took_"):
                shares = {hour: _get_share(hour) * chance.uniform(0.75, 1.25) for hour in range(now - HOURS, now + 1)}
                counts = {hour: round(number * share) for hour, share in shares.items()}
                _insert_counts(conn, store_id, outcome, {hour: count for hour, count in counts.items() if count})
        conn.execute(text("UPDATE stores SET created_at = created_at - :age"), {"age": HOURS * HOUR_S * 1_000_000})
        first = "SELECT min(id) FROM events"
        conn.execute(text(f"UPDATE events SET received_at = received_at - 7200000000 WHERE id = ({first})"))  # noqa: S608
    engine.dispose()


def add_what_people_make(installation: DemoInstallation) -> None:
    """What is not there after the demo: a test event, a sample, a frozen batch, a replay, a store without a hook."""
    batch = str(find_known(installation)["frozen_batch"])
    for words in (["events", "test", "--to", MEMBER, "--yes"], ["fulfilment", "freeze", batch]):
        command = [str(installation.command), *words, "--store", "demo"]
        subprocess.run(command, check=True, capture_output=True)
    engine = make_engine(f"sqlite:///{installation.data / 'cratewire.db'}")
    now = time.time_ns() // 1000
    with writing(engine) as conn:
        save_sample(conn, conn.execute(text(WANTED["event"])).scalar_one(), "A renewed subscription", now)
        wanted = Selection("filter", name="order_new")
        replay_id = insert_replay(conn, 1, wanted, delivers_again=True, user_id=None, now=now)
        new = save_store(conn, "moon-box", now)
        save_connection(conn, NewConnection(new.id, "customerio", "workspace 2", b"sealed"), now)
    count_replay(engine, replay_id, lambda: now)
    engine.dispose()


def _insert_counts(conn: Connection, store_id: int, outcome: str, counts: Mapping[int, int]) -> None:
    days: Counter[int] = Counter()
    for hour, count in counts.items():
        days[hour // 24] += count
    for table, period, found in (("hourly_counts", "hour", counts), ("daily_counts", "day", days)):
        statement = text(f"INSERT INTO {table} (store_id, {period}, outcome, number) VALUES (:s, :p, :o, :n)")  # noqa: S608
        rows = [{"s": store_id, "p": at, "o": outcome, "n": count} for at, count in found.items()]
        if rows:
            conn.execute(statement, rows)


def _get_share(hour: int) -> float:
    """The share of two days' events that come in an hour: few at night, most in the evening."""
    return (1.2 - math.cos((hour % 24 - 5) / 24 * 2 * math.pi)) / 58


def find_known(installation: DemoInstallation) -> Mapping[str, object]:
    """What the addresses name, as far as the demo's ledger has it."""
    engine = create_engine(f"sqlite:///{installation.data / 'cratewire.db'}")
    with engine.connect() as conn:
        found = {name: conn.execute(text(query)).scalar() for name, query in WANTED.items()}
    engine.dispose()
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def open_browser(playwright: Any) -> Iterator[Browser]:
    """The system's Chromium. Without its sandbox, which root may not use; it sees nothing but our own pages."""
    path = shutil.which("chromium")
    if path is None:
        sys.exit("the browser is missing: `make browser` installs it")
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    yield browser
    browser.close()


def _accept_invitation(browser: Browser, installation: DemoInstallation) -> Any:
    """Invite a member, and return the cookies of their log-in."""
    command = [str(installation.command), "accounts", "invite", MEMBER]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    link = re.search(r"http\S+", said)
    assert link, said
    context = browser.new_context()
    page = context.new_page()
    page.goto(link[0])
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_load_state()
    state = context.storage_state()
    context.close()
    return state


def _take(context: BrowserContext, base: str, listed: ListedPage) -> bytes:
    page: Page = context.new_page()
    page.goto(f"{base}{listed.address}")
    page.wait_for_timeout(SETTLE_MS)
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": width, "height": min(max(height, 400), MAX_HEIGHT), "scale": 1}
    wanted = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": True, "clip": clip}
    taken = context.new_cdp_session(page).send("Page.captureScreenshot", wanted)
    page.close()
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main()
