"""The folder and the control token of one instance; both are created if they are not given."""

import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOKEN_FILE: Final = "control-token"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class Workspace:
    """The folder of one instance.

    Attributes:
        folder: its path.
        temporary: whether it is deleted when the service stops.
    """

    folder: Path
    temporary: bool

    @classmethod
    def open(cls, folder: Path | None) -> "Workspace":
        """Open this folder, or a new temporary one."""
        if folder is None:
            return cls(Path(tempfile.mkdtemp(prefix="appsync-events-")), temporary=True)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, temporary=False)

    def close(self) -> None:
        """Delete the folder if it is temporary."""
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def control_token(self, given: Path | None) -> tuple[str, Path]:
        """Return the token of the control API and its file; creates the token if there is none.

        Raises:
            ValueError: the file is empty.
            OSError: it cannot be read or written.
        """
        file = given or self.folder / TOKEN_FILE
        if given is None and not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(32))
        token = file.read_text().strip()
        if not token:
            raise ValueError(f"{file} is empty; it must contain the token of the control API")
        return token, file
