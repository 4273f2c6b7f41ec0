"""What every warehouse must do with orders that come in, over real HTTP; nothing here names one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    Created,
    Invalid,
    NotFound,
    RateLimited,
    Retryable,
)
from pipeline.fulfilment.same_box import compare_box
from pipeline.warehouses import WAREHOUSES
from tests.pipeline.warehouses.contract_helpers import is_in_doubt
from tests.pipeline.warehouses.kit import ORDER
from tests.pipeline.warehouses.sandbox_kit import Kit

NUMBER = ORDER.order_number


class OrderSuite:
    """The part of the contract about new orders, look-ups and keys."""

    def test_good_keys_pass_the_check_and_make_no_order(self, kit: Kit):
        assert isinstance(kit.warehouse().check(), dict)
        assert kit.orders() == []

    def test_wrong_keys_pause_the_connection(self, kit: Kit):
        warehouse = kit.warehouse(**kit.protocol.wrong_keys)

        answers = (warehouse.check(), warehouse.create(kit.order()), warehouse.find(NUMBER))

        assert [type(answer) for answer in answers] == [AuthError] * 3
        assert kit.orders() == []

    def test_an_order_is_found_as_the_box_it_is(self, kit: Kit):
        warehouse, order = kit.warehouse(), kit.order()

        created = warehouse.create(order)
        found = warehouse.find(NUMBER, created.external_id)

        assert isinstance(created, Created)
        assert (found.progress, found.external_id) == ("open", created.external_id)
        assert compare_box(order, found) == "same"

    def test_the_whole_address_of_the_box_arrives(self, kit: Kit):
        kit.warehouse().create(kit.order())

        [arrived] = kit.orders()
        written = str(arrived.received)
        assert all(part in written for part in ("1 Test Street", "Unit 2", "Testville", "00000"))
        assert [(line.sku, line.quantity) for line in arrived.lines] == [("BOX-2602", 1)]

    def test_the_same_order_twice_is_one_order(self, kit: Kit):
        warehouse, order = kit.warehouse(), kit.order()
        warehouse.create(order)

        again = warehouse.create(order)

        assert isinstance(again, AlreadyExists) or (
            kit.warehouse().capabilities.repeats_safely and isinstance(again, Created)
        )
        assert len(kit.orders()) == 1

    def test_another_box_under_the_same_number_is_not_taken_for_ours(self, kit: Kit):
        warehouse = kit.warehouse()
        warehouse.create(kit.order())
        other = kit.order(lines=(replace(ORDER.lines[0], sku="MUG"),))

        answer = warehouse.create(other)
        found = (answer.found if isinstance(answer, AlreadyExists) else None) or warehouse.find(NUMBER)

        assert isinstance(answer, AlreadyExists)
        assert compare_box(other, found) == "different"
        assert len(kit.orders()) == 1

    def test_an_order_whose_answer_was_lost_is_in_doubt_and_then_found(self, kit: Kit):
        warehouse, order = kit.warehouse(), kit.order()
        kit.fault(kit.protocol.create, drop_after_commit=True)

        assert is_in_doubt(warehouse, warehouse.create(order))
        assert compare_box(order, warehouse.find(NUMBER)) == "same"
        assert len(kit.orders()) == 1

    def test_an_order_that_was_cut_off_is_in_doubt_and_then_not_found(self, kit: Kit):
        warehouse = kit.warehouse()
        kit.fault(kit.protocol.create, drop_before_commit=True)

        assert is_in_doubt(warehouse, warehouse.create(kit.order()))
        assert warehouse.find(NUMBER) == NotFound()

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_server_in_trouble_leaves_an_order_in_doubt_and_a_look_up_to_be_repeated(self, kit: Kit, status: int):
        warehouse = kit.warehouse()
        kit.fault(kit.protocol.create, status=status)
        kit.fault(kit.protocol.find, status=status)

        assert is_in_doubt(warehouse, warehouse.create(kit.order()))
        assert isinstance(warehouse.find(NUMBER), Retryable)

    def test_a_page_of_a_proxy_is_no_answer(self, kit: Kit):
        warehouse = kit.warehouse()
        kit.fault(kit.protocol.create, status=200, text="<html>Sign in</html>", content_type="text/html")
        kit.fault(kit.protocol.find, status=200, text="<html>Sign in</html>", content_type="text/html")

        assert is_in_doubt(warehouse, warehouse.create(kit.order()))
        assert isinstance(warehouse.find(NUMBER), Retryable)

    def test_a_redirect_is_not_followed(self, kit: Kit):
        warehouse = kit.warehouse()
        kit.fault("/", status=302, times=2)

        assert isinstance(warehouse.find(NUMBER), AuthError)
        assert isinstance(warehouse.create(kit.order()), AuthError)

    def test_no_warehouse_at_the_address_leaves_nothing_in_doubt(self, kit: Kit):
        field, path = kit.protocol.address
        warehouse = kit.warehouse(**{field: f"http://127.0.0.1:9{path}"})

        assert isinstance(warehouse.create(kit.order()), Retryable)
        assert isinstance(warehouse.find(NUMBER), Retryable)

    def test_the_rate_limit_is_said(self, kit: Kit):
        warehouse = kit.warehouse()
        warehouse.find(NUMBER)
        kit.fault("/", **kit.protocol.rate_limit, times=2)

        answers = (warehouse.create(kit.order()), warehouse.find(NUMBER))

        assert [type(answer) for answer in answers] == [RateLimited, RateLimited]
        assert all(answer.after_s > 0 for answer in answers)
        assert kit.orders() == []

    def test_an_unknown_sku_is_named(self, kit: Kit):
        kit.switch(unknown_skus=["BOX-2602"])
        warehouse = kit.warehouse()

        answer = warehouse.create(kit.order())

        if kit.protocol.unknown_sku == "open":
            assert warehouse.find(NUMBER).note == "error"
        else:
            assert isinstance(answer, Invalid)
            assert "sku" in answer.fields[0][0].lower()

    def test_an_address_without_its_street_is_refused_by_its_field(self, kit: Kit):
        to = kit.order().ship_to

        answer = kit.warehouse().create(replace(kit.order(), ship_to=replace(to, address1="")))

        assert isinstance(answer, Invalid)
        assert any("address" in name.lower() for name, _ in answer.fields)
        assert not any(part in str(answer) for part in ("Recipient", "Testville", "buyer@example.com"))

    def test_an_unknown_number_is_not_found(self, kit: Kit):
        warehouse = kit.warehouse()

        assert warehouse.find("SUB-1") == NotFound()
        assert warehouse.cancel("SUB-1", "", "Cancelled in Cratejoy") == NotFound()

    def test_every_call_is_recorded_without_a_number_or_a_name(self, kit: Kit):
        warehouse = kit.warehouse()
        created = warehouse.create(kit.order())
        warehouse.find(NUMBER)
        warehouse.cancel(NUMBER, created.external_id, "Cancelled in Cratejoy")

        assert len(kit.calls) >= 3
        assert all(call.status and call.duration_us > 0 for call in kit.calls)
        assert not any(
            text in str(call) for call in kit.calls for text in ("90000001", created.external_id, "Recipient")
        )

    def test_no_answer_shows_the_persons_data(self, kit: Kit):
        warehouse = kit.warehouse()

        shown = f"{kit.order()} {warehouse.create(kit.order())} {warehouse.find(NUMBER)} {warehouse}"

        assert not any(part in shown.lower() for part in ("recipient", "test street", "buyer@example.com", "00000-"))

    @pytest.mark.parametrize("key", ["required", "sets_host"])
    def test_a_config_without_what_it_needs_is_refused(self, kit: Kit, key: str):
        for field in WAREHOUSES[kit.adapter].fields:
            if key == "required" and field.required and field.default is None:
                with pytest.raises(Misconfigured, match=field.key):
                    kit.warehouse(**{field.key: ""})
            if key == "sets_host" and field.sets_host:
                with pytest.raises(Misconfigured, match=field.key):
                    kit.warehouse(**{field.key: "http://example.com"})

    def test_only_one_field_decides_which_address_is_called(self, kit: Kit):
        fields = WAREHOUSES[kit.adapter].fields

        assert [field.key for field in fields if field.sets_host] == [kit.protocol.address[0]]
        assert any(field.secret for field in fields)
