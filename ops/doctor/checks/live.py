"""Checks that do what clients do: sign in, connect, subscribe, publish, receive, request."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import jwt
from appsync_events import (
    ApiKey,
    ConnectionRefusedByServerError,
    EventsClient,
    EventsError,
    Iam,
    SubscriptionRefusedError,
    UserPoolToken,
)
from botocore.credentials import Credentials

from contract import channels
from ops.doctor.check import Check
from ops.doctor.checks.http_api import READ_ROUTE, api_url
from ops.doctor.checks.identity import pool_of
from ops.doctor.examination import Examination
from ops.doctor.finding import Finding, NotTriedError
from ops.doctor.user import ClientError, Session, TemporaryUser, endpoint, sign_in
from ops.doctor.web import fetch

_SECONDS: Final = 10
_SKEW_SECONDS: Final = 60
_LATENCY_SECONDS: Final = 0.5
"""Above it the migration guide calls the latency high (G:2152)."""
_SESSION: Final = "session"
_FORBIDDEN: Final = 403
T = TypeVar("T")


def _session(examination: Examination) -> Session:
    if _SESSION not in examination.shared:
        raise NotTriedError("no temporary user is signed in (D711)")
    session: Session = examination.shared[_SESSION]
    return session


def _run(work: Callable[[], Awaitable[T]]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(_SECONDS):
            return await work()

    return asyncio.run(limited())


def _sign_in(examination: Examination) -> Iterator[Finding]:
    if not examination.question.with_user:
        raise NotTriedError("no temporary user may be created (--read-only, or a protected environment)")
    pool, client, region = pool_of(examination)
    user = TemporaryUser(examination.target, pool, region)
    examination.at_end(user.delete)
    user_id, email, password = user.create()
    try:
        session = sign_in(examination.target, user_id, email, password)
    except ClientError as error:
        yield Finding(f"a user with the right password cannot sign in: {error}")
        return
    claims = jwt.decode(session.token, options={"verify_signature": False})
    examination.shared[_SESSION] = Session(str(claims["sub"]), session.token)
    skew = datetime.now(UTC).timestamp() - float(claims["iat"])
    if abs(skew) > _SKEW_SECONDS:
        yield Finding(
            f"a new token was issued {abs(skew):.0f} s {'ago' if skew > 0 else 'in the future'}", warning=True
        )
    if claims.get("client_id") != client:
        yield Finding(f"the token is for the app client {claims.get('client_id')}, not {client}")


def _reachable(examination: Examination) -> Iterator[Finding]:
    address = endpoint(examination.target)

    async def connect() -> Finding | None:
        async with EventsClient(address, ApiKey("unknown")) as client:
            try:
                await client.connected()
            except ConnectionRefusedByServerError:
                return None  # the service responds, and refuses what it must refuse
        return Finding("the Event API accepts a connection with an unknown API key")

    try:
        found = _run(connect)
    except (TimeoutError, EventsError) as error:
        yield Finding(f"no WebSocket connection to {address.realtime_url} within {_SECONDS} s{_cause(error)}")
        return
    if found:
        yield found


def _cause(error: Exception) -> str:
    return f": {error}" if str(error) else ""


def _subscribe(examination: Examination, channel: str, token: str) -> EventsError | None:
    """Subscribe to a channel, and return the refusal if there is one."""

    async def subscribe() -> EventsError | None:
        async with EventsClient(endpoint(examination.target), UserPoolToken(token)) as client:
            try:
                await client.subscribe(channel, lambda event: None)
            except (ConnectionRefusedByServerError, SubscriptionRefusedError) as error:
                return error
        return None

    return _run(subscribe)


def _own_channels(examination: Examination) -> Iterator[Finding]:
    session = _session(examination)
    for namespace in (channels.CHATS, channels.USERS):
        channel = channels.channel(namespace, session.user_id)
        try:
            refusal = _subscribe(examination, channel, session.token)
        except (TimeoutError, EventsError) as error:
            yield Finding(f"a subscription to the user's own channel /{namespace.name} did not succeed{_cause(error)}")
            continue
        if refusal is not None:
            yield Finding(f"a subscription to the user's own channel /{namespace.name} was refused: {refusal}")


def _foreign_channels(examination: Examination) -> Iterator[Finding]:
    session = _session(examination)
    for namespace in (channels.CHATS, channels.USERS, channels.CALLS):
        if _subscribe(examination, channels.channel(namespace, str(uuid.uuid4())), session.token) is None:
            yield Finding(f"a user may subscribe to a channel of another user in namespace {namespace.name}")


def _round_trip(examination: Examination) -> Iterator[Finding]:
    session, target = _session(examination), examination.target
    channel = channels.channel(channels.CHATS, session.user_id)
    keys = target.credentials
    signer = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], keys.get("AWS_SESSION_TOKEN"))
    event = {"type": "USER_TYPING", "eventId": str(uuid.uuid4()), "data": {}}

    async def exchange() -> tuple[Any, float]:
        received: asyncio.Queue[Any] = asyncio.Queue()
        async with EventsClient(endpoint(target), UserPoolToken(session.token)) as client:
            await client.subscribe(channel, received.put_nowait)
            started = time.monotonic()
            published = await client.publish_http(channel, [event], auth=Iam(signer, region=target.region))
            published.raise_for_failed()
            return await received.get(), time.monotonic() - started

    try:
        found, seconds = _run(exchange)
    except TimeoutError:
        yield Finding(f"an event that was published to the user's channel was not received within {_SECONDS} s")
        return
    except EventsError as error:
        yield Finding(f"an event could not be published to the user's channel: {error}")
        return
    examination.shared["round trip"] = seconds
    if found.get("eventId") != event["eventId"] or "serverTimestamp" not in found:
        yield Finding(f"the received event is not the published one with a server timestamp: {sorted(found)}")
    if seconds > _LATENCY_SECONDS:
        yield Finding(f"an event took {seconds * 1000:.0f} ms from publish to receipt", warning=True)


def _request(examination: Examination) -> Iterator[Finding]:
    session = _session(examination)
    answer = fetch("GET", api_url(examination) + READ_ROUTE.path, {"Authorization": f"Bearer {session.token}"})
    if answer.status != 200:
        yield Finding(f"{READ_ROUTE.key} with a valid token gets {answer.status}{_code(answer.body)}")


def _code(body: bytes) -> str:
    try:
        return f" ({json.loads(body)['error']['code']})"
    except (ValueError, KeyError, TypeError):
        return ""


def _foreign_conversation(examination: Examination) -> Iterator[Finding]:
    session = _session(examination)
    url = f"{api_url(examination)}/api/conversations/{uuid.uuid4()}"
    answer = fetch("GET", url, {"Authorization": f"Bearer {session.token}"})
    if answer.status not in (_FORBIDDEN, 404):
        yield Finding(f"the conversation of other users gets {answer.status}, not 403 or 404{_code(answer.body)}")


CHECKS: Final = (
    Check(
        id="D711",
        title="A user can sign in",
        looks_at="a temporary user: AdminCreateUser, sign-in by SRP as clients do, and the claims of the token; the "
        "user is deleted at the end of the run",
        cause="A flow of the app client is missing, a trigger of the pool refuses sign-ins, or the clock is wrong.",
        remedy="Look at D702 and D703. An imported pool: look at its triggers.",
        run=_sign_in,
        needs=("D701", "D702", "D704"),
    ),
    Check(
        id="D611",
        title="The Event API accepts WebSocket connections and refuses unknown keys",
        looks_at="a WebSocket handshake with an unknown API key",
        cause="The host does not resolve, a proxy or firewall blocks WebSockets, or the service is disturbed.",
        remedy="Compare the address with `make outputs ENV={env}`, try another network, and look at the AWS Health "
        "Dashboard. The local cloud: `make down`, then `make up`.",
        run=_reachable,
        needs=("D201",),
    ),
    Check(
        id="D612",
        title="A signed-in user can subscribe to the own channels",
        looks_at="subscriptions of the temporary user to /chats/{userId} and /users/{userId}",
        cause="The Event API refuses the pool's tokens, or onSubscribe refuses the user; no event arrives.",
        remedy="Look at D602 to D604. The log of the Event API names the refusal: `aws logs tail "
        "/aws/appsync/apis/API_ID --since 1h`.",
        run=_own_channels,
        needs=("D602", "D603", "D604", "D611", "D711"),
    ),
    Check(
        id="D613",
        title="A user cannot subscribe to channels of others",
        looks_at="subscriptions of the temporary user to channels of an unknown user and call",
        cause="onSubscribe was edited; users can read the events of others.",
        remedy="Deploy the handlers at once: `npx cdk deploy -c env={env} Events --revert-drift`.",
        run=_foreign_channels,
        needs=("D612",),
    ),
    Check(
        id="D614",
        title="A published event is received within 500 ms",
        looks_at="an event that the operator publishes (IAM) to the temporary user's channel, until it is received",
        cause="onPublish drops or refuses events, the operator may not publish, or the region is far away.",
        remedy="Look at D604. For a high latency: choose a region near the users, and look at retries with "
        "`make status ENV={env}`.",
        run=_round_trip,
        needs=("D612",),
    ),
    Check(
        id="D812",
        title="The HTTP API accepts the token of a signed-in user",
        looks_at=f"{READ_ROUTE.key} as the temporary user",
        cause="The authorizer refuses the pool's tokens (401), the account is disabled (403), or the function fails.",
        remedy="401: look at D804. 5xx: find the request in the function's log, `aws logs tail "
        "/aws/lambda/PantherKolab-conversations-{env} --since 1h`, and look at D303 and D311.",
        run=_request,
        needs=("D711", "D810"),
    ),
    Check(
        id="D813",
        title="The HTTP API refuses the conversations of others",
        looks_at="a conversation that does not exist, as the temporary user",
        cause="The function fails (5xx), or does not check the membership.",
        remedy="5xx: read the function's log. Otherwise deploy the functions: `make deploy ENV={env}`.",
        run=_foreign_conversation,
        needs=("D812",),
    ),
)
