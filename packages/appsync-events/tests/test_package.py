"""The package as others get it: its examples run, its tree is the classes, its wheel stands alone."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import appsync_events
import pytest
from appsync_events import _errors, shortcuts
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import Running, UserPool, running

from contract import channels

PACKAGE = Path(appsync_events.__file__).parent
PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
EXPECTED = [
    "{'goal': 1}\n{'goal': 2}\n",
    "13 12\n12 EventTooLargeException\n()\n1 of 13 events failed: EventTooLargeException: "
    "Transformed event is larger than 240KB\n",
    "hello\n",
    "connecting \nconnected \nclosed \n",
    "['/open/ada', '/open/ada', '/open/grace']\n",
]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    pool = UserPool(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    async with pool.served(), running(tmp_path, pool) as service:
        yield service


@pytest.mark.parametrize("number", range(len(EXPECTED)))
async def test_an_example_of_the_manual_prints_what_it_should(service: Running, number: int) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PACKAGE.parent),
        "EVENTS_ENDPOINT": service.event_url,
        "EVENTS_API_KEY": service.key,
        "EVENTS_TOKEN": service.pool.token(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", EXAMPLES[number], env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out.decode()) == (0, EXPECTED[number])


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == len(EXPECTED)


def _drawn(text: str) -> list[tuple[str, str]]:
    """Child and parent of every branch of the first tree in a text."""
    pairs, path = [], ["EventsError"]
    for line in text.splitlines():
        branch = re.match(r"(?P<depth>(?:│   |    )*)[├└]── (?P<name>\w+)", line)
        if branch:
            depth = len(branch["depth"]) // 4 + 1
            path[depth:] = [branch["name"]]
            pairs.append((branch["name"], path[depth - 1]))
    return pairs


@pytest.mark.parametrize("text", [README, inspect.getdoc(_errors) or ""], ids=["manual", "module"])
def test_the_tree_of_errors_is_drawn_as_it_is(text: str) -> None:
    classes = [value for value in vars(_errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
    actual = [(error.__name__, error.__bases__[0].__name__) for error in classes if error is not _errors.EventsError]
    assert sorted(_drawn(text)) == sorted(actual)
    assert {name for name, _ in actual} | {"EventsError"} <= set(appsync_events.__all__)


def test_the_channels_of_users_are_those_of_the_contract() -> None:
    named = (shortcuts.USER_MESSAGES, shortcuts.USER_NOTIFICATIONS, shortcuts.CALL_SESSIONS)
    assert named == (channels.CHATS.name, channels.USERS.name, channels.CALLS.name)


def test_everything_public_says_what_it_does() -> None:
    public = [getattr(appsync_events, name) for name in appsync_events.__all__]
    members = [
        member
        for thing in public
        if inspect.isclass(thing)
        for name, member in vars(thing).items()
        if inspect.isfunction(member) and not name.startswith("_")
    ]
    undocumented = [thing.__qualname__ for thing in [*public, *members] if not inspect.getdoc(thing)]
    assert undocumented == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's wheel, built as `pip install packages/appsync-events` does, without network."""
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(
        PROJECT, folder / "appsync-events", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    build = "from setuptools import build_meta; import sys; print(build_meta.build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True, text=True
    )
    return folder / made.stdout.splitlines()[-1]


def test_the_wheel_has_the_package_with_its_types_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        [metadata] = [archive.read(name).decode() for name in held if name.endswith("METADATA")]
    modules = {f"appsync_events/{path.name}" for path in PACKAGE.glob("*.py")}
    assert {name for name in held if ".dist-info/" not in name} == modules | {"appsync_events/py.typed"}
    assert f"Version: {appsync_events.__version__}\n" in metadata
    required = re.findall(r"^Requires-Dist: (\S+?)[<>=]\S*(?:; extra == \"(\w+)\")?$", metadata, flags=re.MULTILINE)
    assert required == [("aiohttp", ""), ("botocore", "iam")]


def test_the_installed_wheel_works_without_this_repository_and_without_an_aws_library(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program = (
        "import importlib.abc, sys\n"
        "class NoAws(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name.partition('.')[0] in ('botocore', 'boto3'):\n"
        "            raise ImportError(f'{name} is not installed')\n"
        "sys.meta_path.insert(0, NoAws())\n"
        "import appsync_events\n"
        "print(appsync_events.__file__)\n"
        "try:\n"
        "    appsync_events.Iam()\n"
        "except appsync_events.CredentialsError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    place, complaint = ran.stdout.splitlines()
    assert Path(place) == installed / "appsync_events" / "__init__.py"
    assert complaint == "IAM needs botocore: pip install pantherkolab-appsync-events[iam]"
