"""Query both sandboxes and print the comparison: `python -m sandbox.compare`."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click
import requests
from rich.console import Console

from sandbox.compare.answers import MAX_ANSWER_BYTES
from sandbox.compare.comparison import compare
from sandbox.compare.tables import print_report

PAGE_SIZE = 2000
TIMEOUT_S = 60


def fetch_truth(session: requests.Session, store: str) -> Mapping[str, Any]:
    """Return the events, people and hooks of the store."""
    response = session.get(f"{store.rstrip('/')}/_sandbox/truth", timeout=TIMEOUT_S)
    response.raise_for_status()
    truth: Mapping[str, Any] = response.json()
    return truth


def fetch_people(session: requests.Session, platform: str, workspace: str | None) -> Iterator[Mapping[str, Any]]:
    """Yield the people that the platform stores, page by page."""
    offset = 0
    while True:
        query: dict[str, str | int] = {"offset": offset, "limit": PAGE_SIZE}
        if workspace is not None:
            query["workspace"] = workspace
        response = session.get(f"{platform.rstrip('/')}/_sandbox/people", params=query, timeout=TIMEOUT_S)
        response.raise_for_status()
        people = response.json()
        yield from people
        if len(people) < PAGE_SIZE:
            return
        offset += PAGE_SIZE


def is_check(person: Mapping[str, Any], check_event: str | None) -> bool:
    """Return whether all that is known of a person is the event with which keys are checked."""
    names = {event["name"] for event in person["events"]}
    return check_event is not None and names == {check_event} and not (person.get("id") or person.get("email"))


def split_names(text: str) -> list[str]:
    """Return the names in a text with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


@click.command()
@click.option("--store", required=True, help="URL of the sandbox store.")
@click.option("--platform", "--customerio", required=True, help="URL of the sandbox that plays the platform.")
@click.option("--workspace", help="Site id of the workspace to compare; all workspaces if not given.")
@click.option("--forward-also", default="", help="Further events that are forwarded, separated by commas.")
@click.option("--repaired", default="", help="Events that must arrive even if their hooks were lost, with commas.")
@click.option("--check-event", help="The event with which keys are checked; it is about no person of the store.")
@click.option("--forward-tests", is_flag=True, help="Expect test orders too.")
@click.option("--forward-marketplace", is_flag=True, help="Expect people known only from the Marketplace too.")
@click.option("--told", is_flag=True, help="Expect consent, survey answers, variants and looked-up recipients.")
@click.option("--max-answer-bytes", default=MAX_ANSWER_BYTES, show_default=True, help="Of a text at the platform.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(**options: Any) -> None:
    """Compare the events of the store with what the platform received; exit 1 if they differ."""
    session = requests.Session()
    session.trust_env = False
    try:
        truth = fetch_truth(session, options["store"])
        everyone = fetch_people(session, options["platform"], options["workspace"])
        people = [person for person in everyone if not is_check(person, options["check_event"])]
    except requests.RequestException as error:
        click.echo(f"cannot ask: {error}", err=True)
        sys.exit(2)
    also, repaired = split_names(options["forward_also"]), split_names(options["repaired"])
    report = compare(
        truth,
        people,
        forward_also=also,
        forward_tests=options["forward_tests"],
        repaired=repaired,
        forwards_marketplace=options["forward_marketplace"],
        max_answer_bytes=options["max_answer_bytes"],
    )
    if options["as_json"]:
        click.echo(json.dumps(report.as_json()))
    else:
        print_report(Console(), report)
    sys.exit(0 if report.is_clean and (report.has_all_answers or not options["told"]) else 1)


if __name__ == "__main__":
    main()
