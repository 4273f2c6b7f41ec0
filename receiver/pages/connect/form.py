"""The fields of the connect form: Cratejoy's, those that each platform declares, and those of a new account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Regexp, StopValidation

from pipeline.core.form_fields import Field as DeclaredField
from pipeline.cratejoy.credentials import BASE_URL
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import Destination
from pipeline.operations.connect import CURRENCY_PATTERN, STORE_NAME_PATTERN
from receiver.pages.config import MIN_PASSWORD_LENGTH
from receiver.pages.connect.origins import OriginQuestions

MAX_FIELD_LENGTH = 500  # characters; every key is much shorter
MAX_DOCUMENT_LENGTH = 64_000  # characters


STEPS: Mapping[str, tuple[str, ...]] = {
    "shop": ("store", "currency", "account_id"),
    "cratejoy": ("client_id", "client_secret", "cratejoy_url"),
    "platform": (),  # the fields that the chosen platform declares
    "account": ("email", "password"),
}


class ConnectForm(FlaskForm):  # type: ignore[misc]  # neither library has types
    """The common fields. `build_form` adds those of the platforms."""

    store = StringField(
        "Shop name",
        description="Yours to choose: lower-case letters, digits and hyphens. It cannot be changed later.",
        filters=[lambda text: (text or "").strip().lower()],
        validators=[
            InputRequired("Please choose a name."),
            Regexp(
                rf"{STORE_NAME_PATTERN.pattern}\Z",
                message="Only 1 to 63 lower-case letters, digits and hyphens, and no hyphen first.",
            ),
        ],
    )
    currency = StringField(
        "Currency",
        default="USD",
        description="The shop's currency, which Cratejoy's hooks do not name.",
        filters=[lambda text: (text or "").strip().upper()],
        validators=[Regexp(rf"{CURRENCY_PATTERN.pattern}\Z", message="Three letters, such as USD.")],
    )
    client_id = StringField("Client ID", validators=[DataRequired("Cratejoy shows it beside the Client Secret.")])
    client_secret = PasswordField(
        "Client Secret",
        validators=[DataRequired("Cratejoy shows it beside the Client ID.")],
        render_kw={"autocomplete": "off"},
    )
    cratejoy_url = StringField("Address of the Merchant API", default=BASE_URL)
    platform = SelectField("Platform")
    account_id = SelectField("Account", coerce=int)
    email = EmailField(
        "Mail address",
        description="You log in with it. We send a mail to confirm it.",
        validators=[InputRequired("Please enter your mail address.")],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        "Password",
        description=f"At least {MIN_PASSWORD_LENGTH} characters.",
        validators=[DataRequired("Please choose a password.")],
        render_kw={"autocomplete": "new-password"},
    )
    attempt = HiddenField(default=lambda: secrets.token_hex(16))  # identifies a form that is sent twice
    kept = HiddenField()
    customers = HiddenField()  # how many the store has, once Cratejoy has said so; only shown
    reads_customers = RadioField(
        "When shall the customers be read?",
        choices=[("now", "Now"), ("later", "I will start it later, on the shop's page")],
        validators=[InputRequired("Please choose one.")],
    )
    submit = SubmitField("Connect")

    remembered: frozenset[str] = frozenset()  # the secrets that need not be entered again
    checked: Mapping[str, str] = {}  # step -> what its check found
    failed: Mapping[str, str] = {}  # step -> why its check did not come to an end
    questions: OriginQuestions | None = None  # about the last orders, once they were read

    @property
    def first_invalid(self) -> str | None:
        """The name of the first invalid field, which gets the focus."""
        return next((field.name for field in self if field.errors), None)

    def step_fields(self, step: str) -> list[Field]:
        """Return the fields of a step that are in the form."""
        if step == "platform":
            chosen = self.platform_fields(self.platform.data) if self.platform.data in DESTINATIONS else []
            return [self.platform, *chosen] if len(self.platform.choices) > 1 else chosen
        return [self[name] for name in STEPS[step] if name in self]

    def platform_fields(self, platform: str) -> list[Field]:
        """Return the platform's fields that are in the form."""
        names = (get_field_name(platform, field) for field in DESTINATIONS[platform].fields)
        return [self[name] for name in names if name in self]

    def config(self) -> dict[str, str]:
        """Return the chosen platform's configuration as filled in."""
        chosen = DESTINATIONS[self.platform.data]
        names = {field.key: get_field_name(chosen.platform, field) for field in chosen.fields}
        return {key: self[name].data for key, name in names.items() if name in self and self[name].data}

    def add_error(self, name: str, text: str) -> None:
        """Add an error to a field."""
        field = self[name]
        field.errors = [*field.errors, text]


def build_form(accounts: Mapping[int, str] | None, *, anywhere: bool) -> ConnectForm:
    """Build the form. `accounts`: those that the merchant owns; None if no user is logged in."""
    platforms = [cls for _, cls in sorted(DESTINATIONS.items())]
    added = {
        get_field_name(cls.platform, field): _build_field(cls, field)
        for cls in platforms
        for field in cls.fields
        if not field.is_found and (anywhere or not field.sets_host)
    }
    form: ConnectForm = type("DrawnConnectForm", (ConnectForm,), added)()
    form.platform.choices = [(cls.platform, cls.title) for cls in platforms]
    if len(platforms) == 1:
        form.platform.data = platforms[0].platform
    _remove_fields(form, [] if anywhere else ["cratejoy_url"])
    _remove_fields(form, ["account_id"] if len(accounts or ()) < 2 else [])  # noqa: PLR2004 - a choice needs two
    _remove_fields(form, [] if accounts is None else ["email", "password"])
    if accounts and "account_id" in form:
        form.account_id.choices = list(accounts.items())
    return form


def get_field_name(platform: str, field: DeclaredField) -> str:
    """Return the form's name for a platform's field; two platforms may both have an `api_key`."""
    return f"{platform}-{field.key}"


def _build_field(cls: type[Destination], field: DeclaredField) -> Any:
    common: dict[str, Any] = {
        "description": field.help,
        "validators": [
            _require_if_chosen(cls.platform, field),
            Length(max=MAX_DOCUMENT_LENGTH if field.is_document else MAX_FIELD_LENGTH),
        ],
    }
    if field.choices:
        choices = [(choice, choice) for choice in field.choices]
        return SelectField(field.label, choices=choices, default=field.default, **common)
    if field.secret:
        return PasswordField(field.label, render_kw={"autocomplete": "off"}, **common)
    if field.is_document:
        return TextAreaField(field.label, render_kw={"rows": 14, "spellcheck": "false"}, **common)
    return StringField(field.label, default=field.default, **common)


def _require_if_chosen(platform: str, field: DeclaredField) -> Callable[[ConnectForm, Field], None]:
    """Build a validator that ignores the fields of platforms that were not chosen."""

    def check(form: ConnectForm, drawn: Field) -> None:
        if form.platform.data != platform:
            drawn.errors = []
            raise StopValidation
        if field.required and not (drawn.data or "").strip():
            raise StopValidation(f"{field.label} is missing.")

    return check


def _remove_fields(form: ConnectForm, names: list[str]) -> None:
    for name in names:
        del form[name]
