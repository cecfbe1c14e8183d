"""Write every generated file. With `--check` write nothing and name the files that are out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.generate.registry import DOCUMENTS, Text

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = "python -m tools.generate"


def write(root: Path = ROOT, documents: Mapping[str, Text] = DOCUMENTS) -> None:
    """Write the documents below a directory and print one line for each; files with the right text are not touched."""
    for name, generate in documents.items():
        path, text = root / name, generate()
        if _present(path) == text:
            print(f"{name}: unchanged")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{name}: written")


def outdated(root: Path = ROOT, documents: Mapping[str, Text] = DOCUMENTS) -> list[str]:
    """Return the documents below a directory that are missing or differ from their generated text.

    Prints one line for each: to standard error where it is out of date, with the command that writes it.
    """
    found = []
    for name, generate in documents.items():
        present = _present(root / name)
        if present == generate():
            print(f"{name}: up to date")
            continue
        found.append(name)
        problem = "is missing" if present is None else "is out of date"
        print(f"{name} {problem}: run `{COMMAND}`", file=sys.stderr)
    return found


def _present(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 1 where `--check` finds a file that is out of date."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="directory to write to (default: this repository)")
    options = parser.parse_args(arguments)
    if options.check:
        return 1 if outdated(options.root) else 0
    write(options.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
