"""What every messaging platform must do, whatever it is. A platform adds a kit; nothing here names one."""

from __future__ import annotations

import re

import pytest

from pipeline.core.errors import BadCredentials, CratewireError, Misconfigured, Unreachable, WrongRegion
from pipeline.core.messages import (
    ConnectionBroken,
    ForgetMode,
    Identifiers,
    Message,
    PersonRef,
    Rejected,
    Reply,
    RetryAfter,
    Sent,
)
from pipeline.destinations.base import CheckResult
from tests.contracts.kit import Kit
from tests.contracts.messages import event, person, profile

ALICE, BOB, GUEST = person(1), person(2), person(3, customer=False)
MESSAGES = (
    profile(1, ALICE, has_profile=False),
    event(2, ALICE, "order_new", has_profile=False),
    profile(3, GUEST, has_profile=False, gift_recipient=True),
    event(4, BOB, "order_new"),
    event(5, GUEST, "order_new", has_profile=False),
    event(6, ALICE, "shipment_shipped", has_profile=False),
    profile(7, BOB, plan="Large Box"),
    event(8, BOB, "subscription_renewed"),
)


class DestinationSuite:
    """Inherit, and give a fixture `kit`."""

    def test_each_message_gets_one_outcome_in_its_place(self, kit: Kit):
        messages = [event(1, BOB), kit.unacceptable(event(2, BOB)), profile(3, BOB), kit.unacceptable(event(4, ALICE))]

        reply = kit.destination().send(messages)

        assert [type(one) for one in reply.outcomes] == [Sent, Rejected, Sent, Rejected]

    def test_nothing_to_send_makes_no_call(self, kit: Kit):
        assert kit.destination().send([]) == Reply(())

    def test_everything_arrives_once(self, kit: Kit):
        kit.destination().send(MESSAGES)

        arrived = [message for call in kit.delivered() for message in call]
        assert sorted(arrived) == sorted(_get_delivered(kit, message) for message in MESSAGES)

    def test_a_persons_messages_leave_in_the_order_given(self, kit: Kit):
        kit.destination().send(MESSAGES)

        arrived = [message for call in kit.delivered() for message in call]
        for who in (ALICE, BOB, GUEST):
            mine = [_get_delivered(kit, message) for message in MESSAGES if message.person == who]
            assert [one for one in arrived if one[0] == kit.who(who)] == mine

    def test_a_first_profile_leaves_in_an_earlier_call_than_the_first_event(self, kit: Kit):
        kit.destination().send(MESSAGES)

        calls = kit.delivered()
        for who in (ALICE, GUEST):
            profiled = [n for n, call in enumerate(calls) if any(one[:2] == (kit.who(who), "profile") for one in call)]
            events = [n for n, call in enumerate(calls) if any(item[:2] == (kit.who(who), "event") for item in call)]
            assert profiled[0] < events[0]

    def test_a_full_batch_is_taken(self, kit: Kit):
        destination = kit.destination()
        messages = [event(number, BOB) for number in range(1, destination.max_items + 1)]

        reply = destination.send(messages)

        assert reply.outcomes == (Sent(),) * len(messages)

    def test_the_calls_say_what_they_carried(self, kit: Kit):
        reply = kit.destination().send(MESSAGES)

        carried = {place for call in reply.calls for place in (call.message_positions or range(len(MESSAGES)))}
        assert carried == set(range(len(MESSAGES)))
        assert all(call.status is not None and call.duration_us >= 0 for call in reply.calls)

    def test_the_same_messages_make_the_same_bytes(self, kit: Kit):
        kit.destination().send(MESSAGES)
        first = list(kit.bodies())
        kit.destination().send(MESSAGES)

        assert kit.bodies() == first * 2

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_after_a_failure_that_passes_nothing_more_is_sent(self, kit: Kit, status: int):
        kit.answer_next(status)

        reply = kit.destination().send(MESSAGES)

        assert {type(one) for one in reply.outcomes} == {RetryAfter}
        assert len(reply.outcomes) == len(MESSAGES)
        assert len(reply.calls) == 1
        assert kit.delivered() == []

    def test_what_is_sent_again_after_a_failure_arrives(self, kit: Kit):
        kit.answer_next(503)
        destination = kit.destination()
        destination.send(MESSAGES)

        reply = destination.send(MESSAGES)

        assert set(reply.outcomes) == {Sent()}

    def test_the_time_the_platform_asks_for_is_passed_on(self, kit: Kit):
        kit.answer_next(429, retry_after=7)

        reply = kit.destination().send(MESSAGES)

        assert {one.seconds for one in reply.outcomes if isinstance(one, RetryAfter)} == {7.0}

    def test_a_platform_that_is_not_there_is_tried_again_later(self, kit: Kit):
        reply = kit.unreachable().send(MESSAGES)

        assert {type(one) for one in reply.outcomes} == {RetryAfter}
        assert reply.calls[0].status is None

    def test_refused_credentials_break_the_connection_and_keep_everything(self, kit: Kit):
        kit.revoke()

        reply = kit.destination().send(MESSAGES)

        assert {type(one) for one in reply.outcomes} == {ConnectionBroken}
        assert len(reply.outcomes) == len(MESSAGES)
        assert len(reply.calls) == 1

    def test_outcomes_and_calls_hold_no_personal_data(self, kit: Kit):
        reply = kit.destination().send([kit.unacceptable(event(1, GUEST, name=f"for {GUEST.email}")), *MESSAGES])

        assert "@" not in repr(reply)
        assert not re.search("%40", repr(reply))

    @pytest.mark.parametrize("mode", ["delete", "suppress"])
    def test_a_forgotten_person_is_gone_and_no_other(self, kit: Kit, mode: ForgetMode):
        _require(kit, mode)
        kit.destination().send(MESSAGES)

        reply = kit.destination().forget(_identify(ALICE), mode)

        assert reply.outcomes == (Sent(),)
        assert [kit.knows(who) for who in (ALICE, BOB, GUEST)] == [False, True, True]

    @pytest.mark.parametrize("mode", ["delete", "suppress"])
    def test_a_person_known_only_by_address_is_forgotten(self, kit: Kit, mode: ForgetMode):
        _require(kit, mode)
        kit.destination().send(MESSAGES)

        kit.destination().forget(_identify(GUEST), mode)

        assert not kit.knows(GUEST)

    def test_a_suppressed_person_is_not_created_again_by_a_later_message(self, kit: Kit):
        _require(kit, "suppress")
        _require_ability(kit, "keep out people it never knew")
        kit.destination().forget(_identify(ALICE), "suppress")

        kit.destination().send([profile(1, ALICE, has_profile=False), event(2, ALICE), profile(3, _by_address(ALICE))])

        assert not kit.knows(ALICE)

    def test_an_earlier_address_of_a_suppressed_person_is_blocked_too(self, kit: Kit):
        _require(kit, "suppress")
        _require_ability(kit, "keep out people it never knew")
        kit.destination().send([profile(1, ALICE, has_profile=False)])
        before = person(4, customer=False)

        addresses = (*_identify(ALICE).emails, *_identify(before).emails)
        kit.destination().forget(Identifiers(_identify(ALICE).customer_ids, addresses), "suppress")
        kit.destination().send([profile(2, before, has_profile=False)])

        assert not kit.knows(before)

    def test_a_deleted_person_is_created_again_by_a_later_message(self, kit: Kit):
        _require(kit, "delete")
        _require_ability(kit, "take back people whom it has deleted")
        kit.destination().send([profile(1, ALICE, has_profile=False)])
        kit.destination().forget(_identify(ALICE), "delete")

        kit.destination().send([profile(2, ALICE, has_profile=False)])

        assert kit.knows(ALICE)

    @pytest.mark.parametrize("mode", ["delete", "suppress"])
    def test_a_person_unknown_to_the_platform_is_forgotten_already(self, kit: Kit, mode: ForgetMode):
        _require(kit, mode)

        assert kit.destination().forget(_identify(BOB), mode).outcomes == (Sent(),)

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_forgetting_is_tried_again_after_a_failure_that_passes(self, kit: Kit, status: int):
        mode = _any_mode(kit)
        kit.destination().send(MESSAGES)
        kit.answer_next(status)

        assert [type(one) for one in kit.destination().forget(_identify(ALICE), mode).outcomes] == [RetryAfter]
        assert kit.destination().forget(_identify(ALICE), mode).outcomes == (Sent(),)
        assert not kit.knows(ALICE)

    def test_refused_credentials_break_the_connection_when_it_is_to_forget(self, kit: Kit):
        kit.revoke()

        reply = kit.destination().forget(_identify(ALICE), _any_mode(kit))

        assert [type(one) for one in reply.outcomes] == [ConnectionBroken]

    def test_nothing_to_forget_makes_no_call(self, kit: Kit):
        reply = kit.destination().forget(Identifiers(), _any_mode(kit))

        assert [type(one) for one in reply.outcomes] == [Rejected]
        assert reply.calls == ()

    def test_forgetting_leaves_no_personal_data_in_outcomes_and_calls(self, kit: Kit):
        destination, mode = kit.destination(), _any_mode(kit)

        reply = destination.forget(_identify(ALICE), mode)

        assert [call.message_positions or (0,) for call in reply.calls] == [(0,)] * len(reply.calls)
        assert not re.search("@|%40", repr((reply, _identify(ALICE))))

    def test_a_working_account_is_recognised(self, kit: Kit):
        checked = kit.destination().check()

        assert checked.account
        assert checked.config.items() >= kit.config().items()

    def test_the_config_to_save_works_as_it_is(self, kit: Kit):
        checked = kit.destination().check()

        assert kit.destination(**checked.config).check() == CheckResult(checked.account, checked.config, checked.facts)

    def test_wrong_credentials_are_distinguished_from_other_faults(self, kit: Kit):
        kit.revoke()

        with pytest.raises(BadCredentials):
            kit.destination().check()

    def test_a_wrong_region_is_distinguished_from_other_faults(self, kit: Kit):
        elsewhere = kit.elsewhere()
        if elsewhere is None:
            pytest.skip("this platform has no regions")

        with pytest.raises(WrongRegion):
            elsewhere.check()

    def test_an_unreachable_platform_is_distinguished_from_other_faults(self, kit: Kit):
        with pytest.raises(Unreachable):
            kit.unreachable().check()

    def test_a_failing_platform_is_distinguished_from_other_faults(self, kit: Kit):
        kit.answer_next(503)

        with pytest.raises(Unreachable):
            kit.destination().check()

    def test_a_missing_field_is_named(self, kit: Kit):
        for field in kit.destination().fields:
            if field.required and field.default is None:
                with pytest.raises(Misconfigured, match=field.key):
                    kit.destination(**{field.key: ""})

    def test_the_errors_of_a_check_hold_no_secrets(self, kit: Kit):
        secrets = [kit.config()[field.key] for field in kit.destination().fields if field.secret]
        kit.revoke()

        with pytest.raises(CratewireError) as caught:
            kit.destination().check()

        assert not any(secret in repr(caught.value) for secret in secrets)


def _get_delivered(kit: Kit, message: Message) -> tuple[str, str, str | None]:
    return kit.who(message.person), message.kind, message.name


def _identify(who: PersonRef) -> Identifiers:
    customer_ids = () if who.customer_id is None else (who.customer_id,)
    return Identifiers(customer_ids, () if who.email is None else (who.email,))


def _by_address(who: PersonRef) -> PersonRef:
    return PersonRef(who.id, None, who.email)


def _any_mode(kit: Kit) -> ForgetMode:
    modes = kit.destination().forget_modes
    if not modes:
        pytest.skip("this platform cannot forget a person, and declares so")
    return modes[0]


def _require(kit: Kit, mode: ForgetMode) -> None:
    if mode not in kit.destination().forget_modes:
        pytest.skip(f"this platform cannot {mode} a person, and declares so")


def _require_ability(kit: Kit, ability: str) -> None:
    if ability in kit.lacks:
        pytest.skip(f"this platform cannot {ability}, and its kit declares so")
