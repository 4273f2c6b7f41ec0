"""Error pages. They reveal no details."""

from __future__ import annotations

import structlog
from flask import Flask, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

log = structlog.get_logger(__name__)

ERROR_TEXTS = {  # status -> heading, text
    400: ("That did not work", "The form was incomplete. Please go back and try again."),
    403: ("Not allowed", "Your role does not allow this. An owner of the account can change it."),
    404: ("Not found", "There is nothing at this address, or it is not yours to see."),
    405: ("Not found", "There is nothing at this address, or it is not yours to see."),
    413: (
        "Too large",
        "What was sent is too large: a form takes 64 kB, a file of a warehouse 10 MB. Nothing was done.",
    ),
    429: ("Too many tries", "Too many forms were sent from your network. Please wait a minute."),
    500: ("Something went wrong", "The error has been logged. Please try again."),
    503: (
        "Not available",
        "The database does not answer at the moment. Hooks are still accepted. Please try again later.",
    ),
}


def add_error_pages(app: Flask) -> None:
    """Register a page for every error."""
    app.register_error_handler(CSRFError, _handle_csrf)
    app.register_error_handler(HTTPException, _handle_http)
    app.register_error_handler(SQLAlchemyError, _handle_database_error)
    app.register_error_handler(InternalServerError, _handle_exception)


def _handle_http(error: Exception) -> ResponseReturnValue:
    if isinstance(error, HTTPException) and error.response is not None:
        return error.response
    return _render_error(getattr(error, "code", None) or 500)


def _handle_csrf(_error: Exception) -> ResponseReturnValue:
    heading, text = "This form has expired", "Please go back, load the page again, and send the form once more."
    return render_template("error.html", heading=heading, text=text), 400


def _handle_database_error(error: Exception) -> ResponseReturnValue:
    log.error("a page could not use the database", error=type(error).__name__)
    return _render_error(503)


def _handle_exception(error: Exception) -> ResponseReturnValue:
    log.error("a page failed", exc_info=getattr(error, "original_exception", None) or error)
    return _render_error(500)


def _render_error(status: int) -> ResponseReturnValue:
    ours = status >= 500  # noqa: PLR2004 - HTTP's border
    heading, text = ERROR_TEXTS.get(status, ERROR_TEXTS[500 if ours else 400])
    if ours:
        # Without the layout: it needs the current user, and loading the user may be what fails.
        return current_app.jinja_env.get_template("fault.html").render(heading=heading, text=text), status
    return render_template("error.html", heading=heading, text=text), status
