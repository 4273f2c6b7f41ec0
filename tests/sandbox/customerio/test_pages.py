import pytest

from tests.sandbox.customerio.client import Client


def test_the_first_page_lists_people_and_escapes_what_they_say(client: Client):
    client.identify("cj_1", email="robin@example.com", note="<script>alert(1)</script>")

    page = client.call("GET", "/").body.decode()

    assert "robin@example.com" in page
    assert "<script>" not in page


def test_thousands_of_people_come_in_pages(client: Client):
    for number in range(120):
        client.identify(f"cj_{number}")

    pages = [client.call("GET", "/", page=number).body.decode() for number in "123"]

    assert [page.count("/people/site-1/") for page in pages] == [50, 50, 20]
    assert "Next" not in pages[2]


def test_people_can_be_searched(client: Client):
    client.identify("robin@example.com")
    client.identify("kim@example.com")

    page = client.call("GET", "/", q="ROBIN").body.decode()

    assert "robin@example.com" in page
    assert "kim@example.com" not in page


def test_a_persons_page_shows_the_data_of_events(client: Client):
    client.track("robin@example.com", "shipment_shipped", data={"carrier": "usps <b>"}, timestamp=10**16)
    cio_id = client.people()[0]["cio_id"]

    page = client.call("GET", f"/people/site-1/{cio_id}").body.decode()

    assert "shipment_shipped" in page
    assert "usps &lt;b&gt;" in page


def test_the_log_and_the_calls_have_pages(client: Client):
    client.track("cj_1")

    assert "Event created a bare profile" in client.call("GET", "/log").body.decode()
    assert "/api/v1/customers/{identifier}/events" in client.call("GET", "/calls").body.decode()


@pytest.mark.parametrize("path", ["/nothing", "/people/site-1/unknown", "/people/nowhere/1", "/people"])
def test_what_is_not_there_is_not_found(client: Client, path):
    assert client.call("GET", path).status == 404
