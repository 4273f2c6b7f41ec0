"""Security headers of every page: no content from other sites, no caching, no frames."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:; "  # the QR code of a second factor
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the CSRF check of forms sent over https needs it
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_YEAR_S = 31_536_000
_DAY_S = 86_400


def add_headers(app: Flask, *, https: bool) -> None:
    """Add the headers to every response."""

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(HEADERS)
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
        still = request.endpoint == "static" and response.status_code < 400  # noqa: PLR2004 - HTTP's border
        response.headers["Cache-Control"] = f"public, max-age={_DAY_S}" if still else "no-store"
        return response
