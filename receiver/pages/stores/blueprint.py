"""The blueprint of the overview and of each store's page."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("home", __name__)
