"""Amounts as text, in the store's currency."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision


def format_money(minor_units: int, currency: str) -> str:
    """Return an amount with its currency: `USD 48.00`, `JPY 4,800`. How many minor units there are is CLDR's answer."""
    amount = Decimal(minor_units).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, "¤¤ #,##0.00", locale="en")
