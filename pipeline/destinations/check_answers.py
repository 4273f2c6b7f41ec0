"""What the answer to the check of a connection means, where any status of 200 to 299 is success."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.core.errors import BadCredentials, Unreachable, WrongAddress
from pipeline.infra.http.client import HTTPResponse
from pipeline.infra.http.faults import NOT_PUBLIC

_REFUSED = frozenset({401, 403})
_REDIRECTED, _SUCCEEDED = 3, 2  # first digits


def require_success(
    response: HTTPResponse, *, not_public: str, refused: str, absent: str, absent_statuses: Collection[int]
) -> None:
    """Raise BadCredentials, WrongAddress or Unreachable unless the check succeeded.

    `not_public`, `refused` and `absent` say what is wrong with the address or the key, in the platform's words;
    `absent_statuses` mean that the platform is not at this address.
    """
    if response.status is None:
        if response.error == NOT_PUBLIC:
            raise WrongAddress(f"{not_public}, and may only be called for trying out")
        raise Unreachable(f"no answer: {response.error}")
    if response.status in _REFUSED:
        raise BadCredentials(f"{refused} ({response.status})")
    if response.status in absent_statuses or response.status // 100 == _REDIRECTED:
        raise WrongAddress(f"{absent} ({response.status})")
    if response.status // 100 != _SUCCEEDED:
        raise Unreachable(f"the check was answered with {response.status}")
