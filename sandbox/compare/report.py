"""The result of a comparison: counts, differences that carry ids only, and whether they are acceptable."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class EventCount:
    """The counts of an event."""

    expected: int = 0
    arrived: int = 0
    missing: int = 0
    unexpected: int = 0
    twice: int = 0
    unpromised: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """An event of a person that did not arrive as expected."""

    kind: str
    event: str
    person: str
    subject_id: str
    count: int
    happenings: tuple[int, ...] = ()

    def as_json(self) -> Mapping[str, Any]:
        """Return the difference as the command prints it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class WrongPerson:
    """A person whose profile contradicts the truth."""

    person: str
    why: str

    def as_json(self) -> Mapping[str, Any]:
        """Return the person as the command prints it."""
        return {"person": self.person, "why": self.why}


@dataclass(frozen=True, slots=True)
class Offence:
    """Something of a withheld person that is at the platform, or an answer that is not."""

    kind: str
    person: str
    why: str

    def as_json(self) -> Mapping[str, Any]:
        """Return the offence as the command prints it."""
        return {"kind": self.kind, "person": self.person, "why": self.why}


@dataclass(slots=True)
class AnswerCount:
    """How many of the answers people gave the shop must be at the platform, and how many are."""

    due: int = 0
    arrived: int = 0


LEAK = "leak"
ANSWER_KINDS = ("asked_recipients", "consents", "survey_answers", "variants")
MAX_OFFENCES = 20  # printed


@dataclass(slots=True)
class Report:
    """The outcome of one comparison."""

    events: dict[str, EventCount] = field(default_factory=dict)
    people: int = 0
    gift_recipients: int = 0
    wrong_people: list[WrongPerson] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    out_of_order: int = 0
    withheld_people: int = 0
    undecided_people: int = 0
    answers: dict[str, AnswerCount] = field(default_factory=lambda: {kind: AnswerCount() for kind in ANSWER_KINDS})
    offences: list[Offence] = field(default_factory=list)

    def count(self, event: str) -> EventCount:
        """Return the counts of an event."""
        return self.events.setdefault(event, EventCount())

    @property
    def totals(self) -> Mapping[str, int]:
        """Return the sums over all events."""
        sums: Counter[str] = Counter(dict.fromkeys(EventCount.__dataclass_fields__, 0))
        for row in self.events.values():
            sums.update({name: getattr(row, name) for name in EventCount.__dataclass_fields__})
        return sums

    @property
    def leaks(self) -> int:
        """Return how often something of a withheld person was found."""
        return sum(offence.kind == LEAK for offence in self.offences)

    @property
    def is_clean(self) -> bool:
        """Return whether every promised event arrived once, every profile is right, and no one withheld is there."""
        totals = self.totals
        return not (totals["missing"] or totals["unexpected"] or totals["twice"] or self.wrong_people or self.leaks)

    @property
    def has_all_answers(self) -> bool:
        """Return whether all answers people gave the shop are in their profiles, each question under one name."""
        return all(offence.kind == LEAK for offence in self.offences)

    def as_json(self) -> Mapping[str, Any]:
        """Return the report as the command prints it."""
        totals = self.totals
        return {
            "events": {
                name: {column: getattr(row, column) for column in EventCount.__dataclass_fields__}
                for name, row in sorted(self.events.items())
            },
            "people": self.people,
            "gift_recipients": self.gift_recipients,
            "expected": totals["expected"],
            "delivered": totals["expected"] - totals["missing"],
            "missing": totals["missing"],
            "unexpected": totals["unexpected"],
            "twice": totals["twice"],
            "unpromised": totals["unpromised"],
            "wrong_people": [person.as_json() for person in self.wrong_people],
            "differences": [difference.as_json() for difference in self.differences],
            "out_of_order": self.out_of_order,
            "withheld_people": self.withheld_people,
            "undecided_people": self.undecided_people,
            "leaks": self.leaks,
            **{f"{kind}_due": counts.due for kind, counts in self.answers.items()},
            **{f"{kind}_arrived": counts.arrived for kind, counts in self.answers.items()},
            "offences": [offence.as_json() for offence in self.offences[:MAX_OFFENCES]],
        }
