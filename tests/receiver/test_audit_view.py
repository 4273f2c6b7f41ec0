"""An action of the audit log in words."""

from __future__ import annotations

from receiver.audit_view import describe_about


def test_what_an_action_was_about_is_listed_by_name():
    assert describe_about({"person": 12, "messages": 64, "kinds": ["event", "profile"]}) == (
        "kinds event profile, messages 64, person 12"
    )


def test_a_platform_is_shown_by_its_title():
    assert describe_about({"platform": "customerio", "key": "api_key"}) == "key api_key, platform Customer.io"
    assert describe_about({"platform": "unknown"}) == "platform unknown"
