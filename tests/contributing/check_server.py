"""Runs the checks of a copied tree, each in a forked child, so that third-party packages are imported only once.

Reads one JSON line for each check from standard input, `{"command": "pytest …", "output": path}`, writes the output of
the command to that file and answers `{"code": …}`. The packages of the repository are not imported here: a child
imports those of the copy, which `PYTHONPATH` names first.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import shlex
import sys
import traceback
from importlib import import_module
from importlib.metadata import entry_points

PRELOADED = (
    *(
        "_pytest.pytester",
        "aiohttp",
        "boto3",
        "botocore.client",
        "cryptography.x509",
        "hypothesis.stateful",
        "jsonschema",
    ),
    *("jwt", "msgspec", "pytest", "pytest_asyncio", "quickjs", "xdist", "yaml"),
)
"""Third-party modules that checks import."""
PLUGINS = tuple(point.name for point in entry_points(group="pytest11"))
"""Named one by one, so that pytest need not read the metadata of every installed package."""
PYTEST_OPTIONS = ("-q", "-p", "no:cacheprovider", "--tb=short", "--no-header", "--verbosity=-1")


def run(command: str) -> int:
    """Run a command of the page in this process and return its exit code.

    Raises:
        ValueError: the command is neither `pytest` nor `python -m`.
    """
    program, *arguments = shlex.split(command)
    if program == "pytest":
        import pytest

        ignored = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
        plugins = [option for name in PLUGINS for option in ("-p", name)]
        return int(pytest.main([*PYTEST_OPTIONS, *plugins, *ignored, *arguments]))
    if [program, *arguments[:1]] == ["python", "-m"]:
        sys.argv = arguments[1:]
        try:
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        return 0
    raise ValueError(f"a check must be `pytest …` or `python -m …`: {command}")


def run_in_child(command: str, output: str) -> int:
    """Run a command in a forked child, with its output in a file, and return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        code = run(command)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Answer requests until standard input ends."""
    sys.path.pop(0)  # the directory of this script
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            import_module(name)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of the parent's objects
    for line in sys.stdin:
        request = json.loads(line)
        code = run_in_child(request["command"], request["output"])
        print(json.dumps({"code": code}), flush=True)


if __name__ == "__main__":
    main()
