"""The access keys that may sign requests, read from the local cloud's credentials file."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Signer:
    """An access key and whose it is."""

    secret: str
    session_token: str | None
    arn: str
    account_id: str
    user_id: str


class SignerFile:
    """The signers in a JSON file `{accessKeyId: {secretAccessKey, sessionToken?, arn, accountId, userId}}`.

    The file changes at every deploy, so it is read again whenever it has changed. While it is unreadable the signers
    read last stay valid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._signers: dict[str, Signer] = {}

    def find(self, access_key_id: str) -> Signer | None:
        """The signer of this access key id, if there is one now."""
        self._refresh()
        return self._signers.get(access_key_id)

    def _refresh(self) -> None:
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - the file is looked at on every signed request
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return
            self._signers = _signers(json.loads(self._path.read_text()))
            self._seen = seen
        except FileNotFoundError:
            self._signers, self._seen = {}, None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            _log.error("credentials file %s cannot be read, keeping what was known: %r", self._path, error)


def _signers(content: dict[str, dict[str, Any]]) -> dict[str, Signer]:
    return {
        key_id: Signer(
            secret=str(entry["secretAccessKey"]),
            session_token=entry.get("sessionToken") or None,
            arn=str(entry["arn"]),
            account_id=str(entry["accountId"]),
            user_id=str(entry["userId"]),
        )
        for key_id, entry in content.items()
    }
