"""The unpacked code of functions, once for all processes of all functions with the same code.

Upstream unpacks the archive for every process, so that each also compiles every module again. A process that imports
from the shared directory finds the byte code that the first one wrote. On AWS a function cannot write there.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = "function-code"
_PARTIAL: Final = ".partial-"


class SharedCode:
    """`zipfile` as ministack's Lambda sees it: what is unpacked into an empty directory is a link to the shared one.

    Args:
        root: the directory of all unpacked code.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or Path(tempfile.gettempdir()) / _FOLDER

    def __getattr__(self, name: str) -> Any:
        return getattr(zipfile, name)

    def ZipFile(self, file: str, *arguments: Any, **options: Any) -> _SharedArchive:  # noqa: N802
        """Open an archive; the name is that of the module that this stands for."""
        return _SharedArchive(self._root, file, *arguments, **options)


class _SharedArchive(zipfile.ZipFile):
    def __init__(self, root: Path, file: str, *arguments: Any, **options: Any) -> None:
        super().__init__(file, *arguments, **options)
        self._root, self._file = root, Path(file)

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Link an empty directory to the unpacked code."""
        target = Path(path)
        shared = self._root / hashlib.sha256(self._file.read_bytes()).hexdigest()
        if not shared.exists():
            self._unpack(shared, members, pwd)
        target.rmdir()
        target.symlink_to(shared, target_is_directory=True)

    def _unpack(self, shared: Path, members: Any, pwd: Any) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self._root))
        super().extractall(partial, members, pwd)
        partial.chmod(0o755)
        with contextlib.suppress(OSError):  # another thread was first
            partial.rename(shared)
        shutil.rmtree(partial, ignore_errors=True)
