from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

import pytest

from pipeline.core.messages import ConnectionBroken, Rejected, RetryAfter, Sent
from pipeline.destinations.customerio import CustomerIO
from pipeline.destinations.customerio.limits import MAX_CALL_ITEMS
from pipeline.destinations.customerio.sending import MAX_CALLS, MAX_SPLITS
from pipeline.infra.http.client import HTTPClient
from tests.contracts.fake_track import CannedAnswer, FakeTrack
from tests.contracts.messages import event, person, profile

ALICE, BOB = person(1), person(2)
MALFORMED = CannedAnswer(
    400, '{"errors":[{"reason":"malformed","field":"batch","message":"robin@example.com is odd"}]}'
)


def refusing(*indexes: object) -> CannedAnswer:
    errors = [{"batch_index": index, "reason": "invalid", "field": "name", "message": "is odd"} for index in indexes]
    return CannedAnswer(207, json.dumps({"errors": errors}))


def all_or_nothing(call: Sequence[int], bad: Collection[int]) -> Iterator[CannedAnswer]:
    """What a platform answers that takes nothing of a call with a bad item, while the call is halved."""
    spoiled = any(place in bad for place in call)
    yield MALFORMED if spoiled else CannedAnswer()
    if spoiled and len(call) > 1:
        yield from all_or_nothing(call[: len(call) // 2], bad)
        yield from all_or_nothing(call[len(call) // 2 :], bad)


def test_a_hundred_messages_with_many_new_people_take_two_calls(destination: CustomerIO, track: FakeTrack):
    new = [(profile(n, person(n), has_profile=False), event(n + 50, person(n), has_profile=False)) for n in range(50)]

    reply = destination.send([message for pair in new for message in pair])

    assert set(reply.outcomes) == {Sent()}
    assert [len(call.taken) for call in track.calls] == [50, 50]


def test_a_hundred_messages_of_known_people_take_one_call(destination: CustomerIO, track: FakeTrack):
    destination.send([event(n, person(n)) for n in range(100)])

    assert len(track.calls) == 1


def test_what_was_changed_is_noted_on_the_outcome(destination: CustomerIO):
    reply = destination.send([profile(1, ALICE, plan="x" * 1001), event(2, ALICE, recipient="r")])

    assert reply.outcomes == (Sent(("cut:plan",)), Sent(("renamed:recipient",)))


def test_a_second_profile_clears_what_the_first_one_set(destination: CustomerIO, track: FakeTrack):
    destination.send([profile(1, ALICE, has_profile=False, plan="a"), profile(2, ALICE, has_profile=False, plan=None)])

    assert [one["attributes"]["plan"] for call in track.calls for one in call.taken] == ["a", ""]


def test_events_of_a_person_whose_profile_was_refused_are_not_sent(destination: CustomerIO, track: FakeTrack):
    track.next.append(refusing(0))

    reply = destination.send([profile(1, ALICE, has_profile=False), event(2, ALICE, has_profile=False), event(3, BOB)])

    assert [one.reason for one in reply.outcomes if isinstance(one, Rejected)] == ["refused", "profile_refused"]
    assert len(track.calls) == 1


def test_a_second_profile_lets_the_events_after_it_leave(destination: CustomerIO, track: FakeTrack):
    track.next.append(refusing(0))
    first, second = profile(1, ALICE, has_profile=False), profile(2, ALICE, has_profile=False)

    reply = destination.send([first, second, event(3, ALICE, has_profile=False)])

    assert [type(one) for one in reply.outcomes] == [Rejected, Sent, Sent]


def test_events_of_a_person_without_any_profile_are_not_sent(destination: CustomerIO, track: FakeTrack):
    reply = destination.send([event(1, ALICE, has_profile=False)])

    assert reply.outcomes == (Rejected("profile_refused", "Customer.io has no profile of this person"),)
    assert track.calls == []


def test_events_of_a_person_with_a_profile_are_sent_though_a_later_profile_is_refused(
    destination: CustomerIO, track: FakeTrack
):
    track.next.append(refusing(0))

    assert [type(one) for one in destination.send([profile(1, ALICE), event(2, ALICE)]).outcomes] == [Rejected, Sent]


def test_a_long_event_is_sent_in_order_with_the_persons_other_events(destination: CustomerIO, track: FakeTrack):
    messages = [event(1, ALICE, "a"), event(2, ALICE, "b", note="x" * 40_000), event(3, ALICE, "c"), event(4, BOB, "d")]

    reply = destination.send(messages)

    assert set(reply.outcomes) == {Sent()}
    assert [[name for _, _, name in call.delivered()] for call in track.calls] == [["a", "d"], ["b"], ["c"]]
    assert [call.endpoint for call in reply.calls] == [
        "/api/v2/batch",
        "/api/v1/customers/{id}/events",
        "/api/v2/batch",
    ]
    assert [call.message_positions for call in reply.calls] == [(0, 3), (1,), (2,)]


def test_a_refused_long_event_affects_no_other_message(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(400, '{"meta":{"errors":["is odd"]}}'))

    reply = destination.send([event(1, ALICE, note="x" * 40_000), event(2, ALICE)])

    assert reply.outcomes == (Rejected("refused", "is odd"), Sent())


def test_nothing_leaves_after_a_long_event_that_failed(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(500))

    reply = destination.send([event(1, ALICE, note="x" * 40_000), event(2, BOB, note="x" * 40_000), event(3, ALICE)])

    assert {type(one) for one in reply.outcomes} == {RetryAfter}
    assert len(track.calls) == 1


def test_a_send_of_very_many_calls_ends_early_and_leaves_the_rest_for_the_next(
    destination: CustomerIO, track: FakeTrack
):
    reply = destination.send([event(n, person(n), note="x" * 40_000) for n in range(MAX_CALLS + 2)])

    assert reply.outcomes[:MAX_CALLS] == (Sent(),) * MAX_CALLS
    assert {one.seconds for one in reply.outcomes[MAX_CALLS:] if isinstance(one, RetryAfter)} == {0.0}
    assert len(track.calls) == MAX_CALLS


def test_items_in_a_list_of_refused_are_rejected_with_the_vendors_words(destination: CustomerIO, track: FakeTrack):
    track.next.append(refusing(*[1, 1, 7, -1, True, "0", None]))

    reply = destination.send([event(1, ALICE), event(2, ALICE), event(3, BOB)])

    assert reply.outcomes == (Sent(), Rejected("refused", "name: is odd; name: is odd"), Sent())


def test_the_list_of_a_call_in_which_every_item_is_refused_is_read_to_its_end(
    destination: CustomerIO, track: FakeTrack
):
    track.next.append(refusing(*(place for place in range(MAX_CALL_ITEMS) for _ in range(5))))

    reply = destination.send([event(n, person(n)) for n in range(MAX_CALL_ITEMS)])

    assert {type(one) for one in reply.outcomes} == {Rejected}


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", '{"errors":{}}', '{"errors":[{"batch_ind', ""])
def test_a_list_of_refused_that_cannot_be_read_is_asked_for_again(destination: CustomerIO, track: FakeTrack, body: str):
    track.next.append(CannedAnswer(207, body))

    reply = destination.send([event(1, ALICE), event(2, ALICE)])

    assert {type(one) for one in reply.outcomes} == {RetryAfter}


def test_a_list_of_refused_that_broke_off_is_not_believed(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(207, '{"errors":[]}', length=500))

    assert {type(one) for one in destination.send([event(1, ALICE)]).outcomes} == {RetryAfter}


def test_one_bad_item_does_not_reject_the_other_items_of_its_batch(destination: CustomerIO, track: FakeTrack):
    # 8 items, the sixth is bad: the whole, its second half, that one's first half, and at last the item itself
    track.next.extend([MALFORMED, CannedAnswer(), MALFORMED, MALFORMED, CannedAnswer(), MALFORMED, CannedAnswer()])

    reply = destination.send([event(n, person(n)) for n in range(8)])

    assert [place for place, one in enumerate(reply.outcomes) if one != Sent()] == [5]
    assert reply.outcomes[5] == Rejected("refused", "batch: [address] is odd")
    assert [len(call.body["batch"]) for call in track.calls] == [8, 4, 4, 2, 1, 1, 2]


def test_a_batch_that_is_too_large_is_halved(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(413, "<html>too large</html>"))

    reply = destination.send([event(1, ALICE), event(2, BOB)])

    assert set(reply.outcomes) == {Sent()}
    assert [len(call.body["batch"]) for call in track.calls] == [2, 1, 1]


def test_an_item_that_is_too_large_alone_is_rejected(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(413, "<html><b>Too</b> large</html>"))

    assert destination.send([event(1, ALICE)]).outcomes == (Rejected("too_large", "Too large"),)


def test_halving_stops_at_a_failure_that_passes(destination: CustomerIO, track: FakeTrack):
    track.next.extend([MALFORMED, CannedAnswer(), CannedAnswer(503)])

    reply = destination.send([event(n, person(n)) for n in range(4)])

    assert [type(one) for one in reply.outcomes] == [Sent, Sent, RetryAfter, RetryAfter]
    assert len(track.calls) == 3


def test_two_bad_items_of_a_full_call_are_found_in_one_send(destination: CustomerIO, track: FakeTrack):
    bad = {0, MAX_CALL_ITEMS - 1}
    track.next.extend(all_or_nothing(range(MAX_CALL_ITEMS), bad))

    reply = destination.send([event(n, person(n)) for n in range(MAX_CALL_ITEMS)])

    assert {place for place, one in enumerate(reply.outcomes) if one != Sent()} == bad
    assert {type(reply.outcomes[place]) for place in bad} == {Rejected}


def test_halving_has_an_end_and_still_gets_somewhere(destination: CustomerIO, track: FakeTrack):
    track.next.extend([MALFORMED] * 200)

    reply = destination.send([event(n, person(n)) for n in range(100)])

    assert len(track.calls) <= 1 + 2 * MAX_SPLITS
    assert isinstance(reply.outcomes[0], Rejected)
    assert isinstance(reply.outcomes[-1], RetryAfter)


@pytest.mark.parametrize("status", [501, 505, 511])
def test_what_the_platform_will_never_understand_is_rejected_at_once(
    destination: CustomerIO, track: FakeTrack, status: int
):
    track.next.append(CannedAnswer(status, ""))

    reply = destination.send([event(1, ALICE), event(2, ALICE)])

    assert set(reply.outcomes) == {Rejected("refused", f"answered {status}")}
    assert len(track.calls) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 301, 302, 303, 307, 308])
def test_a_permanent_failure_breaks_the_connection(destination: CustomerIO, track: FakeTrack, status: int):
    track.next.append(CannedAnswer(status, "", {"Location": "https://track-eu.customer.io/"} if status < 400 else {}))

    reply = destination.send([profile(1, ALICE, has_profile=False), event(2, ALICE, has_profile=False)])

    assert {type(one) for one in reply.outcomes} == {ConnectionBroken}
    assert len(track.calls) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])
def test_what_passes_is_tried_again(destination: CustomerIO, track: FakeTrack, status: int):
    track.next.append(CannedAnswer(status, ""))

    assert destination.send([event(1, ALICE)]).outcomes == (RetryAfter(None, f"answered {status}"),)


@pytest.mark.parametrize(
    "answer", [CannedAnswer(200, ""), CannedAnswer(200, "{"), CannedAnswer(200, "{", length=9), CannedAnswer(202)]
)
def test_a_plain_success_counts_whatever_its_body(destination: CustomerIO, track: FakeTrack, answer: CannedAnswer):
    track.next.append(answer)

    assert destination.send([event(1, ALICE)]).outcomes == (Sent(),)


@pytest.mark.parametrize("page", ["<html>Sign in to the network</html>", "\n <!DOCTYPE html>"])
def test_an_html_page_as_response_means_that_nothing_was_accepted(destination: CustomerIO, track: FakeTrack, page: str):
    track.next.append(CannedAnswer(200, page))

    assert [type(one) for one in destination.send([event(1, ALICE)]).outcomes] == [RetryAfter]


def test_no_answer_is_tried_again_and_recorded(destination: CustomerIO, track: FakeTrack):
    track.next.append(CannedAnswer(drop=True))

    reply = destination.send([event(1, ALICE)])

    assert reply.outcomes == (RetryAfter(None, "connection broke off"),)
    assert (reply.calls[0].status, reply.calls[0].error) == (None, "connection broke off")


def test_the_credentials_go_out_as_a_basic_pair_in_utf_8(track: FakeTrack):
    track.site_id, track.api_key = "sité", "ключ"

    assert CustomerIO(track.config, HTTPClient()).send([event(1, ALICE)]).outcomes == (Sent(),)
