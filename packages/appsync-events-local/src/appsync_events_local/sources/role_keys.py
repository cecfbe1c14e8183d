"""The keys with which this service acts under the role of a data source, as AppSync assumes it on AWS."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, Credentials

CredentialsForRole = Callable[[str | None], Credentials]
"""From the ARN of a role (`None` if the data source has none) to keys."""

_log = logging.getLogger(__name__)


def local_keys(role_arn: str | None) -> Credentials:
    """The same keys for every role, where nobody evaluates what a role may do."""
    return LOCAL_CREDENTIALS


class RoleKeys:
    """Finds the keys of roles in the credentials file, where the local cloud issues them (`principal` is the role).

    Args:
        path: the file, as `SignerFile` reads it.
    """

    _PRINCIPAL: Final = "principal"

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, role_arn: str | None) -> Credentials:
        """Keys of a role; those of this service when none were issued."""
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
        _log.warning("no keys were issued for %s: what it may do is not checked", role_arn)
        return LOCAL_CREDENTIALS
