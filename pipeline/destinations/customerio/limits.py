"""Customer.io's limits, in bytes of UTF-8.

Customer.io docs, Track API: the limits say KB without saying which, so a KB is taken as 1000 bytes.
"""

from __future__ import annotations

MAX_CALL_ITEMS = 400  # none is documented; connectors send 50 to 1000
MAX_CALL_BYTES = 450_000  # the documented limit is 500 kB
MAX_RESPONSE_BYTES = 1000 * MAX_CALL_ITEMS  # our own limit: enough if every item is refused for several reasons
MAX_ITEM_BYTES = 32_000  # of a v2 operation with its envelope
MAX_EVENT_DATA_BYTES = 100_000  # v1 only
MAX_IDENTIFIER_BYTES = 150
MAX_ATTRIBUTES = 300
MAX_ATTRIBUTE_NAME_BYTES = 150
MAX_ATTRIBUTE_VALUE_BYTES = 1000
MAX_EVENT_NAME_BYTES = 100
