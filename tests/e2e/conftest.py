"""Fixtures of the end-to-end suite. It runs against `--target FILE`, or a local cloud that the session starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from client.api import targets
from local.control.faults import FaultControl
from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from tests.harness.e2e.answers import Answers
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.terminal import ChatProgram, write_target
from tests.harness.e2e.users import Users, users_of

_HERE = Path(__file__).parent
_BOTH_ORDERS = frozenset({"test_messaging.py", "test_call_paths.py"})
"""Files that run in both orders of events in every run on a local cloud."""
_REORDERED: Final = {"match": {"operation": "deliver"}, "effect": "reorder"}
_LOCAL_CLOUD_FIXTURES = frozenset({"faults", "cloud"})
"""A test that uses one of these injects faults or stops services, so it runs on a local cloud only."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default=targets.LOCAL,
        metavar="FILE",
        help="outputs or environment file of the environment to test; default: a local cloud that the session starts",
    )
    parser.addoption(
        "--event-order",
        choices=("published", "reversed"),
        default="published",
        help="reversed: deliver each event after the next one to the same subscription, in every test; "
        "without it only some files run in both orders (default: %(default)s)",
    )
    parser.addoption("--answers", type=Path, metavar="FILE", help="record observed assumptions as JSON lines")
    parser.addoption("--assumptions", metavar="ID,...", help="ask about these assumptions only")


@pytest.fixture(scope="session")
def answers(pytestconfig: pytest.Config) -> Answers:
    """Where to record what is observed about assumptions, and which to ask about."""
    chosen = pytestconfig.getoption("--assumptions", default=None)
    return Answers(
        pytestconfig.getoption("--answers", default=None), None if chosen is None else frozenset(chosen.split(","))
    )


def _target(config: pytest.Config) -> str:
    return str(config.getoption("--target", default=targets.LOCAL))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the suite as `local_cloud`; deselect tests that need a local cloud where `--target` names a deployment."""
    local = _target(config) == targets.LOCAL
    kept: list[pytest.Item] = []
    deselected: list[pytest.Item] = []
    for item in items:
        in_suite = _HERE in item.path.parents
        if in_suite and local:
            item.add_marker(pytest.mark.local_cloud)
        fixtures = set(getattr(item, "fixturenames", ()))
        needs_local_cloud = in_suite and not local and _LOCAL_CLOUD_FIXTURES & fixtures
        (deselected if needs_local_cloud else kept).append(item)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = kept


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run some files in both orders of events."""
    if "event_order" not in metafunc.fixturenames:
        return
    given = str(metafunc.config.getoption("--event-order", default="published"))
    both = metafunc.definition.path.name in _BOTH_ORDERS and _target(metafunc.config) == targets.LOCAL
    orders = ["published", "reversed"] if both and given == "published" else [given]
    if orders != ["published"]:
        metafunc.parametrize("event_order", orders, indirect=True)


@pytest.fixture(autouse=True)
def event_order(request: pytest.FixtureRequest) -> Iterator[str]:
    """The order in which the Events service delivers: as published, or each event after the next one."""
    order = str(getattr(request, "param", "published"))
    if order == "reversed" and _target(request.config) == targets.LOCAL:
        cloud: LocalCloud = request.getfixturevalue("session_cloud")
        cloud.always = (_REORDERED,)
        yield order
        cloud.always = ()
        cloud.faults.clear()
    else:
        yield order


@pytest.fixture
def cloud(local_cloud: LocalCloud) -> LocalCloud:
    """The local cloud, for tests that control it or stop its services."""
    return local_cloud


@pytest.fixture
def faults(cloud: LocalCloud) -> FaultControl:
    """The fault rules of the local cloud; all are removed after the test."""
    return cloud.faults


def _local_environment(cloud: LocalCloud) -> TestEnvironment:
    document: dict[str, Any] = cloud.document
    keys = CredentialStore(cloud.state.credentials_file).operator().environment()
    target = targets.Target.from_mapping(targets.flattened(document), "the local cloud's outputs")
    return TestEnvironment(target, keys, str(document["awsEndpoint"]))


def _operator_credentials() -> dict[str, str]:
    """Return the operator's AWS credentials, from where the AWS SDK finds them."""
    found = boto3.Session().get_credentials()
    if found is None:
        pytest.exit(
            "A deployed target needs AWS credentials, to create users: set AWS_PROFILE or sign in.", returncode=4
        )
    frozen = found.get_frozen_credentials()
    keys = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    return keys | ({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {})


@pytest.fixture(scope="session")
def session_environment(request: pytest.FixtureRequest) -> TestEnvironment:
    """The environment under test, for fixtures of module scope."""
    name = _target(request.config)
    if name == targets.LOCAL:
        return _local_environment(request.getfixturevalue("session_cloud"))
    return TestEnvironment(targets.read(Path(name)), _operator_credentials(), os.environ.get("AWS_ENDPOINT_URL"))


@pytest.fixture
def environment(
    session_environment: TestEnvironment, event_order: str, request: pytest.FixtureRequest
) -> TestEnvironment:
    """The environment under test, without fault rules."""
    if _target(request.config) == targets.LOCAL:
        request.getfixturevalue("local_cloud")
    return session_environment


@pytest.fixture
async def users(environment: TestEnvironment) -> AsyncIterator[Users]:
    """Creates users for this test."""
    async with users_of(environment) as created:
        yield created


@pytest.fixture
async def target_file(environment: TestEnvironment, users: Users, tmp_path: Path) -> Path:
    """A target file with two demo users whose names no other user has."""
    family = uuid.uuid4().hex[:12]
    accounts = [await users.account("Ada", f"L{family}"), await users.account("Grace", f"H{family}")]
    file = tmp_path / "target.json"
    write_target(file, environment, accounts)
    return file


@pytest.fixture
async def programs(target_file: Path) -> AsyncIterator[tuple[ChatProgram, ChatProgram]]:
    """The chat programs of both demo users."""
    running = [await ChatProgram.start("--user", number, "--target", str(target_file)) for number in ("1", "2")]
    yield running[0], running[1]
    for program in running:
        await program.kill()
