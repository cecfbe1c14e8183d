"""The Cognito post-confirmation trigger, which creates the profile of a user who has confirmed the sign-up.

The trigger never fails: Cognito would report its error to the user, whose account is already confirmed (Amazon Cognito:
post confirmation Lambda trigger). It logs the error instead, and the first `GET /api/users/me` creates the profile.
Cognito may invoke the trigger twice; the second run changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters import aws_clients
from handlers.adapters.cognito.identity_provider import account
from handlers.adapters.dynamodb.users import DynamoProfileStore
from handlers.adapters.system import SystemClock
from handlers.core.shared.ports import Clock
from handlers.core.shared.timestamps import to_iso
from handlers.core.users.ports import ProfileStore
from handlers.core.users.profile_rules import first_profile
from handlers.entry import logs
from handlers.settings import ProfileSettings

_SIGN_UP = "PostConfirmation_ConfirmSignUp"


def trigger(profiles: Callable[[], ProfileStore], clock: Clock) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler, which creates the profile after a sign-up and returns the event to Cognito."""
    logger = logs.configure()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if event.get("triggerSource") != _SIGN_UP:
            return event
        attributes: Mapping[str, str] = event.get("request", {}).get("userAttributes") or {}
        try:
            created = profiles().create(first_profile(account(attributes), to_iso(clock.now())))
        except Exception:
            logger.exception(
                "profile creation failed for %s; the first GET /api/users/me creates it", attributes.get("sub")
            )
        else:
            logs.info(logger, "profile", userId=attributes["sub"], created=created)
        return event

    return handle


@cache
def _profiles() -> DynamoProfileStore:
    settings = ProfileSettings.load()
    return DynamoProfileStore(
        client=aws_clients.client("dynamodb"),
        users_table=settings.users_table,
        search_table=settings.user_search_table,
    )


handle = trigger(_profiles, SystemClock())
