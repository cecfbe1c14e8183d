"""The access keys that may sign requests: those of a credentials file, or the local key."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_ACCOUNT_ID, LOCAL_SECRET_ACCESS_KEY

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CognitoIdentity:
    """The identity (of an identity pool) that a session's credentials belong to, with the names of `ctx.identity`."""

    pool_id: str | None = None
    id: str | None = None
    auth_type: str | None = None
    auth_provider: str | None = None


@dataclass(frozen=True)
class Signer:
    """An access key and its owner."""

    secret: str
    session_token: str | None
    arn: str
    account_id: str
    user_id: str
    cognito: CognitoIdentity = CognitoIdentity()


class Signers(Protocol):
    """A store of signers."""

    def find(self, access_key_id: str) -> Signer | None:
        """Return the signer of this access key id; `None` if it is unknown."""


class LocalSigner:
    """The local signer, for a service without a credentials file.

    Args:
        account_id: account of the signer; must be the account of the APIs.
    """

    def __init__(self, account_id: str = LOCAL_ACCOUNT_ID) -> None:
        arn = f"arn:aws:iam::{account_id}:user/local"
        self._signer = Signer(LOCAL_SECRET_ACCESS_KEY, None, arn, account_id, "local")

    def find(self, access_key_id: str) -> Signer | None:
        """Return the local signer if this is its access key id."""
        return self._signer if access_key_id == LOCAL_ACCESS_KEY_ID else None


class SignerFile:
    """The signers in a JSON file `{accessKeyId: {secretAccessKey, sessionToken?, arn, accountId, userId}}`.

    An entry may also have `cognitoIdentityPoolId`, `cognitoIdentityId`, `cognitoIdentityAuthType` and
    `cognitoIdentityAuthProvider`, which handlers then see.

    The file is read again when it has changed, because every deployment changes it. While it cannot be read, the
    signers read last stay valid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._signers: dict[str, Signer] = {}

    def find(self, access_key_id: str) -> Signer | None:
        """Return the signer of this access key id; `None` if the file has none."""
        self._refresh()
        return self._signers.get(access_key_id)

    def _refresh(self) -> None:
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - called for every signed request
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return
            self._signers = _signers(json.loads(self._path.read_text()))
            self._seen = seen
        except FileNotFoundError:
            self._signers, self._seen = {}, None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.error("credentials file %s cannot be read, keeping the signers read last: %r", self._path, error)


def _signers(content: dict[str, dict[str, Any]]) -> dict[str, Signer]:
    return {
        key_id: Signer(
            secret=str(entry["secretAccessKey"]),
            session_token=entry.get("sessionToken") or None,
            arn=str(entry["arn"]),
            account_id=str(entry["accountId"]),
            user_id=str(entry["userId"]),
            cognito=CognitoIdentity(
                entry.get("cognitoIdentityPoolId"),
                entry.get("cognitoIdentityId"),
                entry.get("cognitoIdentityAuthType"),
                entry.get("cognitoIdentityAuthProvider"),
            ),
        )
        for key_id, entry in content.items()
    }
