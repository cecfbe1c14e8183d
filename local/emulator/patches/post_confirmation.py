"""Calls the PostConfirmation trigger when a sign-up is confirmed.

Upstream: the post-confirmation trigger is never called, so whatever an application makes for a new user is never
made; and a confirmation with the code that was sent to an e-mail address does not mark that address as verified.

Amazon Cognito Developer Guide, "Post confirmation Lambda trigger": the trigger runs after ConfirmSignUp,
AdminConfirmSignUp and ConfirmForgotPassword. The user stays confirmed when it fails, and the caller gets
UserLambdaValidationException.
"""

from __future__ import annotations

from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import error_response_json
from ministack.services import cognito, lambda_svc

Response = tuple[int, dict[str, str], bytes]
Pool = dict[str, Any]
User = dict[str, Any]

_SOURCES = {
    "ConfirmSignUp": "PostConfirmation_ConfirmSignUp",
    "AdminConfirmSignUp": "PostConfirmation_ConfirmSignUp",
    "ConfirmForgotPassword": "PostConfirmation_ConfirmForgotPassword",
}
_NO_CLIENT = "CLIENT_ID_NOT_APPLICABLE"


def apply() -> None:
    """Call the trigger after a confirmation that succeeded."""
    dispatch = cognito._dispatch_idp

    async def dispatch_and_trigger(action: str, data: dict[str, Any]) -> Response:
        if action not in _SOURCES:
            response: Response = await dispatch(action, data)
            return response
        pool, user = _find(data)
        was_confirmed = user is not None and user.get("UserStatus") == "CONFIRMED"
        response = await dispatch(action, data)
        if response[0] >= 400 or pool is None or user is None:
            return response
        if action == "ConfirmSignUp":
            _verify_address(pool, user)
        if was_confirmed and action != "ConfirmForgotPassword":
            return response
        return await _trigger(action, data, pool, user) or response

    cognito._dispatch_idp = dispatch_and_trigger


def _find(data: dict[str, Any]) -> tuple[Pool | None, User | None]:
    client = data.get("ClientId")
    pools = cognito._user_pools
    if client is None:
        pool = pools.get(data.get("UserPoolId"))
    else:
        pool = next((each for each in pools.values() if client in each["_clients"]), None)
    if pool is None:
        return None, None
    user, _error = cognito._resolve_user(pool, data.get("Username"))
    return pool, user


def _verify_address(pool: Pool, user: User) -> None:
    attributes = cognito._attr_list_to_dict(user.get("Attributes", []))
    for name in pool.get("AutoVerifiedAttributes") or []:
        if name in attributes:
            attributes[f"{name}_verified"] = "true"
    user["Attributes"] = cognito._dict_to_attr_list(attributes)


async def _trigger(action: str, data: dict[str, Any], pool: Pool, user: User) -> Response | None:
    arn = (pool.get("LambdaConfig") or {}).get("PostConfirmation")
    if not arn:
        return None
    record, config, name = lambda_svc._get_func_record_for_ref(arn)
    if record is None or config is None:
        return _refusal(f"the function {name} does not exist")
    event = _event(action, data, pool, user)
    # On a thread of its own: the function calls the emulator back while this request waits for it.
    result = await run_reentrant(
        lambda_svc._execute_function_with_config_scope,
        lambda_svc._execution_record_for_config(record, config),
        event,
        thread_name="post-confirmation",
    )
    if isinstance(result, dict) and result.get("error"):
        body = result.get("body") or {}
        return _refusal(str(body.get("errorMessage", body)) if isinstance(body, dict) else str(body))
    return None


def _event(action: str, data: dict[str, Any], pool: Pool, user: User) -> dict[str, Any]:
    attributes = cognito._attr_list_to_dict(user.get("Attributes", []))
    request: dict[str, Any] = {"userAttributes": {**attributes, "cognito:user_status": "CONFIRMED"}}
    if data.get("ClientMetadata"):
        request["clientMetadata"] = data["ClientMetadata"]
    return {
        "version": "1",
        "region": cognito._pool_region(pool["Id"]),
        "userPoolId": pool["Id"],
        "userName": user["Username"],
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": data.get("ClientId") or _NO_CLIENT,
        },
        "triggerSource": _SOURCES[action],
        "request": request,
        "response": {},
    }


def _refusal(reason: str) -> Response:
    message = f"PostConfirmation failed with error {reason}."
    response: Response = error_response_json("UserLambdaValidationException", message, 400)
    return response
