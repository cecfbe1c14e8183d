"""Provides a function's code as a folder: uses a folder as it is, unpacks an archive, writes inline code to a file."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from appsync_events_local.functions.invoker import FunctionUnavailableError
from appsync_events_local.functions.model import FunctionModel, InlineCode

_INLINE_NAMES = {"python": "index.py", "nodejs": "index.js"}


class TaskRoot:
    """The folder that holds a function's code. `remove` deletes it only if it is temporary."""

    def __init__(self, path: Path, *, temporary: bool) -> None:
        self.path = path
        self._temporary = temporary

    @classmethod
    def prepare(cls, model: FunctionModel) -> TaskRoot:
        """Provide the folder, unpacking or writing the code if necessary; blocks on disk access.

        Raises:
            FunctionUnavailableError: the code does not exist, or is not an archive.
        """
        code = model.code
        if isinstance(code, InlineCode):
            root = Path(tempfile.mkdtemp(prefix="local-function-"))
            (root / _INLINE_NAMES[model.language or "python"]).write_text(code.text, encoding="utf-8")
            return cls(root, temporary=True)
        if code.is_dir():
            return cls(code, temporary=False)
        root = Path(tempfile.mkdtemp(prefix="local-function-"))
        try:
            with zipfile.ZipFile(code) as archive:
                archive.extractall(root)
        except (OSError, zipfile.BadZipFile) as error:
            shutil.rmtree(root, ignore_errors=True)
            raise FunctionUnavailableError(model.name, f"its code {code} cannot be read: {error}") from error
        return cls(root, temporary=True)

    def remove(self) -> None:
        """Delete the folder if it is temporary."""
        if self._temporary:
            shutil.rmtree(self.path, ignore_errors=True)
