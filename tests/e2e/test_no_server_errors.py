"""After every other test of the local cloud: no response of 500 or above is without a fault that a test injected."""

from __future__ import annotations

import json

import pytest

from local.testing import LocalCloud

pytestmark = pytest.mark.end_of_run


def test_every_response_of_500_or_above_has_an_injected_fault(cloud: LocalCloud) -> None:
    unexplained = [record for record in cloud.faults.server_errors() if not record["faults"]]
    assert unexplained == [], "\n".join(json.dumps(record) for record in unexplained)
