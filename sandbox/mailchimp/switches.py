"""What the documentation leaves open, or what differs between accounts, as switches: the likeliest setting first."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.switch_rules import Rule, check_switches, is_flag, is_whole_number, one_of


@dataclass
class Switches:
    """How the account is, and how open questions are answered."""

    locale: str = "en"  # of the messages of fields
    problem_type: str = "url"  # of an error: documented to be missing, relative or another text as well
    premium: bool = False  # 80 fields instead of 30
    counts_email_field: bool = False  # is EMAIL one of the 30?
    reject_fake: bool = False  # the real API refuses example.com
    requires_https: bool = False
    unknown_tags: str = "ignored"  # merge fields that there are not; one report says they are refused
    put_on_archived: str = "stays"  # does a PUT with `status_if_new` alone bring an archived member back?
    address_change: str = "subscribed"  # whose address can be changed
    resubscribe: bool = True  # can who was unsubscribed by a call or by the merchant be subscribed by a call?
    batch_params_on_writes: bool = True  # the guide speaks of GET alone, the schema of every operation
    batch_states_per_poll: int = 1
    event_delay_s: int = 0  # until a stored event can be read

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Set all of `wanted`, or raise UnknownSwitch and set nothing."""
        check_switches(RULES, wanted)
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Return every switch."""
        return asdict(self)


RULES: Mapping[str, Rule] = {
    "locale": one_of("en", "de"),
    "problem_type": one_of("url", "relative", "missing"),
    "premium": is_flag,
    "counts_email_field": is_flag,
    "reject_fake": is_flag,
    "requires_https": is_flag,
    "unknown_tags": one_of("ignored", "refused"),
    "put_on_archived": one_of("stays", "returns"),
    "address_change": one_of("subscribed", "any"),
    "resubscribe": is_flag,
    "batch_params_on_writes": is_flag,
    "batch_states_per_poll": is_whole_number,
    "event_delay_s": is_whole_number,
}
