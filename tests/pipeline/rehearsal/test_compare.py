"""What counts as the same message of two runs, and which of its fields differ."""

from __future__ import annotations

from pipeline.rehearsal.compare import compare_contents, pair_messages


def line(digest="a", number=1, **changes):
    return {
        "id": number,
        "connection": 1,
        "person": "customer:7001",
        "kind": "event",
        "receipt": "r1",
        "event": "order_new",
        "digest": digest,
        **changes,
    }


def content(**changes):
    message = {"customer_id": 1, "email": "a@example.com", "name": "order_new", "message_id": "m", "at": 1}
    return {**message, "data": {}, "request": {"url": "https://x"}, **changes}


def test_messages_with_the_same_digest_are_no_pair():
    assert list(pair_messages([line()], [line(number=9)])) == []


def test_a_message_of_one_run_has_no_other_side():
    assert [(one.before, one.after) for one in pair_messages([line()], [])] == [(line(), None)]
    assert [(one.before, one.after) for one in pair_messages([], [line()])] == [(None, line())]


def test_messages_about_different_people_are_two():
    other = line(person="customer:7002")

    assert len(list(pair_messages([line()], [other]))) == 2


def test_repeated_messages_are_compared_in_their_order():
    before, after = [line("a"), line("b")], [line("a"), line("c")]

    assert [one.key.number for one in pair_messages(before, after)] == [1]


def test_a_field_is_named_by_its_path_without_places_in_lists():
    before = content(data={"items": [{"price": 1}, {"price": 2}]})
    after = content(data={"items": [{"price": 1}, {"price": 3}]})

    assert compare_contents(before, after) == {"data.items.price": (2, 3)}


def test_a_field_more_was_nothing_before():
    assert compare_contents(content(), content(data={"plan": "gold"})) == {"data.plan": (None, "gold")}


def test_one_and_true_differ():
    assert compare_contents(content(data={"n": 1}), content(data={"n": True})) == {"data.n": (1, True)}


def test_a_changed_message_does_not_repeat_itself_in_its_request():
    after = content(name="Placed Order", request={"url": "https://y"})

    assert compare_contents(content(), after) == {"name": ("order_new", "Placed Order")}


def test_a_request_alone_may_differ():
    assert compare_contents(content(), content(request=None)) == {"request.url": ("https://x", None)}
