"""Restricts the status page to browsers on this machine, and refuses web pages of other origins.

The page needs no token, so that a browser can open it; therefore it never shows keys or tokens, and payloads only with
`--show-payloads`. A web page of another origin cannot read it: its requests carry their origin (`Origin`,
`Sec-Fetch-Site`), and a DNS name rebound to this machine is not a loopback name.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from appsync_events_local.model.auth_providers import LOOPBACK_NAMES

OWN_SITES: Final = frozenset({"same-origin", "none"})
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Restrictions for the browser, as a second line of defence against injected content."""


def refusal_of(request: web.Request) -> str | None:
    """Return the reason for refusing this request; `None` if it is allowed."""
    if not _is_loopback(request.remote):
        return "the status page is available on this machine only"
    name = urlsplit(f"//{request.host}").hostname
    if name not in LOOPBACK_NAMES:
        return f"open the status page by a loopback name, not by {request.host}"
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return f"pages of {origin} may not read the status page"
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in OWN_SITES and not _opens_a_page(request):
        return "pages of other sites may not read the status page"
    return None


def _is_loopback(remote: str | None) -> bool:
    try:
        return remote is not None and ip_address(remote).is_loopback
    except ValueError:
        return False


def _opens_a_page(request: web.Request) -> bool:
    """Return whether a user followed a link; the page with the link cannot read the opened page."""
    fetched = request.headers
    return fetched.get("Sec-Fetch-Mode") == "navigate" and fetched.get("Sec-Fetch-Dest") == "document"
