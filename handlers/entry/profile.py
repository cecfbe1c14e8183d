"""The Cognito post-confirmation trigger: a user who has just confirmed the sign-up gets a profile.

Nothing that goes wrong here may lock the user out: Cognito would show the trigger's failure to somebody whose
account is confirmed already (Amazon Cognito: post confirmation Lambda trigger). So a failure is logged, and the
first `GET /api/users/me` makes the profile instead. The trigger may run twice; the second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handlers.adapters import aws_clients
from handlers.adapters.cognito.identities import account
from handlers.adapters.dynamodb.users import DynamoProfiles
from handlers.adapters.system import SystemClock
from handlers.core.shared.ports import Clock
from handlers.core.shared.timestamps import to_iso
from handlers.core.users.ports import ProfileStore
from handlers.core.users.profile_rules import first_profile
from handlers.entry import logs
from handlers.settings import ProfileSettings

_SIGN_UP = "PostConfirmation_ConfirmSignUp"


def trigger(profiles: Callable[[], ProfileStore], clock: Clock) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return the Lambda handler: makes the profile after a sign-up and gives Cognito its event back."""
    logger = logs.configure()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if event.get("triggerSource") != _SIGN_UP:
            return event
        attributes: Mapping[str, str] = event.get("request", {}).get("userAttributes") or {}
        try:
            made = profiles().create(first_profile(account(attributes), to_iso(clock.now())))
        except Exception:
            logger.exception("no profile was made for %s; the first users/me will", attributes.get("sub"))
        else:
            logs.info(logger, "profile", userId=attributes["sub"], made=made)
        return event

    return handle


@cache
def _profiles() -> DynamoProfiles:
    settings = ProfileSettings.load()
    return DynamoProfiles(
        client=aws_clients.client("dynamodb"),
        users_table=settings.users_table,
        search_table=settings.user_search_table,
    )


handle = trigger(_profiles, SystemClock())
