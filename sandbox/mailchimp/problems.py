"""Refusals as Mailchimp words them: a title, a detail and, for fields, what is wrong with each."""

from collections.abc import Iterable
from typing import Any

TYPES = {"url": "https://mailchimp.com/developer/marketing/docs/errors/", "relative": "/docs/errors/"}
SEE_ERRORS = "The resource submitted could not be validated. For field-specific details, see the 'errors' array."
MERGE_INVALID = "Your merge fields were invalid."
NOT_FOUND = "The requested resource could not be found."

# Only the messages of fields are in the account's language.
TRANSLATIONS = {
    "de": {
        "Please enter a value": "Bitte gib einen Wert ein.",
        "Please enter a number": "Bitte gib eine Zahl ein.",
        "Please enter the date": "Bitte gib das Datum ein.",
        "Please enter a complete address": "Bitte gib eine vollständige Adresse ein.",
        "Please enter a month (01-12) and a day (01-31)": "Bitte gib einen Monat (01-12) und einen Tag (01-31) ein.",
        "This value should not be blank.": "Dieser Wert sollte nicht leer sein.",
    },
}


class Problem(Exception):
    """A refusal. `errors`: field and message of each wrong field."""

    def __init__(
        self, status: int, title: str, detail: str, errors: Iterable[tuple[str, str]] = (), allow: str = ""
    ) -> None:
        """Refuse with a status."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.allow = allow

    def as_json(self, instance: str, locale: str = "en", type_form: str = "url") -> dict[str, Any]:
        """Return the document. `instance` is the id of the request."""
        words = TRANSLATIONS.get(locale, {})
        document: dict[str, Any] = {"type": TYPES[type_form]} if type_form in TYPES else {}
        document |= {"title": self.title, "status": self.status, "detail": self.detail, "instance": instance}
        if self.errors:
            document["errors"] = [{"field": field, "message": words.get(text, text)} for field, text in self.errors]
        return document


def invalid(detail: str = SEE_ERRORS, errors: Iterable[tuple[str, str]] = ()) -> Problem:
    """Return the refusal of what was submitted."""
    return Problem(400, "Invalid Resource", detail, errors)


def invalid_field(field: str, message: str) -> Problem:
    """Return the refusal because of one field."""
    return invalid(errors=[(field, message)])


def not_found(detail: str = NOT_FOUND) -> Problem:
    """Return that there is no such thing."""
    return Problem(404, "Resource Not Found", detail)


def not_json() -> Problem:
    """Return that the body could not be read."""
    return Problem(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error.")


def forgotten(address: str) -> Problem:
    """Return the refusal of an address that was permanently deleted."""
    why = "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
    return Problem(400, "Forgotten Email Not Subscribed", f"{address} {why}")


def member_exists(address: str) -> Problem:
    """Return that an address is in the audience already."""
    why = "is already a list member. Use PUT to insert or update list members."
    return Problem(400, "Member Exists", f"{address} {why}")


def in_compliance_state(address: str) -> Problem:
    """Return that the member cannot be subscribed by a call."""
    why = "is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    return Problem(400, "Member In Compliance State", f"{address} {why}")
