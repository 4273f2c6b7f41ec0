"""A withheld person's name is a leak, but for one that a giver has written beside the giver's own address."""

from __future__ import annotations

import pytest

from sandbox.compare.leaks import find_leaked_data
from sandbox.compare.profiles import Profile

WITHHELD = {"customer_id": 9, "email": "dana@example.net", "first_name": "Dana-Pigira", "last_name": "", "name": ""}


def giver(email):
    card = {"gift_recipient_email": email, "gift_recipient_name": "Dana-Pigira Buyer"}
    event = {"name": "order_new", "data": {"order": {"order_gift_info": card}}}
    return Profile("cio_1", "cj_7", "jose@example.org", {}, [event])


@pytest.mark.parametrize(("email", "leaks"), [("jose@example.org", 0), ("another@example.org", 1)])
def test_a_name_on_a_card_to_oneself_leads_to_no_other_person(email, leaks):
    assert len(find_leaked_data([WITHHELD], [], [giver(email)])) == leaks
