"""Names of callers for the log and the status page."""

from collections.abc import Mapping
from typing import Any


def caller_name(identity: Mapping[str, Any] | None) -> str:
    """The caller's name, from `ctx.identity`; `None` is a caller with an API key."""
    if identity is None:
        return "an API key"
    if "handlerContext" in identity:
        return "a caller accepted by the authorizer"
    return str(identity.get("userArn") or identity.get("username") or identity.get("sub"))
