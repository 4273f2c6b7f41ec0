from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.infra.crypto.signed_messages import NotVerified, read_secrets, sign, verify

# The published example: what the scheme makes of this secret, id, timestamp and body.
SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
BODY = b'{"type":"order.create","data":{"order_number":"SUB-90000001"}}'
SIGNATURE = "v1,Bk/mbH0HAxMQXK8AvGmpS4IOdPByc0q+gt94GtgXyqs="
AT_S = 1_767_225_600
OTHER = "whsec_d3JvbmctZW11bGF0b3Itc2VjcmV0LTAwMDAwMDA="

SECRETS = read_secrets(SECRET, "secret")


def headers(**changed: str) -> dict[str, str]:
    named = {"id": "msg_0001", "timestamp": str(AT_S), "signature": SIGNATURE} | changed
    return {f"webhook-{name}": value for name, value in named.items()}


def test_the_example_is_signed_as_published():
    assert sign(SECRETS, "msg_0001", AT_S, BODY) == headers()


def test_the_example_is_verified():
    assert verify(SECRETS, headers(), BODY, AT_S) == "msg_0001"


def test_while_a_secret_is_replaced_both_sign():
    both = read_secrets(f"{SECRET} {OTHER}", "secret")

    signed = sign(both, "msg_0001", AT_S, BODY)

    assert len(signed["webhook-signature"].split()) == 2
    assert verify(read_secrets(OTHER, "secret"), signed, BODY, AT_S) == "msg_0001"


def test_a_message_signed_with_the_old_secret_is_verified_while_both_are_set():
    assert verify(read_secrets(f"{OTHER} {SECRET}", "secret"), headers(), BODY, AT_S) == "msg_0001"


@pytest.mark.parametrize("signature", [f"v1,b3RoZXI= {SIGNATURE}", f"{SIGNATURE} v1a,other", f"v2,x {SIGNATURE}"])
def test_one_of_several_signatures_is_enough(signature):
    assert verify(SECRETS, headers(signature=signature), BODY, AT_S) == "msg_0001"


@pytest.mark.parametrize("off_s", [-300, 300])
def test_a_clock_may_be_five_minutes_off(off_s):
    assert verify(SECRETS, headers(), BODY, AT_S + off_s) == "msg_0001"


@pytest.mark.parametrize(
    ("changed", "body", "now_s", "reason"),
    [
        ({"signature": ""}, BODY, AT_S, "a header is missing"),
        ({"id": ""}, BODY, AT_S, "a header is missing"),
        ({"timestamp": ""}, BODY, AT_S, "a header is missing"),
        ({"timestamp": "yesterday"}, BODY, AT_S, "the timestamp is no number of seconds"),
        ({"timestamp": "\u0661"}, BODY, AT_S, "the timestamp is no number of seconds"),
        ({"timestamp": "-1"}, BODY, AT_S, "the timestamp is no number of seconds"),
        ({"timestamp": "9" * 13}, BODY, AT_S, "a header is too long"),
        ({"signature": "v1,x" * 2000}, BODY, AT_S, "a header is too long"),
        ({"signature": "v1,b3RoZXI="}, BODY, AT_S, "no signature fits"),
        ({"signature": SIGNATURE.removeprefix("v1,")}, BODY, AT_S, "no signature fits"),
        ({"signature": SIGNATURE.replace("v1,", "v2,")}, BODY, AT_S, "no signature fits"),
        ({"signature": "v1,ünlesbar"}, BODY, AT_S, "no signature fits"),
        ({"id": "msg_0002"}, BODY, AT_S, "no signature fits"),
        ({"timestamp": str(AT_S + 1)}, BODY, AT_S, "no signature fits"),
        ({}, BODY + b" ", AT_S, "no signature fits"),
        ({}, b"", AT_S, "no signature fits"),
        ({}, BODY, AT_S + 301, "the timestamp is more than five minutes off"),
        ({}, BODY, AT_S - 301, "the timestamp is more than five minutes off"),
    ],
)
def test_a_message_that_is_not_believed(changed, body, now_s, reason):
    assert verify(SECRETS, headers(**changed), body, now_s) == NotVerified(reason)


def test_a_message_of_another_secret_is_not_believed():
    assert verify(read_secrets(OTHER, "secret"), headers(), BODY, AT_S) == NotVerified("no signature fits")


def test_a_missing_header_is_no_error_of_ours():
    assert verify(SECRETS, {}, BODY, AT_S) == NotVerified("a header is missing")


@pytest.mark.parametrize("text", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", "whsec_äöü"])
def test_a_secret_that_is_none_is_refused(text):
    with pytest.raises(Misconfigured, match="inbound_secret must be"):
        read_secrets(text, "inbound_secret")


def test_a_secret_may_lack_its_prefix():
    assert read_secrets(SECRET.removeprefix("whsec_"), "secret") == SECRETS
