"""The tour, as it is printed: a browser does what each step says, and the next step comes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from receiver.demo.log_in import LogIn
from receiver.demo.platforms import PLATFORMS
from receiver.demo.processes import DemoInstallation
from receiver.demo.tour import describe_form, describe_people, describe_shop
from tests.browser.world import LONG
from tests.servers.process import with_parent_death_signal
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
STAGE = DemoInstallation(
    web="http://127.0.0.1:1",
    flower="http://127.0.0.1:2",
    data=ROOT,
    command=ROOT / "cratewire",
    store={"url": "a", "client_id": "b", "client_secret": "c"},
    platform=PLATFORMS["customerio"],
    platform_keys={"url": "d", "site_id": "e", "api_key": "f"},
    warehouse={},
)
STEPS = (describe_form(STAGE, LogIn("a", "b")), describe_shop(STAGE), describe_people(STAGE))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def tour(tmp_path):
    """A running tour: what it has said so far."""
    log = tmp_path / "tour.log"
    command = with_parent_death_signal([sys.executable, "-m", "receiver.cli", "demo", "--tour"])
    with log.open("wb") as output, subprocess.Popen(command, cwd=tmp_path, stderr=output, stdout=output) as process:
        yield log.read_text
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode == 0


def test_the_tutorial_has_each_step_and_the_command():
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")

    assert re.findall(r"(?m)^    (\d of 3: .+)$", text) == [step.splitlines()[0] for step in STEPS]
    assert "make demo ARGS=--tour" in text


def test_each_step_can_be_done_as_it_is_printed(tour, chromium):
    wait_until(lambda: "press Connect" in tour(), tour)
    text = tour()
    address, email, password = re.search(r"Open (\S+) and log in as (\S+) with the password (\S+)", text).groups()
    page = chromium.new_page()
    page.set_default_timeout(LONG)
    page.goto(address.replace("/connect", "/login?next=/connect"))
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    for label, value in re.findall(r"(?m)^    ([^:]+): (.+)$", text):
        page.locator("form.connect").get_by_label(label, exact=True).locator("visible=true").first.fill(value)
    page.get_by_label("Now", exact=True).check()
    page.locator("form.connect > input[type=submit]").click()
    questions = page.get_by_label("Orders with source")
    expect(questions.first).to_be_visible(timeout=LONG)
    for question in questions.all():
        question.select_option("storefront")
    page.get_by_role("button", name="Connect").first.click()
    wait_until(lambda: "2 of 3" in tour(), tour)
    page.goto(re.search(r"(\S+/stores/demo)\n", tour()).group(1))
    expect(page.locator("ol.activities li").first).to_be_visible(timeout=LONG)

    wait_until(lambda: "3 of 3" in tour(), tour)

    page.goto(re.search(r"(\S+/people) lists", tour()).group(1))
    expect(page.get_by_role("main").get_by_role("link").first).to_be_visible()
    page.close()
