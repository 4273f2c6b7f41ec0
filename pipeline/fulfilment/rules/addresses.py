"""The address of a box: that of this shipment, as it is now. No part of it comes from a customer or another shipment.

The checks are modest: a warehouse, or its carrier, has the last word about an address.
"""

from __future__ import annotations

import re

from pipeline.core.fulfilment import Address
from pipeline.fulfilment.rules.countries import find_country
from pipeline.fulfilment.rules.shipment import RawAddress

# Where mail does not arrive without these.
_STATES_NEEDED_IN = "AU BR CA CN IN MX MY US"
_ZIP_NEEDED_IN = (
    "AT AU BE BG BR CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IL IN IT JP KR LT LU LV MX MY NL NO NZ PL PT PR RO SE"
    " SG SI SK TH TR TW UA US VI ZA"
)
_NEEDS_STATE, _NEEDS_ZIP = frozenset(_STATES_NEEDED_IN.split()), frozenset(_ZIP_NEEDED_IN.split())
_ZIP_PATTERNS = {
    "US": re.compile(r"[0-9]{5}(?:[- ]?[0-9]{4})?"),
    "CA": re.compile(r"[A-Za-z][0-9][A-Za-z][- ]?[0-9][A-Za-z][0-9]"),
}


def build_address(raw: RawAddress | None, email: str = "") -> Address | tuple[str, ...]:
    """Return the address, its country as alpha-2, or the names of the fields that are missing or wrong.

    `email`: of the person who gets the parcel. Texts are put on one line, since a label has one for each.
    """
    if raw is None:
        return ("ship_address",)
    country = find_country(raw.country)
    address = Address(
        name=_join_lines(raw.to),
        company=_join_lines(raw.company),
        address1=_join_lines(raw.street),
        address2=_join_lines(raw.unit),
        city=_join_lines(raw.city),
        state=_join_lines(raw.state),
        zip=_join_lines(raw.zip),
        country=country or "",
        phone=_join_lines(raw.phone),
        email=email,
    )
    return tuple(_find_faults(address)) or address


def _find_faults(address: Address) -> list[str]:
    country = address.country
    is_present = {
        "name": bool(address.name or address.company),
        "street": bool(address.address1),
        "city": bool(address.city),
        "state": bool(address.state) or country not in _NEEDS_STATE,
        "zip_code": _is_zip(address.zip, country),
        "country": bool(country),
    }
    return [name for name, is_good in is_present.items() if not is_good]


def _is_zip(text: str, country: str) -> bool:
    if not text:
        return country not in _NEEDS_ZIP
    pattern = _ZIP_PATTERNS.get(country)
    return pattern is None or bool(pattern.fullmatch(text))


def _join_lines(text: str) -> str:
    return " ".join(text.split())
