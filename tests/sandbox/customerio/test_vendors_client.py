"""Customer.io's own Python client, as it is on the package index, against the sandbox over HTTPS."""

import ipaddress
import json
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from customerio import CustomerIO, CustomerIOException

from sandbox.customerio.__main__ import context_of
from sandbox.customerio.server import Server
from tests.sandbox.customerio.client import KEY, SITE, START, ULID, Client

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2120, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A PEM file with a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(FAR_AHEAD)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + pem)
    return path


@pytest.fixture
def tls_server(client: Client, certificate):
    server = Server(0, client.app.answer, context_of(str(certificate)))
    client.state.base_url = server.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop()
    thread.join()


@pytest.fixture
def vendors(tls_server, certificate, monkeypatch):
    """The client as its users make it: only the host and the port are ours."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    made = CustomerIO(SITE, KEY, host="127.0.0.1", port=tls_server.server_port, retries=0)
    yield made
    made.close()


def test_a_person_is_identified(vendors, client: Client):
    vendors.identify(id="cj_1", email="robin@example.com", plan="monthly", created_at=LONG_AGO)
    attributes = {"plan": "monthly", "created_at": int(LONG_AGO.timestamp())}
    assert client.person("robin@example.com")["attributes"] == attributes


def test_an_address_with_a_plus_is_one_identifier(vendors, client: Client):
    vendors.identify(id="robin+box@example.com", plan="monthly")
    assert [person["email"] for person in client.people()] == ["robin+box@example.com"]


def test_events_arrive_with_their_data_and_their_time(vendors, client: Client):
    vendors.identify(id="cj_1", email="robin@example.com")
    vendors.track("cj_1", "order_new", {"total": 3495}, id=ULID.lower(), timestamp=START - 60)
    vendors.pageview("cj_1", "https://shop.example.com/", referrer="x")
    vendors.backfill("cj_1", "order_old", START - 1000, total=1)
    events = client.person("robin@example.com")["events"]
    assert [(event["name"], event["timestamp"]) for event in events] == [
        ("order_new", START - 60),
        ("https://shop.example.com/", START),
        ("order_old", START - 1000),
    ]
    assert events[0]["data"] == {"total": 3495}


def test_an_anonymous_event_joins_the_person_who_gets_its_id(vendors, client: Client):
    vendors.track_anonymous("visitor-1", "viewed", {"page": "/"})
    vendors.identify(id="cj_1", email="robin@example.com", anonymous_id="visitor-1")
    assert [event["name"] for event in client.person("robin@example.com")["events"]] == ["viewed"]


def test_devices_come_and_go(vendors, client: Client):
    vendors.identify(id="cj_1")
    vendors.add_device("cj_1", "token/1", "ios", last_used=START)
    vendors.delete_device("cj_1", "token/1")
    assert [call["status"] for call in client.control("GET", "calls")] == [200, 200, 200]


def test_people_are_merged_suppressed_and_deleted(vendors, client: Client):
    vendors.identify(id="cj_1", email="robin@example.com")
    vendors.identify(id="old_1", plan="monthly")
    vendors.merge_customers("id", "cj_1", "id", "old_1")
    assert [person["attributes"] for person in client.people()] == [{"plan": "monthly"}]
    vendors.suppress("cj_1")
    vendors.identify(id="cj_1", plan="yearly")
    assert client.people() == []
    vendors.unsuppress("cj_1")
    vendors.identify(id="cj_1", plan="yearly")
    vendors.delete("cj_1")
    assert client.people() == []


def test_a_batch_that_is_refused_in_part_is_no_error_to_the_client(vendors, client: Client):
    """The client takes every 2xx for success; what was refused stands in the answer that it returns."""
    good = {"type": "person", "action": "identify", "identifiers": {"id": "cj_1"}, "attributes": {"plan": "monthly"}}
    answer = vendors.batch([good, {**good, "attributes": {"plan": "x" * 1001}}])
    assert [error["batch_index"] for error in answer.json()["errors"]] == [1]
    assert [person["attributes"] for person in client.people()] == [{"plan": "monthly"}]


def test_a_refusal_reaches_the_client_in_the_vendors_words(vendors):
    with pytest.raises(CustomerIOException, match="cannot be longer than 1000 bytes"):
        vendors.identify(id="cj_1", plan="x" * 1001)


def test_keys_that_were_revoked_are_taken_again_when_the_fault_is_cleared(vendors, client: Client):
    client.fault("auth-revoked")
    with pytest.raises(CustomerIOException, match="401"):
        vendors.identify(id="cj_1")
    client.control("DELETE", "faults", mode="auth-revoked")
    vendors.identify(id="cj_1")
    assert len(client.people()) == 1


def test_a_client_without_tls_is_dropped_and_disturbs_no_other(vendors, tls_server, client: Client):
    with socket.create_connection(("127.0.0.1", tls_server.server_port), timeout=10) as raw:
        vendors.identify(id="cj_1")
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"200" not in raw.recv(100)
    assert len(client.people()) == 1


def test_the_command_speaks_https_with_a_certificate(certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    command = [sys.executable, "-m", "sandbox.customerio", "--site-id", "s", "--api-key", "k", "--certificate"]
    with subprocess.Popen([*command, str(certificate)], stdout=subprocess.PIPE, text=True) as process:
        url = json.loads(process.stdout.readline())["url"]
        made = CustomerIO("s", "k", host="127.0.0.1", port=int(url.rpartition(":")[2]), retries=0)
        made.identify(id="cj_1")
        made.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert url.startswith("https://127.0.0.1:")


def test_a_file_that_holds_no_certificate_is_refused(tmp_path):
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    command = [sys.executable, "-m", "sandbox.customerio", "--certificate", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert "does not hold a certificate" in run.stderr
