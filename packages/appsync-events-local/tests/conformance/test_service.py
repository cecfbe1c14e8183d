"""The running service behaves as every conformance row expects, over real sockets and HTTP."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conformance_suite.api import NAMESPACES, template
from conformance_suite.network import NetworkDriver
from conformance_suite.rows import rows_of
from conformance_suite.runner import RowRunner
from conformance_suite.signing import ApiAccess
from conformance_suite.table import Row, Target
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import KEY, REGION, SIGNER, Running, UserPool, running

SERVICE_ROWS = rows_of(Target.SERVICE)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey) -> AsyncIterator[Running]:
    """A service with the API of the rows; each row opens its own connections, so all rows share it."""
    pool = UserPool(signing_key)
    async with pool.served(), running(tmp_path_factory.mktemp("service"), pool) as service:
        await service.register(properties=template("tests", 0)["Resources"]["Api"]["Properties"])
        for name, properties in NAMESPACES.items():
            own = dict(properties)
            await service.namespace(name, own.pop("CodeHandlers", None), **own)
        yield service


@pytest.mark.parametrize("row", SERVICE_ROWS, ids=[row.id for row in SERVICE_ROWS])
async def test_service_behaves_as_the_row_expects(service: Running, row: Row) -> None:
    access = ApiAccess(service.event_url, service.host, KEY, SIGNER, REGION)
    driver = NetworkDriver(service.session, access, f"{service.event_url}/realtime")
    try:
        await RowRunner(driver).run(row)
    finally:
        await driver.close()
