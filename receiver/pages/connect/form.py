"""The fields of the connect form: those of Cratejoy, those that each platform declares, and those of a new account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, Field, HiddenField, PasswordField, SelectField, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp, StopValidation

from pipeline.cratejoy.credentials import BASE_URL
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import Destination
from pipeline.destinations.base import Field as Declared
from pipeline.operations.connect import CURRENCY_PATTERN, STORE_NAME_PATTERN
from receiver.pages.config import MIN_PASSWORD_LENGTH

MAX_FIELD_LENGTH = 500  # characters; no key is nearly as long


class ConnectForm(FlaskForm):  # type: ignore[misc]  # neither library has types
    """What is asked of everybody. `form_for` adds the rest."""

    store = StringField(
        "Store name",
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
        description="The store's; Cratejoy's hooks name none.",
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
        description="You log in with it, and confirm it by mail.",
        validators=[InputRequired("You will log in with it.")],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        "Password",
        description=f"At least {MIN_PASSWORD_LENGTH} characters.",
        validators=[DataRequired("Please choose one.")],
        render_kw={"autocomplete": "new-password"},
    )
    attempt = HiddenField(default=lambda: secrets.token_hex(16))  # a form that is sent twice is known by it
    kept = HiddenField()
    submit = SubmitField("Connect")

    remembered: frozenset[str] = frozenset()  # the secrets that need not be typed again

    @property
    def first_wrong(self) -> str | None:
        """The field to go to: whoever cannot see the page need not look for it."""
        return next((field.name for field in self if field.errors), None)

    def declared(self, platform: str) -> list[Field]:
        """The platform's fields that are drawn."""
        names = (get_field_name(platform, field) for field in DESTINATIONS[platform].fields)
        return [self[name] for name in names if name in self]

    def config(self) -> dict[str, str]:
        """What was filled in for the platform that was chosen."""
        chosen = DESTINATIONS[self.platform.data]
        given = {field.key: get_field_name(chosen.platform, field) for field in chosen.fields}
        return {key: self[name].data for key, name in given.items() if name in self and self[name].data}

    def blame(self, name: str, text: str) -> None:
        """Put an error next to a field."""
        field = self[name]
        field.errors = [*field.errors, text]


def build_form(accounts: Mapping[int, str] | None, *, anywhere: bool) -> ConnectForm:
    """The form as it is drawn. `accounts`: those the merchant owns; None: nobody is logged in."""
    platforms = [cls for _, cls in sorted(DESTINATIONS.items())]
    added = {
        get_field_name(cls.platform, field): _build_field(cls, field)
        for cls in platforms
        for field in cls.fields
        if anywhere or not field.sets_host
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


def get_field_name(platform: str, field: Declared) -> str:
    """A platform's field on the page: two platforms may both want an `api_key`."""
    return f"{platform}-{field.key}"


def _build_field(cls: type[Destination], field: Declared) -> Any:
    common: dict[str, Any] = {
        "description": field.help,
        "validators": [_require_if_chosen(cls.platform, field), Length(max=MAX_FIELD_LENGTH)],
    }
    if field.choices:
        named = [(choice, choice) for choice in field.choices]
        return SelectField(field.label, choices=named, default=field.default, **common)
    if field.secret:
        return PasswordField(field.label, render_kw={"autocomplete": "off"}, **common)
    return StringField(field.label, default=field.default, **common)


def _require_if_chosen(platform: str, field: Declared) -> Callable[[ConnectForm, Field], None]:
    """A field of a platform that was not chosen is of no interest, whatever it holds."""

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
