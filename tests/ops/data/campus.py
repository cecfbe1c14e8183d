"""The functions, tables and user pool of one test, and what the commands of ops.data need."""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import tables
from ops.accounts import AccountControl
from ops.data.__main__ import main
from ops.data.commands.common import Context
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from stacks.config.fields import Data
from tests.harness.emulator import AwsResources
from tests.harness.functions import FunctionHarness


def fast_pace() -> Pace:
    """Return a pace that neither waits nor prints."""
    return Pace(1000, output=io.StringIO(), sleep=lambda seconds: None)


@dataclass
class Campus:
    """One test's environment."""

    aws: AwsResources
    functions: FunctionHarness
    accounts: AccountControl
    cognito: Any
    pool_id: str

    @classmethod
    def of(cls, aws: AwsResources) -> Campus:
        """Return an environment with a new user pool."""
        cognito = aws.emulator.client("cognito-idp")
        pool_id = cognito.create_user_pool(PoolName="test", UsernameAttributes=["email"])["UserPool"]["Id"]
        control = AccountControl(cognito, aws.dynamodb, pool_id, aws.table(tables.USERS))
        return cls(aws, FunctionHarness(aws), control, cognito, pool_id)

    @property
    def live(self) -> TableAccess:
        """The live tables."""
        return TableAccess(client=self.aws.dynamodb, environment=self.aws.environment)

    def sign_up(self, first: str, last: str) -> str:
        """Create an account with a profile, and return its user id."""
        email = f"{first}.{last}@example.edu".lower()
        created = self.cognito.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
        user_id = next(each["Value"] for each in created["User"]["Attributes"] if each["Name"] == "sub")
        profile = self.functions.user(first, last)
        store = self.aws.item(tables.USERS, userId=profile)
        assert store is not None
        for word in (first, last):
            key = {"prefix": word[:2].lower(), "token": f"{word.lower()}#{profile}"}
            self.live.delete(tables.USER_SEARCH, key)
            item = {**key, "token": f"{word.lower()}#{user_id}", "userId": user_id, "fullName": store["fullName"]}
            self.aws.put(tables.USER_SEARCH, item)
        self.live.delete(tables.USERS, {"userId": profile})
        self.aws.put(tables.USERS, {**store, "userId": user_id, "email": email})
        return str(user_id)

    def command(self, *arguments: str, answer: str = "", work: Path | None = None, settings: Data | None = None) -> int:
        """Run `python -m ops.data` on this environment, and return its exit code."""

        def context(chosen: argparse.Namespace) -> Context:
            return Context(
                arguments=chosen,
                live=self.live,
                stacks={},
                pace=fast_pace(),
                ask=lambda question: answer,
                work=work or Path("/nonexistent"),
                accounts=self.accounts,
                settings=settings,
            )

        first, *others = arguments
        return main([first, "--env", self.aws.environment, *others], context)

    def everything(self) -> str:
        """Return the content of every table except the list of erasures, as text."""
        return "\n".join(
            f"{table.entity}: {sorted(item.items())}"
            for table in tables.TABLES
            if table is not tables.ERASURES
            for item in self.aws.scan(table)
        )
