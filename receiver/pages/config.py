"""The settings of Flask and Flask-Security, with the reasons for values that differ from the default."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pipeline.ledger.log_ins import LOG_IN_TTL_US
from pipeline.settings import Settings
from receiver.pages.auth.keys import AUTHENTICATOR_KEYS, RECOVERY_CODE_KEYS, derive_keys, fingerprint_of_key
from receiver.pages.db_session import get_context

MIN_PASSWORD_LENGTH = 10
MAX_FORM_BYTES = 64 * 1024


def build_config(settings: Settings) -> dict[str, Any]:
    """Build the configuration of the pages."""
    https = settings.public_url.startswith("https://")
    signing, *older = derive_keys(settings.secret_keys, "sessions and links")
    return {
        "SECRET_KEY": signing,
        "SECRET_KEY_FALLBACKS": older,
        "MAX_CONTENT_LENGTH": MAX_FORM_BYTES,
        # Browsers send a cookie with this prefix only to this exact host (RFC 6265bis).
        "SESSION_COOKIE_NAME": "__Host-cratewire" if https else "cratewire",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # with Strict, users who follow a link in a mail would appear logged out
        "REMEMBER_COOKIE_NAME": "__Host-cratewire-remember" if https else "cratewire-remember",
        "REMEMBER_COOKIE_SECURE": https,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_DURATION": timedelta(microseconds=LOG_IN_TTL_US),
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session, so that a form can stay open for long
        **_build_security_config(settings),
        **_build_password_config(),
        **_build_second_factor_config(settings, https=https),
    }


def _build_security_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECURITY_REGISTERABLE": settings.registration == "open",
        "SECURITY_CONFIRMABLE": True,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_CHANGE_EMAIL": True,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,  # does not reveal who has an account
        "SECURITY_API_ENABLED_METHODS": ["session"],  # no tokens: they stay valid after a log-out
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_DATETIME_FACTORY": lambda: get_context().now(),  # times in µs, as in the ledger
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("The address, the password or the code is wrong.", "error"),
        "SECURITY_MSG_UNAUTHENTICATED": ("Please log in first.", "info"),
        "SECURITY_MSG_PASSWORD_RESET_NO_LOGIN": ("Your password has been changed. Please log in with it.", "success"),
        "SECURITY_LOGOUT_METHODS": ["POST"],  # so that links and images on other sites cannot log users out
        "SECURITY_POST_LOGIN_VIEW": "home.show",
        "SECURITY_POST_LOGOUT_VIEW": "security.login",
        "SECURITY_POST_CONFIRM_VIEW": "security.login",
        "SECURITY_POST_REGISTER_VIEW": "security.login",
        "SECURITY_POST_RESET_VIEW": "security.login",
        "SECURITY_POST_CHANGE_VIEW": "account.show",
        "SECURITY_POST_CHANGE_EMAIL_VIEW": "account.show",
        "SECURITY_CHANGE_EMAIL_ERROR_VIEW": "account.show",
        "SECURITY_CLI_USERS_NAME": False,
        "SECURITY_CLI_ROLES_NAME": False,
        "SECURITY_EMAIL_HTML": False,
        "SECURITY_EMAIL_SENDER": settings.mail_from,
        "SECURITY_EMAIL_SUBJECT_REGISTER": "Please confirm your address",
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},  # no slow DNS queries
        "SECURITY_STATIC_FOLDER": None,  # its scripts are only for features that are off
    }


def _build_password_config() -> dict[str, Any]:
    return {
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        # Hashed once: a second hash with a key of ours would make every password depend on that key.
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        "SECURITY_PASSWORD_LENGTH_MIN": MIN_PASSWORD_LENGTH,
        # Hashes the content of links in mails. Only their recipient sees it, and the default takes a
        # quarter of a second during which, from Python 3.13 on, no hook is answered.
        "SECURITY_HASHING_SCHEMES": ["hex_sha256"],
    }


def _build_second_factor_config(settings: Settings, *, https: bool) -> dict[str, Any]:
    return {
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,  # a code by mail would not be a second factor
        "SECURITY_TWO_FACTOR_VALIDITY_COOKIE": {"httponly": True, "secure": https, "samesite": "Strict"},
        "SECURITY_TOTP_ISSUER": "Cratewire",
        "SECURITY_TOTP_SECRETS": {
            fingerprint_of_key(key): key for key in derive_keys(settings.secret_keys, AUTHENTICATOR_KEYS)
        },
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": derive_keys(settings.secret_keys, RECOVERY_CODE_KEYS),
    }
