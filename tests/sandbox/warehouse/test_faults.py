"""Faults that a client sees in an answer, or in its absence."""

import http.client
import json
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from sandbox.warehouse.server import run_in_thread
from tests.sandbox.warehouse.client import KEYS, CartRover, Warehouse, basic, cartrover_order

CREATE = "POST /cartrover/v1/cart/orders/cartrover"


def test_a_cut_after_the_commit_keeps_the_order(shop: CartRover, warehouse: Warehouse):
    warehouse.fault(CREATE, drop_after_commit=True)

    with pytest.raises(ConnectionResetError):
        shop.create("1")

    assert warehouse.counts()["orders"] == 1
    assert warehouse.requests()[0]["fault"] == "drop_after_commit"


def test_a_cut_before_the_commit_keeps_nothing(shop: CartRover, warehouse: Warehouse):
    warehouse.fault(CREATE, drop_before_commit=True)

    with pytest.raises(ConnectionResetError):
        shop.create("1")

    assert warehouse.counts()["orders"] == 0


def test_a_status_replaces_the_work_so_many_times(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", status=503, retry_after=7, times=2)

    answers = [shop.call("GET", "/cart/list") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json is None


def test_a_status_after_the_commit_hides_that_the_work_was_done(shop: CartRover, warehouse: Warehouse):
    warehouse.fault(CREATE, status=500, after_commit=True)

    answer = shop.call("POST", "/cart/orders/cartrover", cartrover_order("1"))

    assert (answer.status_code, warehouse.counts()["orders"]) == (500, 1)


def test_an_answer_may_be_given_word_for_word(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", status=200, text="<html>", content_type="text/html")
    warehouse.fault("/cartrover", status=200, json={"success_code": False})

    assert [shop.call("GET", "/cart/list").text for _ in range(2)] == ["<html>", '{"success_code": false}']


def test_the_vendors_rate_limit_can_be_asked_for(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", rate_limited=True)

    assert shop.create("1")["error_code"] == "RateLimit"


def test_a_latency_lets_time_pass_before_the_answer(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", latency_ms=1500)
    shop.create("1")

    assert warehouse.slept == [1.5]


def test_a_fault_may_be_for_one_order_only(shop: CartRover, warehouse: Warehouse):
    warehouse.fault(CREATE, contains="SUB-2", status=500)

    assert shop.create("SUB-1")["success_code"] is True
    assert shop.create("SUB-2") is None


def test_a_fault_may_let_some_requests_pass_first(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", status=500, skip=1)

    assert [shop.call("GET", "/cart/list").status_code for _ in range(3)] == [200, 500, 200]


def test_a_fault_of_a_method_spares_the_others(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("POST /cartrover/*/update", status=500, times=None)
    shop.create("1")

    assert shop.status("1") == "at_wms"
    assert shop.acknowledge("1") is None


def test_the_warehouse_may_ship_just_before_a_cancel(shop: CartRover, warehouse: Warehouse):
    shop.create("1")
    warehouse.fault("GET /cartrover/*/wms_cancel", before="ship", order_number="1")

    assert shop.cancel("1")["response"]["success"] is False
    assert shop.status("1") == "shipped"


def test_faults_can_be_removed(shop: CartRover, warehouse: Warehouse):
    warehouse.fault("/cartrover", status=500, times=None)
    warehouse.control("DELETE", "faults")

    assert shop.create("1")["success_code"] is True


def test_the_log_never_holds_a_key(shop: CartRover, warehouse: Warehouse):
    shop.create("1")

    (entry,) = warehouse.requests()

    assert (entry["method"], entry["status"]) == ("POST", 200)
    assert "authorization" not in entry["headers"]


def test_a_cut_closes_the_socket_without_an_answer():
    with run_in_thread(KEYS) as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=10)
        connection.request("POST", "/_control/faults", json.dumps({"match": "/cartrover", "drop_after_commit": True}))
        connection.getresponse().read()
        headers = {"Authorization": basic(KEYS.api_user, KEYS.api_key)}
        connection.request("POST", "/cartrover/v1/cart/orders/cartrover", json.dumps(cartrover_order()), headers)
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            connection.getresponse()
        connection.close()

        assert running.world.floor.count()["orders"] == 1


def test_the_command_says_where_it_listens_and_stops_when_asked():
    command = [sys.executable, "-m", "sandbox.warehouse", "--api-user", "u", "--api-key", "k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        greeting = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0

    assert (greeting["api_user"], greeting["api_key"]) == ("u", "k")
