"""The URLs of the Merchant API: those that we build, and those in its responses, which must not lead to another host.

Every URL ends with a slash before its query. `next` and links are joined, never computed: Cratejoy's documents and
captures disagree on whether pages count from 0 or from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit, urlunsplit

from pipeline.core.errors import BadResponse

_PORTS = {"http": 80, "https": 443}


def build_url(base_url: str, path: str, query: Mapping[str, str] | None = None) -> str:
    """The URL of a collection ("customers"), an element ("customers/7") or a relation ("customers/7/addresses")."""
    return f"{base_url}{quote(path.strip('/'))}/{_encode_query(query or {})}"


def change_version(base_url: str, version: str) -> str:
    """The base URL of another version of the API: `v1.1` beside `v1`."""
    return f"{base_url.rstrip('/').rpartition('/')[0]}/{version}/"


def build_query(filters: Mapping[str, str], with_: Sequence[str], limit: int | None) -> dict[str, str]:
    """A query: filters in Cratejoy's spelling, relations to embed, and the number of objects."""
    return {
        **filters,
        **({"with": ",".join(with_)} if with_ else {}),
        **({} if limit is None else {"limit": str(limit)}),
    }


def resolve_next_page(collection_url: str, next_link: str) -> str:
    """The URL of a page, from the collection's URL and a `next`: a query, a path or a whole URL. Raises BadResponse."""
    found = _join_same_host(collection_url, next_link)
    if _strip_slash(found.path) != _strip_slash(urlsplit(collection_url).path):
        raise BadResponse("the address of the next page leads to something else")
    return urlunsplit(found._replace(path=urlsplit(collection_url).path))


def extract_query(url: str) -> str:
    """The part of a page's URL that is stored: the query with its question mark."""
    return f"?{urlsplit(url).query}"


def resolve_link(base_url: str, link: str) -> str:
    """The URL that a relation's link leads to: a path, or a whole URL of the same host. Raises BadResponse."""
    found = _join_same_host(base_url, link)
    return urlunsplit(found._replace(path=f"{_strip_slash(found.path)}/"))


def _join_same_host(base_url: str, link: str) -> SplitResult:
    """Join a link to its base. Every request carries the keys, so no response may lead to another host."""
    base = urlsplit(base_url)
    try:
        found = urlsplit(urljoin(base_url, link.strip()))
        own_port = base.port or _PORTS[base.scheme]
        is_same_host = found.hostname == base.hostname and found.port in (None, own_port)
    except ValueError:
        raise BadResponse("an address in the answer is malformed") from None
    if not is_same_host or found.scheme not in _PORTS:
        raise BadResponse("an address in the answer leads to another host")
    # Samples in the documents have http: scheme and host are taken from our own URL.
    return found._replace(scheme=base.scheme, netloc=base.netloc, fragment="")


def _strip_slash(path: str) -> str:
    return path.rstrip("/")


def _encode_query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query, quote_via=quote)}" if query else ""
