"""People who do not exist, with names as typed by real ones: accents, emoji, quotes, double blanks, no surname."""

import random
from dataclasses import dataclass

FIRST = (
    "Dana", "Robin", "Zoë", "José", "Anaïs", "Łukasz", "Mary Ann", "Siobhán", "Priya", "Wei", "Olu", "Kim", "Jürgen",
    "Aiko", "Noor", "Sam", "Tess 🌸", "Björk", "D'Arcy", "Renée", "Ivy", "Hugo", "Mila", "Omar", "Greta", "Jean-Luc",
)  # fmt: skip
LAST = (
    "Buyer", "Receiver", "O'Neil", "Nuñez", "van der Berg", "Müller", "Smith", "Okafor", "Åström", "Li", "García López",
    'Lane "Lou"', "Šimůnek", "Hall-Moss", "Iyer", "Çelik", "Brown", "Dubois", "Kowalska", "Tan", "Fox 🦊", "St. James",
)  # fmt: skip
DOMAINS = ("example.com", "example.org", "example.net")
STREETS = ("Example St", "Sample Ave", "Invention Rd", "Placeholder Ln", "Nowhere Blvd", "Fiction Ct")
PLACES = (
    ("Austin", "TX", "78701", "US", "United-States.png"),
    ("Portland", "OR", "97201", "US", "United-States.png"),
    ("Boise", "ID", "83702", "US", "United-States.png"),
    ("Montréal", "QC", "H2X 1Y4", "CA", "Canada.png"),
    ("Savannah", "GA", "31401", "US", "United-States.png"),
    ("Leeds", "", "LS1 4AP", "GB", "United-Kingdom.png"),
    ("Duluth", "MN", "55802", "US", "United-States.png"),
)


SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
MARK_STRIDE = 7919  # prime, so that the words repeat only after all of them

# Shares of people.
NO_SURNAME, CAPITAL_EMAIL, DOUBLE_BLANK, TRAILING_BLANK = 0.04, 0.05, 0.06, 0.03


@dataclass(frozen=True)
class Person:
    """A person as they fill in a form."""

    first: str
    last: str | None
    name: str
    email: str


def fold_email(email: str) -> str:
    return email.strip().casefold()


class PersonGenerator:
    """Invents people whose e-mail addresses never meet, not even when case-folded.

    While `marks_names` is set, first and last names end in a word that no other name has: `Zoë-Bakuzo`. A single word
    anywhere then shows whose name it is.
    """

    def __init__(self) -> None:
        self.marks_names = False
        self._marks = 0
        self._taken: set[str] = set()

    def generate(self, rng: random.Random) -> Person:
        first, last = rng.choice(FIRST), rng.choice(LAST) if rng.random() > NO_SURNAME else None
        if self.marks_names:
            first, last = f"{first}-{self._mark()}", last and f"{last}-{self._mark()}"
        return Person(first, last, write_full_name(first, last, rng), self._address(first, last, rng))

    def _mark(self) -> str:
        self._marks += 1
        number, word = self._marks * MARK_STRIDE % len(SYLLABLES) ** 3, ""
        for _ in range(3):
            number, place = divmod(number, len(SYLLABLES))
            word += SYLLABLES[place]
        return word.title()

    def _address(self, first: str, last: str | None, rng: random.Random) -> str:
        local = ".".join(filter(None, (ascii_letters_of(first), ascii_letters_of(last or ""))))
        local = rng.choice((local, f"{local}+box", f"{local}{rng.randrange(100)}"))
        email, suffix = f"{local}@{rng.choice(DOMAINS)}", 1
        while fold_email(email) in self._taken:
            suffix += 1
            email = f"{local}.{suffix}{rng.randrange(1000)}@{rng.choice(DOMAINS)}"
        self._taken.add(fold_email(email))
        return email.title() if rng.random() < CAPITAL_EMAIL else email


def ascii_letters_of(text: str) -> str:
    """The plain letters of a name, for an e-mail address."""
    return "".join(char for char in text.casefold() if char.isascii() and char.isalpha()) or "x"


def write_full_name(first: str, last: str | None, rng: random.Random) -> str:
    """The name as one text; some shops store double and trailing blanks in it."""
    blank = "  " if rng.random() < DOUBLE_BLANK else " "
    name = blank.join(filter(None, (first, last)))
    return f"{name} " if rng.random() < TRAILING_BLANK else name


def draw_place(rng: random.Random) -> dict[str, str]:
    city, state, zip_code, country, icon = rng.choice(PLACES)
    return {
        "city": city,
        "state": state,
        "zip_code": zip_code,
        "country": country,
        "icon": icon,
        "street": f"{rng.randrange(1, 999)} {rng.choice(STREETS)}",
        "unit": rng.choice(("", "", "Apt 3", "#12", "2nd floor")),
    }
