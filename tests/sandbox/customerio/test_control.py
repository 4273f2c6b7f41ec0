from tests.sandbox.customerio.client import START, ULID, Client, basic


def test_each_workspace_has_people_of_its_own(client: Client):
    made = client.control("POST", "workspaces", {"region": "eu"})
    client.identify("cj_1")
    client.authorization = basic(made["site_id"], made["api_key"])
    client.identify("cj_1")
    client.identify("cj_2")

    assert len(client.control("GET", "people", workspace=made["site_id"])) == 2
    assert len(client.people()) == 3
    assert len({person["cio_id"] for person in client.people()}) == 3


def test_a_site_id_is_given_once(client: Client):
    assert client.call("POST", "/_sandbox/workspaces", {"site_id": "site-1"}).status == 400


def test_people_come_in_pages_in_order_of_arrival(client: Client):
    for number in range(5):
        client.identify(f"cj_{number}")

    shown = client.control("GET", "people", offset="1", limit="2")

    assert [person["id"] for person in shown] == ["cj_1", "cj_2"]


def test_stats_count_people_events_calls_and_outcomes(client: Client):
    client.track("cj_1", id=ULID)
    client.track("cj_1", id=ULID)
    client.track("cj_1", "")

    stats = client.control("GET", "stats")

    assert stats["workspaces"]["site-1"]["people"] == 1
    assert stats["workspaces"]["site-1"]["events"] == 1
    assert stats["workspaces"]["site-1"]["activity"]["Duplicate event ignored"] == 1
    assert (stats["calls"], stats["items"], stats["statuses"]) == (3, 3, {"200": 2, "400": 1})


def test_a_reset_forgets_everything_but_the_keys(client: Client):
    client.switch(unknown_person="drop")
    client.fault("status", n=5)
    client.identify("cj_1")

    client.control("POST", "reset")

    assert client.people() == []
    assert client.control("GET", "calls") == []
    assert client.track("cj_1").status == 200
    assert len(client.people()) == 1


def test_the_sandboxs_clock_can_be_moved(client: Client):
    client.switch(clock_offset_s=3600)
    client.track("a@example.com")

    assert client.person("a@example.com")["events"][0]["timestamp"] == START + 3600


def test_an_unknown_control_path_is_not_found(client: Client):
    assert client.call("GET", "/_sandbox/nothing").status == 404
    assert client.call("GET", "/_sandbox/people", workspace="nobody").status == 400


def test_faults_are_listed_and_taken_away_by_mode(client: Client):
    client.fault("auth-revoked")
    client.fault("latency", ms=1)
    assert [fault["mode"] for fault in client.control("GET", "faults")] == ["auth-revoked", "latency"]
    left = client.control("DELETE", "faults", mode="auth-revoked")["faults"]
    assert [fault["mode"] for fault in left] == ["latency"]


def test_faults_are_taken_away_by_workspace(client: Client):
    client.control("POST", "workspaces", {"site_id": "site-2"})
    client.fault("auth-revoked", workspace="site-1")
    client.fault("auth-revoked", workspace="site-2")
    left = client.control("DELETE", "faults", workspace="site-1")["faults"]
    assert [fault["workspace"] for fault in left] == ["site-2"]


def test_a_mode_that_does_not_exist_cannot_be_taken_away(client: Client):
    assert client.call("DELETE", "/_sandbox/faults", mode="mood").status == 400
