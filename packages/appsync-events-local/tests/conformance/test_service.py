"""The running service keeps every row of the conformance table, over real sockets and real HTTP."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from conformance_suite.api import NAMESPACES, template
from conformance_suite.rows import rows_of
from conformance_suite.run import Run
from conformance_suite.signing import Signers
from conformance_suite.table import Place, Row
from conformance_suite.wire import WireStage
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import KEY, REGION, SIGNER, Running, UserPool, running

SERVICE_ROWS = rows_of(Place.SERVICE)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey) -> AsyncIterator[Running]:
    """The service with the API of the table; rows have connections of their own, so it serves all of them."""
    pool = UserPool(signing_key)
    async with pool.served(), running(tmp_path_factory.mktemp("service"), pool) as service:
        await service.register(properties=template("tests", 0)["Resources"]["Api"]["Properties"])
        for name, properties in NAMESPACES.items():
            own = dict(properties)
            await service.namespace(name, own.pop("CodeHandlers", None), **own)
        yield service


@pytest.mark.parametrize("row", SERVICE_ROWS, ids=[row.id for row in SERVICE_ROWS])
async def test_the_service_keeps(service: Running, row: Row) -> None:
    signers = Signers(service.event_url, service.host, KEY, SIGNER, REGION)
    stage = WireStage(service.session, signers, f"{service.event_url}/realtime")
    try:
        await Run(stage).all(row)
    finally:
        await stage.close()
