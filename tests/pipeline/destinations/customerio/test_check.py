from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured, Unreachable, WrongRegion
from pipeline.destinations.base import CheckResult
from pipeline.destinations.customerio import CustomerIO
from pipeline.infra.http.client import HTTPClient
from tests.contracts.fake_track import CannedAnswer, FakeTrack

KEYS = {"site_id": "s", "api_key": "k"}

DEFAULTS = {"unsubscribe_refusers": "no"}


def test_the_account_is_the_workspaces_number(destination: CustomerIO, track: FakeTrack):
    assert destination.check() == CheckResult("3", {**track.config, **DEFAULTS}, {"region": "us"})


def test_the_wrong_region_is_named(destination: CustomerIO, track: FakeTrack):
    track.region = "eu"

    with pytest.raises(WrongRegion) as caught:
        destination.check()

    assert caught.value.region == "eu"


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_region_is_found_where_none_is_given(track: FakeTrack, region: str):
    track.region = region

    found = CustomerIO({**track.config, "region": ""}, HTTPClient()).check()

    assert (found.config["region"], found.config["base_url"], found.facts) == (region, track.url, {"region": region})


@pytest.mark.parametrize(
    ("location", "region"),
    [
        ("https://track-eu.customer.io/api/v1/accounts/region", "eu"),
        ("https://elsewhere.example.com/", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_a_redirect_means_another_region_and_is_not_followed(
    destination: CustomerIO, track: FakeTrack, location: str, region: str | None
):
    track.next.append(CannedAnswer(301, "", {"Location": location}))

    with pytest.raises(WrongRegion) as caught:
        destination.check()

    assert caught.value.region == region
    assert len(track.calls) == 1


@pytest.mark.parametrize(
    "answer",
    [
        CannedAnswer(200, "<html>"),
        CannedAnswer(200, "[]"),
        CannedAnswer(200, '{"region":"us"}'),
        CannedAnswer(200, '{"region":"mars","environment_id":3}'),
        CannedAnswer(200, '{"region":["us"],"environment_id":3}'),
        CannedAnswer(404, ""),
        CannedAnswer(500, ""),
    ],
)
def test_an_answer_without_an_account_means_unreachable(
    destination: CustomerIO, track: FakeTrack, answer: CannedAnswer
):
    track.next.append(answer)

    with pytest.raises(Unreachable):
        destination.check()


@pytest.mark.parametrize(("region", "host"), [("us", "track.customer.io"), ("eu", "track-eu.customer.io")])
def test_each_region_has_its_host(region: str, host: str):
    assert CustomerIO({**KEYS, "region": region}, HTTPClient())._config["base_url"] == f"https://{host}"


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://example.com",
        "file:///etc/passwd",
        "example.com",
        "https://",
        "https://user:key@example.com",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com:99999",
        "https://[",
        "http://example.com",  # the keys would travel in the open
        "http://10.0.0.1",
        "http://2130706433",
    ],
)
def test_an_unusable_base_url_is_refused(base_url: str):
    with pytest.raises(Misconfigured, match="base_url"):
        CustomerIO({**KEYS, "base_url": base_url}, HTTPClient())


def test_every_fault_of_a_config_is_named_at_once():
    with pytest.raises(Misconfigured, match=r"site_id is missing; api_key is missing; region .* us, eu; base_url"):
        CustomerIO({"region": "mars", "base_url": "nowhere"}, HTTPClient())


def test_blanks_around_a_pasted_key_do_not_count(track: FakeTrack):
    config = {name: f" {value}\n" for name, value in track.config.items()}

    checked = CustomerIO({**config, "base_url": f"{track.url}/"}, HTTPClient()).check()

    assert checked.config == {**track.config, **DEFAULTS}
