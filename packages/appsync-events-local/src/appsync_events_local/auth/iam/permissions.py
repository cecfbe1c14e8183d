"""Checks the IAM permissions of a signer at a decision endpoint (`--permissions`).

AWS AppSync Events, "Configuring authorization": `appsync:EventConnect` on the API, `appsync:EventSubscribe` and
`appsync:EventPublish` on the channel namespace, which is the finest resource.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp

from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.errors import ACCESS_DENIED, Refusal, internal_failure
from appsync_events_local.model.api import Api

_ACTIONS: Final = {
    EventOperation.CONNECT: "appsync:EventConnect",
    EventOperation.SUBSCRIBE: "appsync:EventSubscribe",
    EventOperation.PUBLISH: "appsync:EventPublish",
}
_CACHE_SECONDS: Final = 5.0
"""How long an allowed decision is cached; on AWS, too, a changed policy takes effect after some seconds."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)


class PermissionChecker(Protocol):
    """Decides whether a principal may perform an action."""

    async def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        """Return whether a principal may perform an action.

        Args:
            principal_arn: ARN of the user or of the role's session.
            action: for example `appsync:EventPublish`.
            resource: ARN of the API or the namespace.

        Raises:
            Refusal: the decision is not available.
        """


class AllowAll:
    """Allows everything: for a service without a decision endpoint."""

    async def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        return True


class RemotePermissionChecker:
    """Gets decisions from an endpoint: `POST {"principalArn", "action", "resource"}` answers `{"decision"}`.

    Args:
        url: address of the endpoint.
        token: its control token.
        session: returns the HTTP session.
        clock: seconds, monotonic, for the cache of allowed decisions.
    """

    def __init__(
        self,
        url: str,
        token: str,
        session: Callable[[], aiohttp.ClientSession],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._headers = {"x-local-control": token}
        self._session = session
        self._clock = clock
        self._allowed_until: dict[tuple[str, str, str], float] = {}

    async def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        key = (principal_arn, action, resource)
        if self._allowed_until.get(key, 0.0) > self._clock():
            return True
        decision = await self._decision({"principalArn": principal_arn, "action": action, "resource": resource})
        if decision == "allowed":
            self._allowed_until[key] = self._clock() + _CACHE_SECONDS
        return decision == "allowed"

    async def _decision(self, question: dict[str, str]) -> str:
        try:
            async with self._session().post(
                self._url, json=question, headers=self._headers, timeout=_TIMEOUT
            ) as response:
                response.raise_for_status()
                return str((await response.json())["decision"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise internal_failure(f"no permission decision from {self._url}: {error!r}") from error


async def check_permission(
    permissions: PermissionChecker, principal_arn: str, api: Api, requested: RequestedOperation
) -> None:
    """Check that the principal of a signed operation has the permission for it.

    Raises:
        Refusal: it has not, or the decision is not available.
    """
    action = _ACTIONS[requested.operation]
    resource = f"arn:aws:appsync:{api.region}:{api.account_id}:apis/{api.id}"
    if requested.channel is not None:
        resource += f"/channelNamespace/{requested.channel.namespace}"
    if not await permissions.allows(principal_arn, action, resource):
        message = f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource}"
        raise Refusal(ACCESS_DENIED, message, 403)
