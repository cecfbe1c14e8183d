"""Whose a role is: the function that runs under it, or what its description says."""

from __future__ import annotations

from typing import Any

from ministack.services import iam, lambda_svc


def all_roles() -> list[dict[str, Any]]:
    """Every role, as the emulator keeps it."""
    return list(iam._roles._data.values())


def owners() -> dict[str, str]:
    """Owner by role name; roles of functions by the function's name, others by their description."""
    named = {role["RoleName"]: str(role.get("Description") or "") for role in all_roles()}
    for function in lambda_svc._functions.all_values():
        config = function["config"]
        named[role_name(config.get("Role", ""))] = config["FunctionName"]
    return named


def role_name(arn: str) -> str:
    """The name in a role's ARN."""
    return arn.rsplit("/", 1)[-1]
