"""The protocol core behaves as every conformance row without HTTP expects."""

import json
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from appsync_events_local.http.app import Settings, make_app
from appsync_events_local.http.server import SERVICE
from appsync_events_local.publish.served_api import ServedApi
from appsync_events_local.registry.service import Service
from conformance_suite.api import NAMESPACES, template
from conformance_suite.core import CoreDriver
from conformance_suite.rows import rows_of
from conformance_suite.runner import RowRunner
from conformance_suite.signing import ApiAccess
from conformance_suite.table import Row, Target
from service_harness.running import ACCOUNT, API, KEY, REGION, SIGNER, TOKEN, no_data_sources, signer_file

CORE_ROWS = rows_of(Target.CORE)
HOST = "events.test"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Service, ServedApi]]:
    """The API of the rows in a protocol core; each row opens its own connections, so all rows share it."""
    folder = tmp_path_factory.mktemp("core")
    signers = folder / "signers.json"
    signers.write_text(json.dumps(signer_file()))
    service = make_app(Settings(folder, TOKEN, "http://127.0.0.1:9", signers), no_data_sources)[SERVICE]
    definition = template("tests", int(time.time()) + 3600)["Resources"]["Api"]["Properties"]
    hosts = {"http": HOST, "realtime": HOST}
    body = {"name": "tests", "properties": definition, "hosts": hosts, "region": REGION, "accountId": ACCOUNT}
    await service.put_api(API, body)
    await service.put_key(API, KEY, {"properties": {}})
    for name, properties in NAMESPACES.items():
        await service.put_namespace(API, name, {"properties": properties})
    yield service, service.served(API)
    await service.close_handlers()


@pytest.mark.parametrize("row", CORE_ROWS, ids=[row.id for row in CORE_ROWS])
async def test_core_behaves_as_the_row_expects(live: tuple[Service, ServedApi], row: Row) -> None:
    driver = CoreDriver(*live, ApiAccess(f"https://{HOST}/event", HOST, KEY, SIGNER, REGION))
    try:
        await RowRunner(driver).run(row)
    finally:
        driver.close()
