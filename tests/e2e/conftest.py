"""The target of the end-to-end suite: `pytest tests/e2e --target FILE`, or the local cloud of this test run."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from client.api import targets
from local.control.faults import FaultControl
from local.emulator.credentials import CredentialStore
from local.testing import LocalCloud
from tests.e2e.place import People, Place, people_of

_HERE = Path(__file__).parent
_NEEDS_A_CLOUD_TO_BREAK = frozenset({"faults", "cloud"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        default=targets.LOCAL,
        metavar="FILE",
        help="outputs or environment file of the environment to test; default: a local cloud of its own",
    )


def _target(config: pytest.Config) -> str:
    return str(config.getoption("--target", default=targets.LOCAL))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the suite as slow, and leave out what breaks things where they are not ours to break."""
    local = _target(config) == targets.LOCAL
    kept, left_out = [], []
    for item in items:
        mine = _HERE in item.path.parents
        if mine and local:
            item.add_marker(pytest.mark.local_cloud)
        breaks = mine and not local and _NEEDS_A_CLOUD_TO_BREAK & set(getattr(item, "fixturenames", ()))
        (left_out if breaks else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.fixture
def cloud(local_cloud: LocalCloud) -> LocalCloud:
    """The local cloud, for tests that stop or break it."""
    return local_cloud


@pytest.fixture
def faults(cloud: LocalCloud) -> FaultControl:
    """The fault switches; all are off again after the test."""
    return cloud.faults


def _local_place(cloud: LocalCloud) -> Place:
    document: dict[str, Any] = cloud.document
    keys = CredentialStore(cloud.state.credentials_file).operator().environment()
    target = targets.Target.from_mapping(targets.flattened(document), "the local cloud's outputs")
    return Place(target, keys, str(document["awsEndpoint"]))


def _operators_keys() -> dict[str, str]:
    """Return the AWS credentials of whoever runs the suite, wherever the AWS SDK finds them."""
    found = boto3.Session().get_credentials()
    if found is None:
        pytest.exit(
            "A deployed target needs AWS credentials (to make users): set AWS_PROFILE or sign in.", returncode=4
        )
    frozen = found.get_frozen_credentials()
    keys = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    return keys | ({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {})


@pytest.fixture(scope="session")
def session_place(request: pytest.FixtureRequest) -> Place:
    """The environment under test, for fixtures that outlive one test."""
    name = _target(request.config)
    if name == targets.LOCAL:
        return _local_place(request.getfixturevalue("session_cloud"))
    return Place(targets.read(Path(name)), _operators_keys(), os.environ.get("AWS_ENDPOINT_URL"))


@pytest.fixture
def place(session_place: Place, request: pytest.FixtureRequest) -> Place:
    """The environment under test, without any fault switched on."""
    if _target(request.config) == targets.LOCAL:
        request.getfixturevalue("local_cloud")
    return session_place


@pytest.fixture
async def people(place: Place) -> AsyncIterator[People]:
    """Makes fresh users for this test."""
    async with people_of(place) as made:
        yield made
