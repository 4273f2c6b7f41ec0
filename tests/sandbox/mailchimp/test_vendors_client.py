"""Mailchimp's own Python client, as it is on the package index, against the sandbox."""

from __future__ import annotations

import io
import json
import tarfile

import mailchimp_marketing
import pytest
import requests
from mailchimp_marketing.api_client import ApiClientError

from sandbox.mailchimp.app import create_app
from sandbox.serving import serving
from tests.sandbox.mailchimp.conftest import KEY as API_KEY
from tests.sandbox.mailchimp.conftest import ROBIN, key_of

KEY = key_of(ROBIN)
PROFILE = {"email_address": ROBIN, "status_if_new": "transactional", "merge_fields": {"FNAME": "Robin"}}


@pytest.fixture
def url(world):
    with serving(create_app(world)) as url:
        yield url


@pytest.fixture
def client(url):
    client = mailchimp_marketing.Client({"api_key": API_KEY})
    client.api_client.host = f"{url}/3.0"
    return client


def problem_of(call, *args):
    with pytest.raises(ApiClientError) as caught:
        call(*args)
    return json.loads(caught.value.text)


def test_it_pings(client):
    assert client.ping.get() == {"health_status": "Everything's Chimpy!"}


def test_it_reads_the_account_and_its_audiences(client, world):
    assert client.root.get_root()["role"] == "owner"
    assert [one["id"] for one in client.lists.get_all_lists()["lists"]] == [world.audience.id]


def test_it_upserts_a_member(client, world):
    client.lists.set_list_member(world.audience.id, KEY, PROFILE, skip_merge_validation=True)

    found = client.lists.get_list_member(world.audience.id, KEY)
    assert (found["status"], found["merge_fields"]["FNAME"]) == ("transactional", "Robin")


def test_it_makes_a_merge_field(client, world):
    client.lists.add_list_merge_field(world.audience.id, {"name": "Boxes", "type": "number", "tag": "BOXES"})

    found = client.lists.get_list_merge_fields(world.audience.id, count=1000)["merge_fields"]
    assert found[-1]["tag"] == "BOXES"


def test_it_tags_a_member(client, world):
    client.lists.set_list_member(world.audience.id, KEY, PROFILE)
    client.lists.update_list_member_tags(world.audience.id, KEY, {"tags": [{"name": "Gift", "status": "active"}]})

    assert [one["name"] for one in client.lists.get_list_member_tags(world.audience.id, KEY)["tags"]] == ["Gift"]


def test_it_stores_and_reads_an_event(client, world):
    client.lists.set_list_member(world.audience.id, KEY, PROFILE)
    client.lists.create_list_member_event(
        world.audience.id, KEY, {"name": "order_new", "properties": {"total": "39.00"}}
    )

    [found] = client.lists.get_list_member_events(world.audience.id, KEY)["events"]
    assert (found["name"], found["properties"]) == ("order_new", {"total": "39.00"})


def test_it_archives_a_member(client, world):
    client.lists.set_list_member(world.audience.id, KEY, PROFILE)
    client.lists.delete_list_member(world.audience.id, KEY)

    assert client.lists.get_list_member(world.audience.id, KEY)["status"] == "archived"


def test_it_deletes_a_member_for_good(client, world):
    client.lists.set_list_member(world.audience.id, KEY, PROFILE)
    client.lists.delete_list_member_permanent(world.audience.id, KEY)

    problem = problem_of(client.lists.set_list_member, world.audience.id, KEY, PROFILE)
    assert problem["title"] == "Forgotten Email Not Subscribed"


def test_it_writes_several_members_in_one_call(client, world):
    members = [{"email_address": f"p{number}@sample-shop.com", "status": "transactional"} for number in range(3)]

    answer = client.lists.batch_list_members(world.audience.id, {"members": members, "update_existing": True})

    assert (answer["total_created"], answer["error_count"]) == (3, 0)


def test_it_runs_a_batch_and_its_results_can_be_downloaded(client, world):
    path = f"/lists/{world.audience.id}/members/{KEY}"
    operation = {"method": "PUT", "path": path, "operation_id": "one", "body": json.dumps(PROFILE)}
    batch = client.batches.start({"operations": [operation]})
    while batch["status"] != "finished":
        batch = client.batches.status(batch["id"])

    with requests.Session() as session:
        packed = session.get(batch["response_body_url"], timeout=10).content
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        [file] = [one for one in archive.getmembers() if one.isfile()]
        [result] = json.load(archive.extractfile(file))
    assert (result["status_code"], result["operation_id"]) == (200, "one")


def test_a_wrong_key_raises_the_error_document(url):
    wrong = mailchimp_marketing.Client({"api_key": "0123-us6"})
    wrong.api_client.host = f"{url}/3.0"

    assert problem_of(wrong.ping.get)["title"] == "API Key Invalid"


def test_a_token_is_taken_as_a_key(url):
    client = mailchimp_marketing.Client({"access_token": API_KEY, "server": "us6"})
    client.api_client.host = f"{url}/3.0"

    assert client.ping.get() == {"health_status": "Everything's Chimpy!"}
