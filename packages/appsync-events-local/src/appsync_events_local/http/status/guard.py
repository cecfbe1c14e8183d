"""Who may read the status page: people on this machine, and no web page of another origin.

The page needs no token, so that a browser can open it; in exchange it never shows keys or tokens, and payloads only
with `--show-payloads`. A page elsewhere on the web can make the browser ask, but gets no answer it can read: its
requests say where they come from, and a name that was rebound to this machine is no loopback name.
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
"""What the browser must not do with the page, even if something slips into it."""


def refusal_of(request: web.Request) -> str | None:
    """Why this request gets no answer; `None` if it does."""
    if not _is_loopback(request.remote):
        return "the status page is for this machine only"
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
    """Whether a link was followed: the page that has the link does not see what opens."""
    fetched = request.headers
    return fetched.get("Sec-Fetch-Mode") == "navigate" and fetched.get("Sec-Fetch-Dest") == "document"
