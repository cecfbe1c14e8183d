"""Access keys of the local cloud: one for the operator, one for each Lambda function's role session.

The emulator itself does not check signatures. The Events service does, so each key has a random secret and a
session token, and the file that holds them is what both sides share.
"""

from __future__ import annotations

import json
import secrets
import string
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from local.emulator.settings import ACCOUNT_ID
from local.state import write_atomically

_KEY_ALPHABET = string.ascii_uppercase + "234567"
OPERATOR = "operator"


@dataclass(frozen=True)
class Credentials:
    """One principal's keys, in the shape that the Events service reads."""

    accessKeyId: str  # noqa: N815 - the field names are the file's format
    secretAccessKey: str  # noqa: N815
    sessionToken: str | None  # noqa: N815
    arn: str
    accountId: str  # noqa: N815
    userId: str  # noqa: N815
    principal: str
    """What the keys were issued for: `operator`, a function's ARN, or the ARN of a role that a service acts under."""

    def environment(self) -> dict[str, str]:
        """The variables that an AWS SDK reads."""
        variables = {"AWS_ACCESS_KEY_ID": self.accessKeyId, "AWS_SECRET_ACCESS_KEY": self.secretAccessKey}
        if self.sessionToken is not None:
            variables["AWS_SESSION_TOKEN"] = self.sessionToken
        return variables


@dataclass(frozen=True)
class RoleSession:
    """Who acts under a role: the role's name, and the session's ARN, which refusals name."""

    role: str
    arn: str


def role_session(arn: str) -> RoleSession | None:
    """The role session that an ARN names, or None for other principals."""
    if ":assumed-role/" not in arn:
        return None
    return RoleSession(arn.split(":assumed-role/", 1)[1].split("/", 1)[0], arn)


class CredentialStore:
    """Issues keys and keeps them in one JSON file of mode 0600, keyed by access key id."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._by_key: dict[str, Credentials] = {}
        if path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            self._by_key = {key: Credentials(accessKeyId=key, **fields) for key, fields in stored.items()}
        self._by_principal = {(each.principal, each.arn): each for each in self._by_key.values()}

    def operator(self) -> Credentials:
        """Long-term keys of the person who deploys."""
        return self._issue(OPERATOR, f"arn:aws:iam::{ACCOUNT_ID}:user/{OPERATOR}", "AKIA", session=False)

    def for_function(self, function_arn: str, role_arn: str) -> Credentials:
        """Keys of the session in which a function runs its role.

        Args:
            function_arn: unqualified ARN of the function.
            role_arn: ARN of its execution role.
        """
        function = function_arn.split(":function:", 1)[-1].split(":", 1)[0]
        role = role_arn.rsplit("/", 1)[-1]
        arn = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{function}"
        return self._issue(function_arn, arn, "ASIA", session=True)

    def for_service(self, role_arn: str, session: str) -> Credentials:
        """Keys of the session in which a service of AWS acts under a role.

        Args:
            role_arn: the role.
            session: name of the session, which refusals show.
        """
        role = role_arn.rsplit("/", 1)[-1]
        return self._issue(role_arn, f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/{session}", "ASIA", session=True)

    def function_of(self, access_key_id: str) -> str | None:
        """Name of the function that was given `access_key_id`, or None for other callers."""
        found = self._by_key.get(access_key_id)
        if found is None or ":function:" not in found.principal:
            return None
        return found.principal.split(":function:", 1)[1].split(":", 1)[0]

    def session_of(self, access_key_id: str) -> RoleSession | None:
        """The role session that was given `access_key_id`, or None for keys of no role."""
        found = self._by_key.get(access_key_id)
        return None if found is None else role_session(found.arn)

    def _issue(self, principal: str, arn: str, prefix: str, *, session: bool) -> Credentials:
        with self._lock:
            known = self._by_principal.get((principal, arn))
            if known is not None:
                return known
            unique = "AROA" + _random_key(17)
            issued = Credentials(
                accessKeyId=prefix + _random_key(16),
                secretAccessKey=secrets.token_urlsafe(30),
                sessionToken=secrets.token_urlsafe(96) if session else None,
                arn=arn,
                accountId=ACCOUNT_ID,
                userId=f"{unique}:{arn.rsplit('/', 1)[-1]}" if session else "AIDA" + unique[4:],
                principal=principal,
            )
            self._by_key[issued.accessKeyId] = issued
            self._by_principal[principal, arn] = issued
            self._write()
            return issued

    def _write(self) -> None:
        content = {}
        for key, each in self._by_key.items():
            fields = asdict(each)
            del fields["accessKeyId"]
            content[key] = fields
        write_atomically(self._path, json.dumps(content, indent=1), mode=0o600)


def _random_key(length: int) -> str:
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(length))
