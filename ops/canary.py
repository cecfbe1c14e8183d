"""Creates the canary's two users: `python -m ops.canary --env NAME`, again to give them new passwords.

The users get random passwords, which are stored only in an encrypted parameter of SSM that the canary reads. Their
profiles have no search words, so that no user finds them, and their conversations have fixed ids, which no user can
create. `--remove` deletes the users and the parameter; what they stored expires.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from contract import tables
from contract.canary import DIRECT_ID, GROUP_ID, credentials_parameter
from contract.tables import Table
from ops import aws, outputs
from ops.errors import CommandError
from stacks.outputs import CANARY_CLIENT_ID, POOL_REGION, STACK_REGION, USER_POOL_ID

_ROLES: Final = ("sender", "recipient")
_DOMAIN: Final = "canary.invalid"
"""No mail can reach it (RFC 2606), so that no code to confirm or reset such an account arrives."""


class CanaryUsers:
    """The canary's users of one environment.

    Args:
        cognito: the `cognito-idp` client of the pool's region.
        dynamodb: the `dynamodb` client of the stacks' region.
        ssm: the `ssm` client of the stacks' region.
        pool_id: id of the user pool.
        environment: name of the environment.
    """

    def __init__(self, cognito: Any, dynamodb: Any, ssm: Any, *, pool_id: str, environment: str) -> None:
        self._cognito = cognito
        self._dynamodb = dynamodb
        self._ssm = ssm
        self._pool_id = pool_id
        self._environment = environment

    @property
    def parameter(self) -> str:
        """Return the name of the parameter with the credentials."""
        return credentials_parameter(self._environment)

    def create(self) -> list[str]:
        """Create what is missing, and give both users new passwords; return their user ids.

        A repetition after a failure completes it. The passwords are stored last: until then the canary fails at the
        sign-in, and changes nothing.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        passwords = {role: _password() for role in _ROLES}
        ids = [self._account(role, passwords[role]) for role in _ROLES]
        for table, item in _items(ids, now):
            self._put(table, item)
        users = {role: {"email": self._email(role), "password": passwords[role]} for role in _ROLES}
        self._ssm.put_parameter(
            Name=self.parameter,
            Description=f"Credentials of the canary of {self._environment}, written by ops.canary",
            Value=json.dumps(users),
            Type="SecureString",
            Overwrite=True,
        )
        return ids

    def remove(self) -> None:
        """Delete the users and the parameter, as far as they exist."""
        for role in _ROLES:
            try:
                self._cognito.admin_delete_user(UserPoolId=self._pool_id, Username=self._email(role))
            except self._cognito.exceptions.UserNotFoundException:
                continue
        self._ssm.delete_parameters(Names=[self.parameter])

    def _email(self, role: str) -> str:
        return f"{role}.{self._environment}@{_DOMAIN}"

    def _account(self, role: str, password: str) -> str:
        """Create an account, or take the existing one, set its password, and return its user id."""
        address = {"UserPoolId": self._pool_id, "Username": self._email(role)}
        attributes = {"email": self._email(role), "email_verified": "true", "given_name": "Canary", "family_name": role}
        described = [{"Name": name, "Value": value} for name, value in attributes.items()]
        try:
            self._cognito.admin_create_user(**address, MessageAction="SUPPRESS", UserAttributes=described)
        except self._cognito.exceptions.UsernameExistsException:
            self._cognito.admin_update_user_attributes(**address, UserAttributes=described)
        self._cognito.admin_set_user_password(**address, Password=password, Permanent=True)
        user = self._cognito.admin_get_user(**address)
        return next(str(each["Value"]) for each in user["UserAttributes"] if each["Name"] == "sub")

    def _put(self, table: Table, item: dict[str, Any]) -> None:
        """Store an item unless it exists."""
        try:
            self._dynamodb.put_item(
                TableName=table.name(self._environment),
                Item={name: _value(value) for name, value in item.items()},
                ConditionExpression=f"attribute_not_exists({table.partition.name})",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return


def _items(ids: list[str], now: str) -> Iterator[tuple[Table, dict[str, Any]]]:
    """Yield the profiles, a direct conversation and a group of both users (`contract.items`)."""
    for user_id, role in zip(ids, _ROLES, strict=True):
        name = {"firstName": "Canary", "lastName": role, "fullName": f"Canary {role}"}
        dates = {"createdAt": now, "updatedAt": now}
        yield tables.USERS, {"userId": user_id, **name, "emailVerified": True, "interests": [], **dates}
    for conversation_id, kind in ((DIRECT_ID, "DM"), (GROUP_ID, "GROUP")):
        admins = ids[:1] if kind == "GROUP" else []
        yield (
            tables.CONVERSATIONS,
            {
                "conversationId": conversation_id,
                "type": kind,
                "participants": ids,
                "admins": admins,
                "createdBy": ids[0],
                "createdAt": now,
                "updatedAt": now,
                "version": 1,
                "latestSeq": 0,
                "latestChange": 0,
                **({"name": "Canary"} if kind == "GROUP" else {}),
            },
        )
        for user_id in ids:
            yield (
                tables.CONVERSATION_MEMBERS,
                {
                    "userId": user_id,
                    "conversationId": conversation_id,
                    "role": "ADMIN" if user_id in admins else "MEMBER",
                    "type": kind,
                    "joinedAt": now,
                    "lastReadSeq": 0,
                },
            )
    counter = {"version": 1, "latestSeq": 0, "lastTimestampMs": 0, "pendingSeq": {}, "pendingAt": {}}
    yield tables.CONVERSATION_COUNTERS, {"conversationId": GROUP_ID, **counter}


def _value(value: Any) -> dict[str, Any]:
    """Return a value in DynamoDB's format."""
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_value(each) for each in value]}
        case dict():
            return {"M": {name: _value(each) for name, each in value.items()}}
    return {"S": str(value)}


def _password() -> str:
    """Return a random password with every kind of character that the user pool requires."""
    return f"{secrets.token_urlsafe(24)}-aA7"


def deployed_users(environment: str, stacks: outputs.StackOutputs) -> CanaryUsers:
    """Return the canary's users of a deployed environment.

    Raises:
        CommandError: an output is missing, for example because the environment has no canary.
    """
    if CANARY_CLIENT_ID.id not in stacks.get(CANARY_CLIENT_ID.stack_name(environment), {}):
        raise CommandError(
            f"The environment {environment} has no canary. Set canary.enabled = true in "
            f"environments/{environment}.toml and deploy: make deploy ENV={environment}"
        )
    pool_id, pool_region, region = (
        outputs.value(output, environment, stacks) for output in (USER_POOL_ID, POOL_REGION, STACK_REGION)
    )
    return CanaryUsers(
        aws.client("cognito-idp", pool_region),
        aws.client("dynamodb", region),
        aws.client("ssm", region),
        pool_id=pool_id,
        environment=environment,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0 on success and 2 on errors."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.canary", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--remove", action="store_true", help="delete the users and their credentials")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    try:
        with aws.explained_errors():
            users = deployed_users(chosen.env, outputs.read_stacks(chosen.env, outputs.cloudformation))
            ids = [] if chosen.remove else users.create()
            if chosen.remove:
                users.remove()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps({"environment": chosen.env, "users": ids, "parameter": users.parameter}))
    elif chosen.remove:
        print(f"The canary's users of {chosen.env} and the parameter {users.parameter} are deleted.")
    else:
        print(f"The canary's users of {chosen.env} exist; their new passwords are in the parameter {users.parameter}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
