"""A copy of the repository's files in which changes are tried, with the process that runs its checks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from tests.contributing.edits import AnchorError, Edit
from tests.contributing.page import ROOT

LINKED = (".venv", "node_modules", ".build")
"""What is installed or built: not copied but linked."""


class Tree:
    """A copy of the repository's files; nothing in it is linked to the originals but what is installed.

    Args:
        root: an empty directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "copy"
        self._output = root / "output.txt"
        self._originals: dict[str, str | None] = {}
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        for name in LINKED:
            if (ROOT / name).exists():
                (self.root / name).symlink_to(ROOT / name, target_is_directory=True)
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("check_server.py"))],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": self._import_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Tree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=60)

    def _import_path(self) -> str:
        """Return the directories to import from: the editable installs of the environment name the original tree."""
        packages = sorted((self.root / "packages").iterdir())
        paths = [self.root, *(each / "src" for each in packages), *(each / "tests" for each in packages)]
        return os.pathsep.join(map(str, paths))

    def read(self, name: str) -> str | None:
        """Return the text of a file; None where there is no such file."""
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def write(self, name: str, text: str | None) -> None:
        """Write a file, or remove it where the text is None, and keep its original text for `restore`."""
        present = self.read(name)
        self._originals.setdefault(name, present)
        if present == text:
            return
        path = self.root / name
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()  # Python compares times in seconds and sizes, which may both be equal
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def note(self, name: str, original: str | None) -> None:
        """Keep the original text of a file that a command has written, for `restore`."""
        self._originals.setdefault(name, original)

    def restore(self) -> None:
        """Write the original text of every file that was written since the last call."""
        for name, text in self._originals.items():
            self.write(name, text)
        self._originals.clear()

    def names(self, edit: Edit) -> list[str]:
        """Return the files of an edit."""
        if "*" not in edit.path:
            return [edit.path]
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(edit.path))

    def apply(self, edit: Edit) -> dict[str, str]:
        """Return the new texts of the files of an edit, by name, without writing them.

        Raises:
            AnchorError: the edit does not fit the file; the message names the file.
        """
        changed = {}
        for name in self.names(edit):
            try:
                changed[name] = edit.change(self.read(name) or "")
            except AnchorError as error:
                raise AnchorError(f"{name}: {error}") from None
        return changed

    def files(self) -> dict[str, bytes]:
        """Return the content of every file that is neither installed nor compiled."""
        found = {}
        for directory, names, files in os.walk(self.root):
            names[:] = [name for name in names if name not in (*LINKED, "__pycache__", ".hypothesis")]
            for file in files:
                path = Path(directory, file)
                found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found

    def run(self, command: str) -> tuple[int, str]:
        """Run a command of the page in the copy and return its exit code and output."""
        if self._server.stdin is None or self._server.stdout is None:
            raise RuntimeError("the process that runs the checks has no pipes")
        self._server.stdin.write(json.dumps({"command": command, "output": str(self._output)}) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that runs the checks has ended, exit code {self._server.poll()}")
        return int(json.loads(answer)["code"]), self._output.read_text(encoding="utf-8", errors="replace")
