"""May a principal that signed do what it wants? Asked of whoever knows the policies of IAM roles.

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
_KEPT_SECONDS: Final = 5.0
"""How long an allowance is remembered; on AWS, too, a changed policy takes some seconds to be seen."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)


class PermissionChecker(Protocol):
    """Decides on what a principal may do."""

    async def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        """Whether a principal may do something.

        Args:
            principal_arn: ARN of the user or of the role's session.
            action: for example `appsync:EventPublish`.
            resource: ARN of the API or the namespace.

        Raises:
            Refusal: nobody can tell now.
        """


class AllowAll:
    """Nobody is restricted: for a service that runs without IAM beside it."""

    async def allows(self, principal_arn: str, action: str, resource: str) -> bool:
        return True


class RemotePermissionChecker:
    """Asks the decision endpoint of the local cloud's IAM: `POST {"principalArn", "action", "resource"}`.

    Args:
        url: of the endpoint.
        token: its control token.
        session: returns the HTTP session.
        clock: seconds, for how long an allowance is kept.
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
        asked = (principal_arn, action, resource)
        if self._allowed_until.get(asked, 0.0) > self._clock():
            return True
        decision = await self._decision({"principalArn": principal_arn, "action": action, "resource": resource})
        if decision == "allowed":
            self._allowed_until[asked] = self._clock() + _KEPT_SECONDS
        return decision == "allowed"

    async def _decision(self, question: dict[str, str]) -> str:
        try:
            async with self._session().post(
                self._url, json=question, headers=self._headers, timeout=_TIMEOUT
            ) as response:
                response.raise_for_status()
                return str((await response.json())["decision"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise internal_failure(f"{self._url} does not say who may do what: {error!r}") from error


async def check_permission(rights: PermissionChecker, principal_arn: str, api: Api, call: RequestedOperation) -> None:
    """Let a signed call pass only if its principal may make it.

    Raises:
        Refusal: it may not, or nobody can tell now.
    """
    action = _ACTIONS[call.operation]
    resource = f"arn:aws:appsync:{api.region}:{api.account_id}:apis/{api.id}"
    if call.channel is not None:
        resource += f"/channelNamespace/{call.channel.namespace}"
    if not await rights.allows(principal_arn, action, resource):
        message = f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource}"
        raise Refusal(ACCESS_DENIED, message, 403)
