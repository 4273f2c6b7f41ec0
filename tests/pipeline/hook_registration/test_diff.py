"""What is compared: whatever is registered, doing what the findings say makes it right, and only ours is touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.hook_registration.diff import FINDING_TEXTS, diff_hooks
from pipeline.hook_registration.urls import build_hook_urls, build_target_parser
from tests.pipeline.hook_registration.conftest import KEYS, PUBLIC

STORE = "sunny-box"
URLS = build_hook_urls(KEYS, PUBLIC, STORE, 2)
OLD = build_hook_urls(KEYS, "https://old.example.com", STORE, 1)
OURS = build_target_parser(KEYS, PUBLIC, STORE)
EVENTS = ["order_new", "shipment_shipped", "customer_new"]
WANTED = {event: URLS[event] for event in EVENTS}

targets = st.sampled_from([*URLS.values()][:8] + [*OLD.values()][:8] + ["https://other.example.com/x", "", "https://["])
hooks = st.lists(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from([*EVENTS, "order_updated", "gift_claimed", None]),
            "target": targets,
            "enabled": st.sampled_from([True, False, None]),
            "request_type": st.sampled_from(["POST", "GET", "post", None]),
        }
    ),
    max_size=12,
).map(lambda listed: [{"id": number, **hook} for number, hook in enumerate(listed, 1)])


def mended(registered, findings):
    """The store after all remedies."""
    after = {hook["id"]: dict(hook) for hook in registered}
    for finding in findings:
        right = {"event": finding.event, "target": WANTED.get(finding.event), "enabled": True, "request_type": "POST"}
        if finding.remedy == "create":
            after[len(after) + 1000] = {"id": len(after) + 1000, **right}
        elif finding.remedy == "update":
            after[finding.hook_id] |= right
        elif finding.remedy == "delete":
            del after[finding.hook_id]
    return list(after.values())


def looked_at(registered, wanted=None):
    return diff_hooks(registered, WANTED if wanted is None else wanted, OURS, 2)


@given(registered=hooks)
def test_what_the_findings_say_makes_it_right(registered):
    after = mended(registered, looked_at(registered))

    assert [one for one in looked_at(after) if one.remedy] == []
    assert all(any(hook["target"] == url for hook in after) for url in WANTED.values())


@given(registered=hooks)
def test_nothing_of_others_is_touched(registered):
    theirs = [hook for hook in registered if OURS(hook["target"]) is None]
    touched = {one.hook_id for one in looked_at(registered) if one.remedy}

    assert touched.isdisjoint({hook["id"] for hook in theirs})


@given(registered=hooks)
def test_disconnecting_takes_all_of_ours_and_nothing_else(registered):
    gone = {one.hook_id for one in looked_at(registered, {}) if one.remedy}

    assert gone == {hook["id"] for hook in registered if OURS(hook["target"])}


@given(registered=hooks)
def test_every_finding_has_words(registered):
    assert {one.kind for one in looked_at(registered)} <= FINDING_TEXTS.keys()


def test_the_oldest_of_several_right_ones_stays():
    twins = [{"id": number, "event": "order_new", "target": URLS["order_new"], "enabled": True} for number in (9, 4)]

    assert [one.hook_id for one in looked_at(twins) if one.kind == "duplicate"] == [9]


def test_one_that_works_stays_rather_than_an_older_one_that_is_switched_off():
    twins = [
        {"id": 4, "event": "order_new", "target": URLS["order_new"], "enabled": False},
        {"id": 9, "event": "order_new", "target": URLS["order_new"], "enabled": True},
    ]

    assert [one.hook_id for one in looked_at(twins) if one.kind == "duplicate"] == [4]


def test_ours_for_an_event_no_one_knows_stays():
    """A merchant may have registered it by hand; such hooks are recorded."""
    odd = {"id": 1, "event": "gift_claimed", "target": f"{URLS['order_new']}x", "enabled": True}

    assert [(one.kind, one.remedy) for one in looked_at([odd]) if one.hook_id == 1] == [("unknown_event", None)]
