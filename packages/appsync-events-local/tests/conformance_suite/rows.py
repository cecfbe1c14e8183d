"""Every row of the conformance table."""

from typing import Final

from conformance_suite.channel_rows import CHANNEL_ROWS
from conformance_suite.connect_rows import CONNECT_ROWS
from conformance_suite.publish_rows import PUBLISH_ROWS
from conformance_suite.subscribe_rows import SUBSCRIBE_ROWS
from conformance_suite.table import Row, Target

ROWS: Final[tuple[Row, ...]] = (*CONNECT_ROWS, *SUBSCRIBE_ROWS, *CHANNEL_ROWS, *PUBLISH_ROWS)


def rows_of(target: Target) -> list[Row]:
    """The rows that run against a target."""
    return [row for row in ROWS if target in row.targets()]
