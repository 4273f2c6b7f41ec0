"""What switches may be set to. A switch is refused by its name or by its value."""

from collections.abc import Callable, Mapping

Rule = Callable[[object], bool]


class UnknownSwitch(ValueError):
    """The requested switch or value does not exist."""


def one_of(*choices: object) -> Rule:
    """Return the rule that a value is one of these, and of the same type."""
    return lambda value: any(value == choice and type(value) is type(choice) for choice in choices)


def is_flag(value: object) -> bool:
    """Is it true or false?"""
    return isinstance(value, bool)


def is_whole_number(value: object) -> bool:
    """Is it a whole number? True and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_switches(rules: Mapping[str, Rule], wanted: Mapping[str, object]) -> None:
    """Raise UnknownSwitch for the first switch that there is not, or that cannot be this."""
    for name, value in wanted.items():
        if name not in rules:
            raise UnknownSwitch(f"there is no switch {name!r}; there are {', '.join(rules)}")
        if not rules[name](value):
            raise UnknownSwitch(f"switch {name!r} cannot be {value!r}")
