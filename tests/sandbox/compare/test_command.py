import json

import pytest
import responses
from click.testing import CliRunner

from sandbox.compare.__main__ import PAGE_SIZE, main
from tests.sandbox.compare.builders import TruthBuilder, event, giver, person

STORE, CUSTOMERIO = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture
def network():
    with responses.RequestsMock() as network:
        yield network


def run(*arguments: str):
    return CliRunner().invoke(main, ["--store", STORE, "--customerio", CUSTOMERIO, *arguments])


def serve(network, people):
    truth = TruthBuilder()
    truth.happen()
    network.get(f"{STORE}/_sandbox/truth", json=truth.as_json())
    network.get(f"{CUSTOMERIO}/_sandbox/people", json=people)


def test_a_clean_comparison_ends_with_0_and_json(network):
    serve(network, [giver(event())])

    result = run("--json", "--workspace", "site-1")

    assert result.exit_code == 0
    content = json.loads(result.output)
    assert content["events"]["order_new"]["arrived"] == 1
    assert "workspace=site-1" in network.calls[1].request.url


def test_a_difference_ends_with_1_and_a_table(network):
    serve(network, [giver()])

    result = run()

    assert result.exit_code == 1
    assert "missing" in result.output
    assert "They differ." in result.output


def test_a_sandbox_that_does_not_answer_ends_with_2(network):
    network.get(f"{STORE}/_sandbox/truth", status=500)

    assert run().exit_code == 2


def test_people_are_fetched_page_by_page(network):
    truth = TruthBuilder()
    truth.people += [{"customer_id": 100 + n, "email": f"p{n}@example.com"} for n in range(PAGE_SIZE)]
    network.get(f"{STORE}/_sandbox/truth", json=truth.as_json())
    network.get(f"{CUSTOMERIO}/_sandbox/people", json=[person(f"p{n}@example.com") for n in range(PAGE_SIZE)])
    network.get(f"{CUSTOMERIO}/_sandbox/people", json=[giver()])

    result = run("--json")

    assert json.loads(result.output)["people"] == PAGE_SIZE + 1


def test_the_event_with_which_keys_are_checked_is_no_event_of_the_store(network):
    check = {"cio_id": "p9", "id": "", "email": None, "attributes": {}, "events": [{"name": "Connected", "data": {}}]}
    serve(network, [giver(event()), check])

    assert run("--json", "--check-event", "Connected").exit_code == 0


def test_another_event_of_no_person_is_unexpected(network):
    other = {"cio_id": "p9", "id": "", "email": None, "attributes": {}, "events": [{"name": "Other", "data": {}}]}
    serve(network, [giver(event()), other])

    assert run("--json", "--check-event", "Connected").exit_code == 1
