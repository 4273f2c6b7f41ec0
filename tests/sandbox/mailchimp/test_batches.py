"""Batches: how they are accepted, how far they are, what they leave, and how long."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN, key_of

START = {"total_operations": 0, "finished_operations": 0, "errored_operations": 0}


def put(call, number=0, **more):
    address = f"p{number}@sample-shop.com"
    body = json.dumps({"email_address": address, "status_if_new": "transactional"})
    path = f"{call.list}/members/{key_of(address)}"
    return {"method": "PUT", "path": path, "operation_id": f"m:{number}", "body": body, **more}


def submit(call, *operations):
    return call("POST", "/batches", {"operations": list(operations)})


def finish(call, batch):
    for _ in range(4):
        batch = call("GET", f"/batches/{batch['id']}").json
    return batch


def download(call, batch, **headers):
    address = batch["response_body_url"].removeprefix("http://localhost")
    return call.web.get(address, headers=headers)


def results(call, batch):
    with tarfile.open(fileobj=io.BytesIO(download(call, batch).data), mode="r:gz") as archive:
        files = [json.load(archive.extractfile(one)) for one in archive.getmembers() if one.isfile()]
    return {one["operation_id"]: one for file in files for one in file}


def run(call, *operations):
    return results(call, finish(call, submit(call, *operations).json))


def test_a_batch_begins_pending_with_no_counts_and_nothing_done(call):
    answer = submit(call, put(call))

    assert answer.status == 200
    assert {name: answer.json[name] for name in START} == START
    assert (answer.json["status"], answer.json["completed_at"], answer.json["response_body_url"]) == ("pending", "", "")
    assert call("GET", f"{call.list}/members").json["total_items"] == 0


def test_a_batch_goes_one_state_further_each_time_it_is_read(call):
    batch = submit(call, put(call)).json

    states = [call("GET", f"/batches/{batch['id']}").json["status"] for _ in range(5)]

    assert states == ["preprocessing", "started", "finalizing", "finished", "finished"]


def test_a_switch_lets_a_batch_go_several_states_at_once(call):
    call.sandbox("POST", "/switches", {"batch_states_per_poll": 4})
    batch = submit(call, put(call)).json

    assert call("GET", f"/batches/{batch['id']}").json["status"] == "finished"


def test_half_is_done_when_it_has_started(call):
    batch = submit(call, *(put(call, number) for number in range(4))).json
    for _ in range(2):
        batch = call("GET", f"/batches/{batch['id']}").json

    assert (batch["total_operations"], batch["finished_operations"]) == (4, 2)


def test_a_finished_batch_counts_what_failed(call):
    batch = finish(call, submit(call, put(call, 0), put(call, 1, body="{}")).json)

    assert (batch["finished_operations"], batch["errored_operations"]) == (2, 1)
    assert batch["completed_at"] != ""


def test_a_result_names_its_operation_and_holds_the_answer_as_a_text(call):
    result = run(call, put(call))["m:0"]

    assert result["status_code"] == 200
    assert json.loads(result["response"])["email_address"] == "p0@sample-shop.com"


def test_every_operation_has_a_file_of_its_own(call):
    batch = finish(call, submit(call, *(put(call, number) for number in range(3))).json)
    with tarfile.open(fileobj=io.BytesIO(download(call, batch).data), mode="r:gz") as archive:
        assert sum(one.isfile() for one in archive.getmembers()) == 3


def test_a_refused_operation_has_its_problem_without_an_instance(call):
    problem = json.loads(run(call, put(call, body="{}"))["m:0"]["response"])

    assert (problem["title"], problem["instance"]) == ("Invalid Resource", "")


@pytest.mark.parametrize("body", [{"email_address": ROBIN}, "{", 7])
def test_a_body_that_is_no_text_of_json_is_accepted_and_fails_later(call, body):
    result = run(call, put(call, body=body))["m:0"]

    assert (result["status_code"], json.loads(result["response"])["title"]) == (400, "JSON Parse Exception")


@pytest.mark.parametrize("prefix", ["/3.0", "http://127.0.0.1/3.0"])
def test_the_path_has_no_host_and_no_version(call, prefix):
    operation = put(call)

    result = run(call, {**operation, "path": prefix + operation["path"]})["m:0"]

    assert result["status_code"] == 404


def test_params_and_a_query_in_the_path_both_count(call):
    call("POST", f"{call.list}/merge-fields", {"name": "Must", "type": "text", "tag": "MUST", "required": True})
    plain, by_path = put(call, 0), put(call, 1)
    by_path["path"] += "?skip_merge_validation=true"
    by_params = put(call, 2, params={"skip_merge_validation": "true"})

    found = run(call, plain, by_path, by_params)

    assert [found[f"m:{number}"]["status_code"] for number in range(3)] == [400, 200, 200]


def test_a_switch_ignores_params_of_writes(call):
    call.sandbox("POST", "/switches", {"batch_params_on_writes": False})
    call("POST", f"{call.list}/merge-fields", {"name": "Must", "type": "text", "tag": "MUST", "required": True})

    assert run(call, put(call, params={"skip_merge_validation": "true"}))["m:0"]["status_code"] == 400


def test_params_of_a_get_choose_fields(call):
    operation = {"method": "GET", "path": "/lists", "operation_id": "l", "params": {"fields": "total_items"}}

    assert json.loads(run(call, operation)["l"]["response"]) == {"total_items": 1}


def test_operations_run_in_another_order_than_they_were_sent(call):
    batch = submit(call, *(put(call, number) for number in range(20))).json
    finish(call, batch)

    found = call("GET", f"{call.list}/members", count=20).json["members"]
    sent = [f"p{number}@sample-shop.com" for number in range(20)]
    arrived = [one["email_address"] for one in found]
    assert arrived != sent
    assert sorted(arrived) == sorted(sent)


@pytest.mark.parametrize(
    "operations",
    [
        None,
        [],
        ["PUT"],
        [{"method": "HEAD", "path": "/lists"}],
        [{"method": "GET"}],
        [{"method": "GET", "path": "/lists", "params": []}],
    ],
)
def test_operations_of_the_wrong_shape_are_refused(call, operations):
    answer = call("POST", "/batches", {"operations": operations})

    assert answer.status == 400
    assert answer.json["errors"][0]["field"].startswith("operations")


def test_an_unknown_batch_is_not_found(call):
    assert call("GET", "/batches/none").status == 404


def test_a_stopped_batch_runs_nothing_more(call):
    batch = submit(call, put(call)).json

    status = call("DELETE", f"/batches/{batch['id']}").status

    assert (status, call("GET", f"/batches/{batch['id']}").status) == (204, 404)
    assert call("GET", f"{call.list}/members").json["total_items"] == 0


def test_batches_are_listed_with_the_newest_first(call):
    first = submit(call, put(call)).json["id"]
    call.sandbox("POST", "/clock", {"advance_s": 60})
    second = submit(call, put(call)).json["id"]

    answer = call("GET", "/batches").json

    assert ([one["id"] for one in answer["batches"]], answer["total_items"]) == ([second, first], 2)


def test_five_hundred_batches_may_be_unfinished(call):
    statuses = [submit(call, put(call)).status for _ in range(501)]

    assert (set(statuses[:500]), statuses[500]) == ({200}, 429)


def test_a_finished_batch_makes_room(call):
    first = submit(call, put(call)).json
    for _ in range(499):
        submit(call, put(call))
    finish(call, first)

    assert submit(call, put(call)).status == 200


def test_the_address_of_the_results_is_valid_for_ten_minutes_and_can_be_had_anew(call):
    batch = finish(call, submit(call, put(call)).json)
    call.sandbox("POST", "/clock", {"advance_s": 600})
    again = call("GET", f"/batches/{batch['id']}").json

    assert (download(call, batch).status_code, download(call, again).status_code) == (403, 200)


def test_the_address_of_the_results_cannot_be_guessed(call):
    batch = finish(call, submit(call, put(call)).json)

    assert download(call, {"response_body_url": batch["response_body_url"][:-1]}).status_code == 403


def test_the_download_refuses_the_key_of_the_api(call):
    batch = finish(call, submit(call, put(call)).json)

    assert download(call, batch, Authorization="Bearer x").status_code == 400


def test_a_batch_is_kept_for_seven_days(call):
    batch = finish(call, submit(call, put(call)).json)
    call.sandbox("POST", "/clock", {"advance_s": 7 * 86_400})

    assert call("GET", f"/batches/{batch['id']}").status == 404


@pytest.mark.parametrize(("is_processed", "members"), [(False, 2), (True, 4)])
def test_a_fault_lets_half_of_the_operations_fail(call, is_processed, members):
    call.sandbox("POST", "/faults", {"mode": "batch-half-fails", "processed": is_processed})

    found = run(call, *(put(call, number) for number in range(4)))

    assert [found[f"m:{number}"]["status_code"] for number in range(4)] == [200, 500, 200, 500]
    assert call("GET", f"{call.list}/members").json["total_items"] == members


def test_a_fault_loses_half_of_the_results(call):
    call.sandbox("POST", "/faults", {"mode": "batch-loses-results"})

    found = run(call, *(put(call, number) for number in range(4)))

    assert sorted(found) == ["m:0", "m:2"]
    assert call("GET", f"{call.list}/members").json["total_items"] == 4


def test_a_fault_leaves_a_batch_where_it_has_started(call):
    call.sandbox("POST", "/faults", {"mode": "batch-stuck"})
    stuck, next_one = submit(call, put(call)).json, submit(call, put(call)).json

    assert (finish(call, stuck)["status"], finish(call, next_one)["status"]) == ("started", "finished")
