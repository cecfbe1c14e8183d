"""Disables and enables accounts: `python -m ops disable-user USER`, `enable-user USER`, `sync-users`.

USER is a user id (sub) or an e-mail address. `sync-users` writes the flag of accounts that were disabled or deleted in
Cognito by other means. Exit codes: 0 done, or nothing was asked for; 1 `sync-users` without `--yes` found differences;
2 errors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Literal

from ops import accounts, aws, outputs
from ops.accounts import AccountControl
from ops.errors import CommandError
from ops.support.arguments import action_parser
from ops.support.audit import AuditLog, AuditRecord, audited

Controls = Callable[[str], AccountControl]
AuditLogs = Callable[[str], AuditLog]


def deployed(environment: str) -> AccountControl:
    """Return the accounts of a deployed environment.

    Raises:
        CommandError: the environment is not deployed, or an output is missing.
    """
    return accounts.control(environment, outputs.read_stacks(environment, outputs.cloudformation))


def disable(
    arguments: Sequence[str] | None = None, *, control: Controls = deployed, audit: AuditLogs = AuditLog.deployed
) -> int:
    """Run `disable-user`. Further arguments return the accounts and the audit log of an environment."""
    return _one("disable", arguments, control, audit)


def enable(
    arguments: Sequence[str] | None = None, *, control: Controls = deployed, audit: AuditLogs = AuditLog.deployed
) -> int:
    """Run `enable-user`. Arguments as of `disable`."""
    return _one("enable", arguments, control, audit)


def _one(
    command: Literal["disable", "enable"], arguments: Sequence[str] | None, control: Controls, audit: AuditLogs
) -> int:
    action: Literal["disable-user", "enable-user"] = "disable-user" if command == "disable" else "enable-user"
    parser = action_parser(action, __doc__ or "")
    parser.add_argument("user", help="user id (sub) or e-mail address")
    chosen = parser.parse_args(arguments)
    try:
        with aws.explained_errors():
            present = control(chosen.env)
            account = present.find(chosen.user)
            state = "can sign in" if account.enabled else "cannot sign in"
            print(f"The account {account.user_id} {state}. It is to be {command}d.")
            if not chosen.yes:
                print("Nothing was changed. To do it, add --yes.")
                return 0
            act = present.disable if command == "disable" else present.enable
            record = AuditRecord(action=action, subject=account.user_id, reason=chosen.reason)
            done = audited(audit(chosen.env), record, lambda: f"{act(account.user_id)} is {command}d.")
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    print(done)
    return 0


def sync(
    arguments: Sequence[str] | None = None, *, control: Controls = deployed, audit: AuditLogs = AuditLog.deployed
) -> int:
    """Run `sync-users`. Arguments as of `disable`."""
    chosen = action_parser("sync-users", __doc__ or "").parse_args(arguments)
    try:
        with aws.explained_errors():
            print("Comparing the user pool with the profiles …", file=sys.stderr)
            present = control(chosen.env)
            found = present.differences()
            for each in found:
                print(f"{each.user_id} is to be {'disabled' if each.disable else 'enabled'}")
            if not found:
                print("User pool and profiles agree.")
                return 0
            if not chosen.yes:
                print("Nothing was changed. To write the flags, add --yes.")
                return 1
            subject = ",".join(each.user_id for each in found)
            record = AuditRecord(action="sync-users", subject=subject, reason=chosen.reason)

            def act() -> str:
                for each in found:
                    present.apply(each)
                return f"{len(found)} flags were written."

            print(audited(audit(chosen.env), record, act))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
