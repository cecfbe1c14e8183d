"""Credentials of the role of a data source, which AppSync assumes on AWS."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, Credentials

CredentialsForRole = Callable[[str | None], Credentials]
"""Returns credentials by the ARN of a role; `None` if the data source has no role."""

_log = logging.getLogger(__name__)


def local_keys(role_arn: str | None) -> Credentials:
    """Return the local credentials for every role, if the permissions of roles are not evaluated."""
    return LOCAL_CREDENTIALS


class RoleKeys:
    """Finds the credentials of roles in the credentials file: the entry whose `principal` is the role.

    Args:
        path: the file, in the format of `SignerFile`.
    """

    _PRINCIPAL: Final = "principal"

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, role_arn: str | None) -> Credentials:
        """Return the credentials of a role; the local credentials if the file has none."""
        if role_arn is None:
            return LOCAL_CREDENTIALS
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            _log.error("credentials file %s cannot be read, so %s cannot be assumed: %r", self._path, role_arn, error)
            return LOCAL_CREDENTIALS
        for key_id, entry in known.items():
            if entry.get(self._PRINCIPAL) == role_arn:
                return Credentials(key_id, entry["secretAccessKey"], entry.get("sessionToken"))
        _log.warning("no credentials for role %s in the credentials file: its permissions are not checked", role_arn)
        return LOCAL_CREDENTIALS
